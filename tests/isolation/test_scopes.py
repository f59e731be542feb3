"""Scopes nest, refuse and leave nothing behind (isolation.md, tests 6, 10, 12 and 14)."""

import pytest
from django.db import Error, connection, transaction
from django.http import StreamingHttpResponse

from accounts.models import Membership, Tenant
from core.tenancy import scope
from core.tenancy.scope import CrossTenant
from tests.isolation.catalogue import rows


def role_and_tenant():
    ((role, tenant),) = rows(
        "SELECT current_user::text, coalesce(current_setting('app.tenant_id', true), '')"
    )
    return role, tenant


CLEAN = ("portal_app", "")


@pytest.mark.django_db
class TestInsideATransaction:
    """As in a TestCase: the outer transaction goes on when a scope ends."""

    def test_leaving_restores_what_was_there(self, cast):
        with scope.staff():
            with scope.customer(cast.huachen.pk):
                assert role_and_tenant() == ("portal_customer", str(cast.huachen.pk))
            assert role_and_tenant() == ("portal_staff", "")
        assert role_and_tenant() == CLEAN

    def test_an_error_restores_too(self, cast):
        with pytest.raises(Error), scope.customer(cast.huachen.pk):
            rows("SELECT 1 / 0")
        assert role_and_tenant() == CLEAN
        assert scope.current() is None

    def test_a_customer_becomes_no_one_else(self, cast):
        with scope.customer(cast.huachen.pk):
            with scope.customer(cast.huachen.pk):
                pass
            with pytest.raises(CrossTenant), scope.customer(cast.yunfan.pk):
                pass
            with pytest.raises(CrossTenant), scope.staff():
                pass
            assert role_and_tenant() == ("portal_customer", str(cast.huachen.pk))

    @pytest.mark.parametrize("nobody", [None, "7", True])
    def test_a_scope_needs_the_id_of_a_tenant(self, nobody):
        with pytest.raises(TypeError):
            scope.customer(nobody)

    def test_a_scope_that_was_rolled_back_leaves_the_connection_usable(self, cast):
        with transaction.atomic():
            with scope.staff():
                Tenant.objects.filter(pk=cast.huachen.pk).update(name="anders")
                transaction.set_rollback(True)
            transaction.set_rollback(True)
        with scope.staff():
            assert Tenant.objects.get(pk=cast.huachen.pk).name == "华辰科技"


@pytest.mark.django_db(transaction=True)
class TestOnOneConnection:
    """As in production: each request is a transaction of its own on a connection that is kept."""

    def test_every_request_leaves_the_connection_clean(self, cast, client_for, monkeypatch):
        def visit(person, path="/support/"):
            answer = client_for(person).get(path)
            assert role_and_tenant() == CLEAN
            return answer.status_code

        assert visit(cast.owner) == 200
        assert visit(cast.other_owner) == 200
        assert visit(cast.staff["operator"], "/operations/") == 200
        assert visit(cast.owner, "/no/such/page/") == 404

    def test_after_an_error_of_sql_the_connection_is_clean(self, cast):
        with pytest.raises(Error), scope.customer(cast.huachen.pk):
            rows("SELECT nonsense")
        assert role_and_tenant() == CLEAN

    def test_after_the_server_cut_the_connection_a_new_one_is_clean(self, cast):
        ((pid,),) = rows("SELECT pg_backend_pid()")
        with pytest.raises(Error), scope.customer(cast.huachen.pk):
            rows("SELECT pg_terminate_backend(%s)", pid)
            rows("SELECT 1")
        connection.close()
        assert role_and_tenant() == CLEAN

    def test_a_body_that_streams_without_a_scope_is_refused(self, cast):
        def body():
            yield from (str(m.pk) for m in Tenant.objects.filter(name="华辰科技"))
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM supportplans_subscription")

        with scope.customer(cast.huachen.pk):
            response = StreamingHttpResponse(body())
        with pytest.raises(Error):
            list(response)

    def test_a_body_that_streams_in_a_scope_sees_its_tenant_and_closes(self, cast):
        def names():
            yield from Membership.objects.values_list("user__name", flat=True)

        stream = scope.stream(lambda: scope.customer(cast.huachen.pk), names)
        assert next(stream) in {"李明", "王静", "赵磊"}
        stream.close()
        assert not connection.in_atomic_block
        assert role_and_tenant() == CLEAN
