"""What the rules of invoices refuse."""

from django.utils.translation import gettext_lazy as _

from core.exceptions import DomainError


class OrderNotInvoiceable(DomainError):
    """Only a completed order of a plan is invoiced; a top-up's money is invoiced with what it pays."""

    code = "order_not_invoiceable"
    message = _("该订单不可开票：仅已完成的订购、升配和续订订单可以开票")


class NothingToInvoice(DomainError):
    """Invoiceable is what was paid in cash less what was refunded."""

    code = "nothing_to_invoice"
    message = _("该订单没有可开票的金额")


class InvoiceExists(DomainError):
    """One invoice per order, unless it was withdrawn or reversed."""

    code = "invoice_exists"
    message = _("该订单已申请开票，请勿重复申请")


class InvoiceTitleInvalid(DomainError):
    """An invoice is made out to somebody."""

    code = "title_invalid"
    message = _("请填写发票抬头，最多 100 个字")
    status = 422


class TaxNumberInvalid(DomainError):
    """A unified social credit code or an older tax number: 15 to 20 digits and capitals."""

    code = "tax_number_invalid"
    message = _("税号须为 15–20 位数字或大写字母")
    status = 422


class InvoiceEmailInvalid(DomainError):
    """The invoice is also told of by mail."""

    code = "email_invalid"
    message = _("请输入有效的邮箱地址")
    status = 422


class InvoiceNotOpen(DomainError):
    """Only an invoice that was asked for and not issued can be cancelled or issued."""

    code = "invoice_not_open"
    message = _("该发票申请已处理或已取消")


class InvoiceNotIssued(DomainError):
    """Only an issued invoice can be reversed or downloaded."""

    code = "invoice_not_issued"
    message = _("该发票尚未开具或已冲红")


class InvoiceAmountChanged(DomainError):
    """Money was refunded since the invoice was asked for."""

    code = "invoice_amount_changed"
    message = _("申请后该订单发生过退款，可开票金额已变化，请取消后重新申请")


class InvoiceNumberInvalid(DomainError):
    """Digits and capitals as printed on the invoice."""

    code = "invoice_number_invalid"
    message = _("请填写发票号码：8–40 位数字或大写字母")
    status = 422


class InvoiceNumberUsed(DomainError):
    """Another invoice has this number."""

    code = "invoice_number_used"
    message = _("该发票号码已被使用")
