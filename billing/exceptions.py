"""What the rules of billing refuse."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.exceptions import DomainError


class TermNotOffered(DomainError):
    """Terms are whole years, by default up to three (domain.md §2)."""

    code = "term_not_offered"
    status = 422

    def __init__(self, longest: int) -> None:
        super().__init__(
            gettext("购买时长可选 1–%(longest)s 年") % {"longest": longest}, field="years"
        )


class PlanNotForSale(DomainError):
    """Standard service is free and needs no order; other codes do not exist."""

    code = "plan_not_for_sale"
    message = _("请选择轻量级、商业级或企业级")
    status = 422


class NothingRuns(DomainError):
    """Only a paid plan can be changed, renewed or left."""

    code = "no_active_subscription"
    message = _("您当前没有生效中的付费支持计划")


class PlanNotHigher(DomainError):
    """An upgrade goes to a higher level."""

    code = "plan_not_higher"
    message = _("升配只能选择高于当前级别的支持计划")
    status = 422


class PlanNotLower(DomainError):
    """A downgrade goes to a lower paid level; leaving to standard service is an unsubscription (domain.md §2)."""

    code = "plan_not_lower"
    message = _("降配只能选择低于当前级别的付费支持计划；如需恢复标准服务，请使用退订")
    status = 422


class RenewFirst(DomainError):
    """Less than one full day is left in all (domain.md §3)."""

    code = "renew_first"
    message = _("剩余服务时间不足 1 天，请先续订后再升配")


class TooManyChanges(DomainError):
    """Frequent changes may be refused (guide 2.3). ``possible`` is the local instant of the next one."""

    code = "too_many_changes"

    def __init__(self, most: int, days: int, possible: datetime | None) -> None:
        self.possible = possible
        figures: dict[str, object] = {"most": most, "days": days}
        if possible is None:
            super().__init__(_("当前暂不支持升降配") % figures)
            return
        figures["possible"] = f"{possible:%Y-%m-%d %H:%M:%S}"
        super().__init__(
            _("%(days)d 天内最多升降配 %(most)d 次，下次可变更时间为 %(possible)s") % figures
        )


class ReasonMissing(DomainError):
    """Leaving needs one of the guide's reasons."""

    code = "reason_missing"
    message = _("请选择退订原因")
    status = 422


class RefundNotConfirmed(DomainError):
    """Leaving needs the tick under the amount that is given back."""

    code = "refund_not_confirmed"
    message = _("请确认本次退订金额和相关费用")
    status = 422


class AgreementNotAccepted(DomainError):
    """The service agreement in force must be accepted, with its version (domain.md §4)."""

    code = "agreement_not_accepted"
    message = _("请阅读并接受服务协议，并确认费用项")
    status = 422


class AgreementChanged(DomainError):
    """The accepted version is not the one in force any more."""

    code = "agreement_changed"
    message = _("服务协议已更新，请重新阅读并接受")


class PriceChanged(DomainError):
    """The amount that the customer confirmed is not today's."""

    code = "price_changed"
    message = _("价格已更新，请确认新的费用后重新提交")


class OpenOrderExists(DomainError):
    """One open order per account (domain.md §4). ``number`` is the open one's."""

    code = "open_order_exists"
    message = _("您有一笔进行中的订单，请先支付或取消该订单")

    def __init__(self, number: str) -> None:
        self.number = number
        super().__init__()


class IdempotencyKeyReused(DomainError):
    """The same key came with another request."""

    code = "idempotency_key_reused"
    message = _("相同的幂等键已用于另一个订单请求")
    status = 422


class OrderNotPayable(DomainError):
    """The order is paid, cancelled, expired or being closed."""

    code = "order_not_payable"
    message = _("该订单当前不可支付")


class OrderNotCancellable(DomainError):
    """Only an unpaid order can be cancelled; a payment that arrives first wins."""

    code = "order_not_cancellable"
    message = _("该订单当前不可取消")


class BalanceTooLow(DomainError):
    """The account balance never goes negative."""

    code = "balance_too_low"
    message = _("账户余额不足")


class AmountInvalid(DomainError):
    """Money that moves is more than 0.00 and has two places."""

    code = "amount_invalid"
    message = _("金额须大于 0.00 元，最多两位小数")
    status = 422


class TopUpRepeated(DomainError):
    """The same bank reference was booked before."""

    code = "top_up_repeated"
    message = _("该流水号已登记过，请勿重复入账")


class TopUpOutOfRange(DomainError):
    """One top-up lies between the figures in force; the message names them."""

    code = "top_up_out_of_range"
    status = 422

    def __init__(self, least: Decimal, most: Decimal) -> None:
        figures = {"least": f"{least:,.2f}", "most": f"{most:,.2f}"}
        super().__init__(
            gettext("单笔充值金额须为 %(least)s 至 %(most)s 元") % figures, field="amount"
        )


class TopUpByCashierOnly(DomainError):
    """Vouchers, coupons and the balance itself top up nothing: they would become money."""

    code = "top_up_by_cashier_only"
    message = _("充值订单只能在收银台支付")
    status = 422


CODE_TAKEN = _("该优惠券编号已存在")


class CouponInvalid(DomainError):
    """The terms of a coupon make no sense; ``field`` names the one that is wrong."""

    code = "coupon_invalid"
    message = _("请检查该项：面额须大于 0，折扣须有最高优惠且不超过 100%，失效时间须晚于生效时间")
    status = 422


class CouponOver(DomainError):
    """A coupon whose validity is over is not granted any more."""

    code = "coupon_over"
    message = _("该优惠券已过期，不能再发放")


class CouponBudgetSpent(DomainError):
    """What granted coupons can take never exceeds the coupon's budget."""

    code = "coupon_budget_spent"
    message = _("该优惠券的预算不足，不能再发放")


class CouponNotApplicable(DomainError):
    """The coupon does not lower this order; the message says why."""

    code = "coupon_not_applicable"
    message = _("该优惠券不可用于本订单")
    status = 422


class CouponNotWithdrawable(DomainError):
    """A coupon that is held, used or over is not taken back."""

    code = "coupon_not_withdrawable"
    message = _("该优惠券已被使用、占用或已失效，不能收回")


class VoucherNotUsable(DomainError):
    """The voucher is not the account's, is not valid now, or has nothing left."""

    code = "voucher_not_usable"
    message = _("所选代金券不可用，请重新选择")
    status = 422


class VoucherNotWithdrawable(DomainError):
    """There is nothing to take back."""

    code = "voucher_not_withdrawable"
    message = _("该代金券已收回或已用完")


class ValidityInvalid(DomainError):
    """A validity ends after its start, and in the future."""

    code = "validity_invalid"
    message = _("失效时间须晚于生效时间和当前时间")
    status = 422


class ProviderUnavailable(DomainError):
    """The payment method is not configured here."""

    code = "provider_unavailable"
    message = _("该支付方式暂不可用，请选择其他方式")


class AboveMethodLimit(DomainError):
    """The sum is above what one payment by this method may be (domain.md §4); ``limit`` in CNY."""

    code = "above_method_limit"
    message = _("该支付方式单笔不超过 %(limit)s 元，大额订单建议使用对公转账")

    def __init__(self, limit: Decimal) -> None:
        self.limit = limit
        super().__init__(self.message % {"limit": f"{limit:,.2f}"})


class PaymentUnknown(DomainError):
    """A provider speaks of a payment that we did not open."""

    code = "payment_unknown"
    status = 404


class PaymentMismatch(DomainError):
    """Amount, currency or merchant of a report are not those of our payment."""

    code = "payment_mismatch"


class QuestionInvalid(DomainError):
    """A question about a price cannot be read; the message names the place."""

    code = "question_invalid"
    status = 422


class NotDeliverable(DomainError):
    """A paid order cannot do what it was placed for; the code says why. It is refunded by itself (domain.md §4)."""

    code = "not_deliverable"

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


class RefundAbovePaid(DomainError):
    """A refund never exceeds the cash that was paid and not yet refunded (domain.md §3)."""

    code = "refund_above_paid"
    message = _("退款金额超过可退金额")


class RefundNotApprovable(DomainError):
    """The refund does not wait for approval (any more)."""

    code = "refund_not_approvable"
    message = _("该退款当前无需审批")


class RefundOwnApproval(DomainError):
    """Who caused a refund does not approve it."""

    code = "refund_own_approval"
    message = _("不能审批由本人发起的退款，请由其他财务人员审批")
    status = 403


class RefundUnderway(DomainError):
    """The provider has been asked: until it has answered, the money may be on its way already."""

    code = "refund_underway"
    message = _("退款已提交支付渠道或已完成，当前不可更改去向")


class RefundNotByTransfer(DomainError):
    """Only a refund by bank transfer that waits for finance is done by hand."""

    code = "refund_not_by_transfer"
    message = _("该退款当前不需要财务转账")


class ReferenceMissing(DomainError):
    """Money that people move by hand carries the bank's reference."""

    code = "reference_missing"
    message = _("请填写银行流水号")
    status = 422


class NoteMissing(DomainError):
    """What people decide about money is explained."""

    code = "note_missing"
    message = _("请填写处理说明")
    status = 422


class TransferNotAwaited(DomainError):
    """The payment is no bank transfer, or its money was confirmed before."""

    code = "transfer_not_awaited"
    message = _("该支付单不是待确认的对公转账")


class TransferFromFuture(DomainError):
    """The bank cannot have received money later than now."""

    code = "transfer_from_future"
    message = _("到账时间不能晚于当前时间")
    status = 422


class DifferenceSettled(DomainError):
    """Somebody has settled the difference before."""

    code = "difference_settled"
    message = _("该差异已处理")
