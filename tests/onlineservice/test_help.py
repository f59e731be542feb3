"""The help centre."""

import pytest
from django.core.management import call_command

from core.tenancy import scope
from onlineservice.models import Article

pytestmark = pytest.mark.django_db


@pytest.fixture
def articles():
    call_command("load_articles")
    call_command("load_articles")


def test_everyone_reads_the_articles(client, articles):
    page = client.get("/help/").content.decode()
    with scope.staff():
        loaded = list(Article.objects.all())
    assert len(loaded) == 15
    assert all(article.title in page for article in loaded)
    for article in loaded:
        assert client.get(article.get_absolute_url()).status_code == 200


@pytest.mark.parametrize(
    ("sought", "found"),
    [("重保", True), ("代备案", True), ("Lead times", True), ("不存在的词", False)],
)
def test_searching_in_either_language(client, articles, sought, found):
    page = client.get("/help/", {"q": sought}).content.decode()
    assert ("没有找到相关文档" not in page) is found


def test_an_unpublished_article_does_not_exist(client, articles):
    with scope.staff():
        Article.objects.filter(slug="order").update(is_published=False)
    assert client.get("/help/order/").status_code == 404
    assert client.get("/help/nothing/").status_code == 404
