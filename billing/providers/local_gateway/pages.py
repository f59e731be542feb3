"""The gateway's few pages, in Chinese, with its own look: a customer must see that they have left the portal."""

from __future__ import annotations

import html
from collections.abc import Mapping
from decimal import Decimal
from string import Template

HEADERS = [
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'self'; img-src data:; frame-ancestors 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
]
STYLE = """
:root { color-scheme: light; --ink: #1d2733; --soft: #5d6b7a; --line: #dfe5ec; --go: #0b7350; --stop: #b8232b; }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 16px; background: #eef3f1;
  color: var(--ink);
  font: 16px/1.6 "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; }
main { width: min(460px, 100%); background: #fff; border: 1px solid var(--line); border-radius: 12px;
  overflow: hidden; }
header { padding: 14px 24px; background: #0b7350; color: #fff; font-weight: 600; }
header small { display: block; font-weight: 400; }
section { padding: 24px; }
h1 { margin: 0 0 4px; font-size: 20px; }
.amount { font-size: 36px; font-weight: 600; font-variant-numeric: tabular-nums; margin: 4px 0 16px; }
dl { display: grid; grid-template-columns: auto 1fr; gap: 8px 16px; margin: 0 0 24px; padding-top: 16px;
  border-top: 1px dashed var(--line); }
dt { color: var(--soft); } dd { margin: 0; text-align: right; overflow-wrap: anywhere; }
.actions { display: grid; gap: 12px; }
button, a.button { display: block; width: 100%; min-height: 46px; padding: 9px; border-radius: 8px;
  border: 1px solid var(--go); background: var(--go);
  color: #fff; font: inherit; text-align: center; text-decoration: none; cursor: pointer; }
button.other { background: #fff; color: var(--stop); border-color: #8592a6; }
a.plain { color: var(--soft); text-align: center; }
:focus-visible { outline: 3px solid #1a56db; outline-offset: 2px; }
"""
_FRAME = Template("""<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title · 测试支付</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/style.css"></head>
<body><main><header>测试支付<small>演示环境的模拟支付渠道，不产生真实扣款</small></header><section>$content</section></main></body></html>
""")
_CASHIER = Template("""<h1>$subject</h1><p class="amount">¥$amount</p>
<dl><dt>收款商户</dt><dd>$merchant</dd><dt>商户订单号</dt><dd>$number</dd><dt>支付截止</dt><dd>$expires</dd></dl>
<div class="actions">
<form method="post" action="/trades/$token/pay"><button>确认支付</button></form>
<form method="post" action="/trades/$token/fail"><button class="other">模拟支付失败</button></form>
<a class="plain" href="$return_url">暂不支付，返回商户</a></div>""")
_NOTICE = Template("<h1>$title</h1><p>$text</p>$link")
_LINK = Template('<p><a class="button" href="$href">返回商户</a></p>')


def cashier(trade: Mapping[str, object], expires: str) -> str:
    """Return the page on which the customer pays or fails."""
    shown = {key: html.escape(str(value)) for key, value in trade.items()}
    amount = f"{Decimal(shown['amount']):,.2f}"
    content = _CASHIER.substitute({**shown, "amount": amount, "expires": html.escape(expires)})
    return _FRAME.substitute(title="确认支付", content=content)


def notice(title: str, text: str, href: str = "") -> str:
    """Return a page that says one thing."""
    link = _LINK.substitute(href=html.escape(href)) if href else ""
    content = _NOTICE.substitute(title=html.escape(title), text=html.escape(text), link=link)
    return _FRAME.substitute(title=html.escape(title), content=content)
