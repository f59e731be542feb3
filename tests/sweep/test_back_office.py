"""Django's back office, full of demo data: every list and every record opens for operators, in Chinese."""

from __future__ import annotations

import re

import pytest
from django.contrib import admin
from django.urls import reverse

from core.tenancy import scope

pytestmark = pytest.mark.django_db
SITES = sorted(admin.site._registry, key=lambda model: model._meta.label)
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture
def operator(people):
    return people.client("operator")


def test_it_goes_by_the_portals_name(operator):
    page = operator.get(reverse("admin:index")).content.decode()
    assert "Django" not in re.sub(r"<[^>]*>", "", page)
    assert f'href="{reverse("accounts:operations")}"' in page


@pytest.mark.parametrize("model", SITES, ids=lambda model: model._meta.label)
def test_lists_and_records_open(model, operator):
    meta = model._meta
    assert CHINESE.search(str(meta.verbose_name_plural))
    assert CHINESE.search(str(meta.app_config.verbose_name))
    name = f"admin:{meta.app_label}_{meta.model_name}"
    listed = operator.get(reverse(f"{name}_changelist"))
    assert listed.status_code == 200
    table = listed.content.decode().partition('id="result_list"')[2]
    headings = re.findall(r'<th scope="col".*?</th>', table, re.DOTALL)
    texts = [re.sub(r"<[^>]*>", "", heading).strip() for heading in headings]
    assert [text for text in texts if text and not CHINESE.search(text)] == []
    if admin.site._registry[model].search_fields:
        assert operator.get(reverse(f"{name}_changelist"), {"q": "华辰"}).status_code == 200
    with scope.staff():
        first = model._default_manager.order_by("pk").first()
    if first is not None:
        assert operator.get(reverse(f"{name}_change", args=[first.pk])).status_code == 200
    if admin.site._registry[model].has_add_permission(listed.wsgi_request):
        assert operator.get(reverse(f"{name}_add")).status_code == 200
