"""Linked accounts over the API: the same selectors and services as the page."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import actor_of, identity_of
from accounts.models.tenants import TenantRole
from core import clock
from supportplans.api.views import TenantView
from supportplans.models import AccountLink
from supportplans.selectors.links import link_room, links_of
from supportplans.services.links import link_propose
from supportplans.views.links import TURNS


class LinkProposeSerializer(serializers.Serializer[Any]):
    """Another account, by its id, and what the principal calls it."""

    account_id = serializers.UUIDField()
    name = serializers.CharField(max_length=100)


class LinkSerializer(serializers.Serializer[Any]):
    """One account's side of a link. ``account_id`` and ``name`` are the other account's."""

    id = serializers.IntegerField()
    side = serializers.CharField()
    account_id = serializers.UUIDField()
    name = serializers.CharField()
    state = serializers.CharField()
    answer = serializers.CharField()
    end_reason = serializers.CharField()
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class LinksSerializer(serializers.Serializer[Any]):
    """The account's own id, how many accounts it may link, and its links of both sides."""

    account_id = serializers.UUIDField()
    total = serializers.IntegerField()
    left = serializers.IntegerField()
    links = LinkSerializer(many=True)


class LinksView(TenantView):
    """An account's links."""

    @extend_schema(responses=LinksSerializer)
    def get(self, request: Request) -> Response:
        """Return the open links and the latest of the others."""
        tenant = identity_of(request).tenant
        if tenant is None:
            raise Http404
        room = link_room(tenant.pk, clock.now())
        shown = {
            "account_id": tenant.public_id,
            "total": room.total,
            "left": room.left if room.open else 0,
            "links": links_of(tenant.pk),
        }
        return Response(LinksSerializer(shown).data)

    @extend_schema(request=LinkProposeSerializer, responses={201: LinkSerializer})
    def post(self, request: Request) -> Response:
        """Propose to link another account. The same again returns the open proposal. Administrators only."""
        _administrators_only(request)
        asked = LinkProposeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        link = link_propose(
            tenant_id=self.tenant_id(),
            **asked.validated_data,
            actor=actor_of(request._request),
            at=clock.now(),
        )
        return Response(LinkSerializer(link).data, status=status.HTTP_201_CREATED)


class LinkTurnView(TenantView):
    """What an account does about one of its links: ``accept``, ``refuse``, ``withdraw`` or ``end``."""

    @extend_schema(operation_id="plan_links_turn", request=None, responses=LinkSerializer)
    def post(self, request: Request, link_id: int, action: str) -> Response:
        """Do it. 404 for a link that is not the account's, 409 where its state does not allow it."""
        _administrators_only(request)
        own = AccountLink.objects.filter(pk=link_id, tenant_id=self.tenant_id())
        if action not in TURNS or not own.exists():
            raise Http404
        link = TURNS[action](link_id=link_id, actor=actor_of(request._request), at=clock.now())
        return Response(LinkSerializer(link).data)


def _administrators_only(request: Request) -> None:
    if not identity_of(request).has_tenant_role(TenantRole.ADMINISTRATOR):
        raise PermissionDenied
