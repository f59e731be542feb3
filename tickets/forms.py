"""What customers and agents fill in."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from core.exceptions import DomainError
from core.files import validate_upload
from supportplans.models import ProductLine
from tickets.credentials import secrets_in
from tickets.models import TicketCategory
from tickets.selectors.tickets import category_list
from tickets.services.attachments import FILES_MAX
from tickets.services.messages import BODY_MAX
from tickets.states import Effect, RatingReason, TicketKind


class FilesInput(forms.ClearableFileInput):
    """A file input that takes several files."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several files, each checked by its content; the errors stand beside the field."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, widget=FilesInput(attrs={"multiple": True}), **options)

    @override
    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[Any]]:
        """Return the files. Raises ValidationError."""
        uploads = [upload for upload in data or [] if upload]
        if len(uploads) > FILES_MAX:
            raise forms.ValidationError(_("一次最多上传 %(most)d 个文件") % {"most": FILES_MAX})
        for upload in uploads:
            try:
                validate_upload(upload)
            except DomainError as error:
                raise forms.ValidationError(f"{upload.name}：{error.message}") from error
        return uploads


class SecretsMixin(forms.Form):
    """Asks once before something that looks like a secret is sent. It names the kind; the value goes nowhere else."""

    secret_fields: ClassVar[tuple[str, ...]] = ("body",)
    acknowledged = forms.BooleanField(label=_("我已确认，仍要发送这些内容"), required=False)

    @override
    def clean(self) -> dict[str, Any]:
        """Refuse the first time, with a box to tick."""
        data = super().clean() or self.cleaned_data
        self.secret_kinds = secrets_in(*(str(data.get(name) or "") for name in self.secret_fields))
        if self.secret_kinds and not data.get("acknowledged"):
            words = "、".join(str(kind.label) for kind in self.secret_kinds)
            self.add_error(
                "acknowledged",
                _("内容看起来含有%(kinds)s。请删除后再发送；确需发送时请勾选确认")
                % {"kinds": words},
            )
        return data


class TicketForm(SecretsMixin):
    """A new ticket. The severity follows from the effect (guide 1.5.2)."""

    secret_fields = ("title", "body", "resource")

    effect = forms.ChoiceField(
        label=_("对业务的影响"), choices=Effect.choices, widget=forms.RadioSelect
    )
    kind = forms.ChoiceField(label=_("工单类型"), choices=TicketKind.choices, initial="technical")
    product_line = forms.ModelChoiceField(
        label=_("产品"), queryset=ProductLine.objects.none(), empty_label=_("请选择产品")
    )
    category = forms.ModelChoiceField(
        label=_("问题分类"),
        queryset=TicketCategory.objects.none(),
        required=False,
        empty_label=_("请选择分类"),
    )
    title = forms.CharField(
        label=_("标题"),
        max_length=200,
        widget=forms.TextInput(attrs={"placeholder": _("用一句话说明现象")}),
    )
    resource = forms.CharField(
        label=_("涉及资源"),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": _("实例 ID、域名或 IP，可留空")}),
    )
    body = forms.CharField(
        label=_("问题描述"),
        max_length=BODY_MAX,
        widget=forms.Textarea(
            attrs={"rows": 8, "placeholder": _("何时开始、影响范围、已尝试的操作和报错信息")}
        ),
    )
    attachments = FilesField(
        label=_("附件"),
        help_text=_(
            "可拖入或粘贴，最多 5 个，单个不超过 20 MB；支持 PDF、图片、Office、压缩包和文本日志；请勿上传密码或密钥"
        ),
    )
    key = forms.CharField(widget=forms.HiddenInput, max_length=64)
    # The number of an earlier ticket that this one takes up again.
    follows = forms.CharField(widget=forms.HiddenInput, max_length=20, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = {"key": uuid.uuid4().hex, **kwargs.get("initial", {})}
        super().__init__(*args, **kwargs)
        lines: Any = self.fields["product_line"]
        lines.queryset = ProductLine.objects.order_by("position")
        categories: Any = self.fields["category"]
        categories.queryset = category_list()


class ReplyForm(forms.Form):
    """A reply of either side. ``action`` is what the pressed button says."""

    body = forms.CharField(
        label=_("回复"), max_length=BODY_MAX, widget=forms.Textarea(attrs={"rows": 4})
    )
    attachments = FilesField(label=_("附件"))
    key = forms.CharField(widget=forms.HiddenInput, max_length=64, required=False)
    action = forms.ChoiceField(
        choices=[("send", ""), ("wait", ""), ("resolve", "")], required=False
    )


class AgentReplyForm(ReplyForm):
    """An agent's reply; ``seen`` is the last message that its writer had read."""

    seen = forms.IntegerField(
        widget=forms.HiddenInput, min_value=0, max_value=2**63 - 1, required=False
    )


class CustomerReplyForm(SecretsMixin, ReplyForm):
    """A customer's reply: asks before a secret is sent."""


class NoteForm(forms.Form):
    """An internal note."""

    body = forms.CharField(
        label=_("内部备注"), max_length=BODY_MAX, widget=forms.Textarea(attrs={"rows": 3})
    )


class RatingForm(forms.Form):
    """One to five stars with reasons and a comment."""

    score = forms.TypedChoiceField(
        label=_("满意度"),
        choices=[(n, str(n)) for n in range(1, 6)],
        coerce=int,
        widget=forms.RadioSelect,
    )
    reasons = forms.MultipleChoiceField(
        label=_("原因"), choices=RatingReason.choices, required=False
    )
    comment = forms.CharField(
        label=_("评价"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
