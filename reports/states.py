"""The life of a monthly report."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class ReportState(models.TextChoices):
    """Made, or not made for a reason that staff sees."""

    MADE = "made", _("已生成")
    EXEMPT = "exempt", _("免于生成")


class ExemptionReason(models.TextChoices):
    """Why a month has no report (guide 1.5.8)."""

    PROOF_OF_CONCEPT = "proof_of_concept", _("尚处于上云 POC 阶段")
    NO_SOURCE = "no_source", _("数据源无法采集")
    DECLINED = "declined", _("客户选择不接收")
