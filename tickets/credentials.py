"""Pure detector of secrets in what people are about to send: access keys, private keys, tokens, passwords.

It says which kind it saw, never the value: nothing that was found leaves this module, neither to a page nor to a log.
"""

from __future__ import annotations

import re

from django.db import models
from django.utils.translation import gettext_lazy as _


class SecretKind(models.TextChoices):
    """What a text looks like."""

    PRIVATE_KEY = "private_key", _("私钥")
    ACCESS_KEY = "access_key", _("访问密钥（AK/SK）")
    TOKEN = "token", _("访问令牌")
    PASSWORD = "password", _("密码")


_SAYS = r"\s*(?:[:=：]|是|为)\s*[\"'“]?"
_PATTERNS: tuple[tuple[SecretKind, str], ...] = (
    (SecretKind.PRIVATE_KEY, r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"),
    (SecretKind.PRIVATE_KEY, r"PuTTY-User-Key-File-\d"),
    # Keys of cloud providers that are known by their first letters.
    (SecretKind.ACCESS_KEY, r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[0-9A-Z]{16}(?![A-Za-z0-9])"),
    (SecretKind.ACCESS_KEY, r"(?<![A-Za-z0-9])LTAI[0-9A-Za-z]{12,26}(?![A-Za-z0-9])"),
    (SecretKind.ACCESS_KEY, r"(?<![A-Za-z0-9])AKID[0-9A-Za-z]{13,40}(?![A-Za-z0-9])"),
    # All others by what stands before them.
    (
        SecretKind.ACCESS_KEY,
        r"(?i)(?<![a-z])(?:access[_ -]?key(?:[_ -]?(?:id|secret))?"
        r"|secret[_ -]?(?:access[_ -]?)?key|ak|sk|访问密钥|密钥)"
        + _SAYS
        + r"[A-Za-z0-9+/_=-]{16,}",
    ),
    (SecretKind.TOKEN, r"(?<![A-Za-z0-9])gh[pousr]_[A-Za-z0-9]{30,}"),
    (SecretKind.TOKEN, r"(?<![A-Za-z0-9])glpat-[\w-]{20,}"),
    (SecretKind.TOKEN, r"(?<![A-Za-z0-9])xox[abprs]-[A-Za-z0-9-]{10,}"),
    (SecretKind.TOKEN, r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
    (SecretKind.TOKEN, r"(?i)\bbearer\s+[A-Za-z0-9._~+/-]{20,}"),
    (SecretKind.PASSWORD, r"(?i)\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@]{1,64}:[^\s:/@*<{$]{3,64}@"),
)
_COMPILED = tuple((kind, re.compile(pattern)) for kind, pattern in _PATTERNS)
_PASSWORD = re.compile(
    r"(?i)(?:(?<![a-z])(?:password|passwd|pwd)|密码|口令)" + _SAYS + r"([!-~]{6,64})"
)
# What people write in the place of a password.
_PLACEHOLDER = re.compile(
    r"(?i)[\"'”]?(?:[*x.#-]+|<[^>]*>?|\$?\{.*|\[.*|null|none|undefined|\(.*)[\"'”]?"
)


def secrets_in(*texts: str) -> list[SecretKind]:
    """Return the kinds of secrets that the texts seem to hold, each once, in the order of ``SecretKind``."""
    text = "\n".join(texts)
    found = {kind for kind, pattern in _COMPILED if pattern.search(text)}
    if any(not _PLACEHOLDER.fullmatch(match[1]) for match in _PASSWORD.finditer(text)):
        found.add(SecretKind.PASSWORD)
    return [kind for kind in SecretKind if kind in found]
