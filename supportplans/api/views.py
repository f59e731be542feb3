"""The plan that is in force, and trials, over the API: the same selectors and services as the pages."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import IsCustomer, actor_of, identity_of
from accounts.models.tenants import TenantRole
from core import clock
from supportplans.forms import PAID_PLANS
from supportplans.selectors.coverage import coverage_at
from supportplans.selectors.trials import trial_open_for
from supportplans.services.trials import trial_apply, trial_withdraw


class CoverageSerializer(serializers.Serializer[Any]):
    """The plan in force with its term and response targets in minutes; ``promised`` is false for a trial."""

    plan = serializers.CharField(source="plan_code")
    basis = serializers.CharField(allow_null=True)
    starts = serializers.DateTimeField(allow_null=True)
    ends = serializers.DateTimeField(allow_null=True)
    promised = serializers.BooleanField()
    assurance_level = serializers.IntegerField(allow_null=True)
    target_minutes = serializers.DictField(child=serializers.IntegerField())


class TrialApplySerializer(serializers.Serializer[Any]):
    """An application for a trial."""

    plan = serializers.ChoiceField(choices=PAID_PLANS)
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class TrialSerializer(serializers.Serializer[Any]):
    """An application and what became of it."""

    plan = serializers.CharField(source="plan.code")
    state = serializers.CharField()
    reason = serializers.CharField()
    created_at = serializers.DateTimeField()


class TenantView(APIView):
    """What a customer asks about its own account. A view may ask for more than a member."""

    permission_classes = (IsAuthenticated, IsCustomer)
    least_role = TenantRole.MEMBER

    def tenant_id(self) -> int:
        """Return the tenant of the request."""
        tenant_id = identity_of(self.request).tenant_id
        if tenant_id is None:
            raise Http404
        return tenant_id


class PlanView(TenantView):
    """The plan in force."""

    @extend_schema(responses=CoverageSerializer)
    def get(self, request: Request) -> Response:
        """Return the plan, its term and the response targets that hold now."""
        coverage = coverage_at(self.tenant_id(), clock.now())
        return Response(CoverageSerializer(coverage).data)


class TrialView(TenantView):
    """The application for a trial that is not decided yet."""

    least_role = TenantRole.OWNER

    @extend_schema(responses=TrialSerializer)
    def get(self, request: Request) -> Response:
        """Return the open application. 404 where there is none."""
        application = trial_open_for(self.tenant_id())
        if application is None:
            raise Http404
        return Response(TrialSerializer(application).data)

    @extend_schema(request=TrialApplySerializer, responses={201: TrialSerializer})
    def post(self, request: Request) -> Response:
        """Apply for a trial, once per account. The same again returns the open application."""
        asked = TrialApplySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        application = trial_apply(
            tenant_id=self.tenant_id(),
            plan_code=asked.validated_data["plan"],
            reason=asked.validated_data["reason"],
            actor=actor_of(request._request),
            at=clock.now(),
        )
        return Response(TrialSerializer(application).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request) -> Response:
        """Take the open application back. 404 where there is none."""
        application = trial_open_for(self.tenant_id())
        if application is None:
            raise Http404
        trial_withdraw(application_id=application.pk, at=clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)
