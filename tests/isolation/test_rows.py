"""Raw SQL in one tenant's scope against another's rows, for every table with a tenant (isolation.md, tests 4 and 5)."""

import pytest
from django.db import Error, connection, transaction

from core.tenancy import scope
from tests.isolation.catalogue import owned_models, rows
from tests.isolation.samples import WRITTEN_BY_CUSTOMERS, sample_row

pytestmark = pytest.mark.django_db
NO_SUCH_TENANT = 987_654_321


@pytest.fixture(params=owned_models(), ids=lambda model: model._meta.label)
def table(request, cast):
    """One row of 云帆's in a table; returns the table, the row's id and the model."""
    model = request.param
    by_customer = model._meta.label in WRITTEN_BY_CUSTOMERS
    if by_customer:
        with scope.staff():  # the parents
            for field in model._meta.local_concrete_fields:
                if field.is_relation and field.related_model in owned_models():
                    sample_row(field.related_model, cast.yunfan)
    with scope.customer(cast.yunfan.pk) if by_customer else scope.staff():
        row = sample_row(model, cast.yunfan)
    return model._meta.db_table, row.pk, model


def attempt(statement, *parameters):
    """Return the number of rows touched, or the error's class name."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.rowcount
    except Error as error:
        return type(error).__name__


def test_anothers_row_is_neither_read_nor_changed_nor_deleted(cast, table):
    name, pk, _ = table
    nothing = {0, "ProgrammingError"}
    with scope.customer(cast.huachen.pk):
        assert attempt(f'SELECT 1 FROM "{name}" WHERE id = %s', pk) in nothing
        assert attempt(f'SELECT 1 FROM "{name}" WHERE id = %s FOR UPDATE', pk) in nothing
        assert attempt(f'UPDATE "{name}" SET tenant_id = tenant_id WHERE id = %s', pk) in nothing
        assert (
            attempt(f'UPDATE "{name}" SET tenant_id = %s WHERE id = %s', cast.huachen.pk, pk)
            in nothing
        )
        assert attempt(f'DELETE FROM "{name}" WHERE id = %s', pk) == "ProgrammingError"
    with scope.staff():
        assert rows(f'SELECT tenant_id FROM "{name}" WHERE id = %s', pk) in (
            [(cast.yunfan.pk,)],
            [],
        )


def test_no_row_is_written_for_another_tenant(cast, table):
    name, pk, model = table
    columns = ", ".join(
        f'"{f.column}"' for f in model._meta.local_fields if not f.primary_key and not f.generated
    )
    with scope.staff():
        readable = attempt(f'SELECT 1 FROM "{name}" WHERE id = %s', pk)
    assert readable == 1
    with scope.customer(cast.yunfan.pk), transaction.atomic():
        own = attempt(
            f'INSERT INTO "{name}" ({columns}) SELECT {columns} FROM "{name}" WHERE id = %s', pk
        )
        transaction.set_rollback(True)
    with scope.customer(cast.huachen.pk):
        foreign = model(
            tenant=cast.yunfan,
            **{
                f.attname: getattr(sample_of(model, pk, cast), f.attname)
                for f in model._meta.local_concrete_fields
                if not f.primary_key and f.name != "tenant" and not f.generated
            },
        )
        with pytest.raises(Error), transaction.atomic():
            model._default_manager.bulk_create([foreign])
    assert own in {1, "ProgrammingError", "IntegrityError"}


def sample_of(model, pk, cast):
    """Read a row in a transaction of its own tenant, from inside another's: through staff's eyes on a new cursor."""
    return _samples[model]


_samples = {}


@pytest.fixture(autouse=True)
def remember(request):
    """Keep the sample rows that tests copy."""
    if "table" in request.fixturenames:
        _, pk, model = request.getfixturevalue("table")
        with scope.staff():
            _samples[model] = model._default_manager.get(pk=pk)
    yield
    _samples.clear()


def test_truncate_and_copy_leave_no_way_around(cast, table):
    name, *_ = table
    with scope.customer(cast.huachen.pk):
        assert attempt(f'TRUNCATE "{name}" CASCADE') == "ProgrammingError"
        seen = attempt(f'SELECT count(*) FROM "{name}" WHERE tenant_id = %s', cast.yunfan.pk)
        assert seen == "ProgrammingError" or rows(
            f'SELECT count(*) FROM "{name}" WHERE tenant_id = %s', cast.yunfan.pk
        ) == [(0,)]


def test_without_a_scope_tenants_rows_are_refused(table, cast):
    name, _, model = table
    answer = attempt(f'SELECT 1 FROM "{name}" LIMIT 1')
    if model._meta.label in {"accounts.Membership", "accounts.Invitation"}:
        assert answer != "ProgrammingError"  # sign-in reads them before there is a tenant
    else:
        assert answer == "ProgrammingError"


def test_a_tenant_that_does_not_exist_sees_nothing(table):
    name, *_ = table
    with scope.customer(NO_SUCH_TENANT):
        assert attempt(f'SELECT 1 FROM "{name}" LIMIT 1') in {0, "ProgrammingError"}


def test_a_customers_role_without_a_tenant_sees_nothing(cast):
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('role', 'portal_customer', true), set_config('app.tenant_id', '', true)"
            )
        assert rows("SELECT count(*) FROM accounts_membership") == [(0,)]
        transaction.set_rollback(True)


def test_a_customer_sees_only_their_own_people(cast):
    from accounts.models import User

    with scope.customer(cast.huachen.pk):
        assert set(User.objects.all()) == {cast.owner, cast.administrator, cast.member}
