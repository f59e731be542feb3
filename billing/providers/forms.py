"""The signed-form interface: requests as signed forms, replies as signed JSON objects of texts, notifications as forms.

BestPay and the local test gateway speak it. Both sides sign with RSA-SHA256 over the sorted parameters (``signing``).
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from billing.providers.base import NotificationInvalid, ProviderError
from billing.providers.signing import Keys, SignatureInvalid, sign, verify

TIMEOUT_SECONDS = 5
REPLY_MAX_BYTES = 8 * 1024 * 1024  # a busy day's records
FIELDS_MAX = 60


def opener_past_proxies() -> urllib.request.OpenerDirector:
    """Return an opener that asks the address itself, whatever the environment says of proxies."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass
class SignedForms:
    """One side's conversation with the other: signs with its own key, trusts what the other key has signed."""

    keys: Keys
    timeout: int = TIMEOUT_SECONDS
    opener: urllib.request.OpenerDirector = field(
        default_factory=urllib.request.build_opener, repr=False
    )

    def address(self, url: str, parameters: Mapping[str, str]) -> str:
        """Return ``url`` with the signed parameters: a page to send a browser to."""
        return f"{url}?{urlencode(sign(parameters, self.keys.private))}"

    def ask(self, url: str, parameters: Mapping[str, str]) -> dict[str, str]:
        """Post the signed parameters and return the reply, once its signature is proved. Raises ProviderError."""
        body = urlencode(sign(parameters, self.keys.private)).encode()
        request = urllib.request.Request(url, data=body)  # noqa: S310  (from the settings)
        try:
            with self.opener.open(request, timeout=self.timeout) as answer:
                reply = json.loads(answer.read(REPLY_MAX_BYTES))
        except (OSError, HTTPException, ValueError, RecursionError) as error:
            raise ProviderError(f"{type(error).__name__}: {error}") from error
        if not isinstance(reply, dict) or not all(
            isinstance(value, str) for value in reply.values()
        ):
            raise ProviderError("the reply is not an object of texts")
        try:
            verify(reply, self.keys.public)
        except SignatureInvalid:
            raise ProviderError("the reply's signature is wrong") from None
        return reply

    def read(self, body: bytes) -> dict[str, str]:
        """Return a notification's fields, once their signature is proved. Raises NotificationInvalid."""
        parameters = fields_of(body)
        try:
            verify(parameters, self.keys.public)
        except SignatureInvalid:
            raise NotificationInvalid("the signature is wrong") from None
        return parameters


def fields_of(body: bytes) -> dict[str, str]:
    """Return the fields of a form in UTF-8, each of which comes once. Raises NotificationInvalid."""
    try:
        pairs = parse_qsl(
            body.decode(),
            keep_blank_values=True,
            strict_parsing=True,
            max_num_fields=FIELDS_MAX,
            errors="strict",
        )
    except ValueError:
        raise NotificationInvalid("not a form in UTF-8") from None
    parameters = dict(pairs)
    if len(parameters) != len(pairs):
        raise NotificationInvalid("a field comes twice")
    return parameters


def keys_in(private: Path, public: Path) -> Keys:
    """Read our private and their public key, PEM files of RSA keys. Raises OSError, ValueError."""
    ours = serialization.load_pem_private_key(private.read_bytes(), password=None)
    theirs = serialization.load_pem_public_key(public.read_bytes())
    if not isinstance(ours, rsa.RSAPrivateKey) or not isinstance(theirs, rsa.RSAPublicKey):
        raise ValueError(f"not RSA keys: {private}, {public}")
    return Keys(ours, theirs)
