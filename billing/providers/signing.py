"""RSA-SHA256 signatures over sorted parameters, as the wallets use them. Needs no Django: the gateway uses it too."""

from __future__ import annotations

import base64
import binascii
import fcntl
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

KEY_BITS = 2048
PARTIES = ("portal", "gateway")


class SignatureInvalid(Exception):
    """The signature does not belong to these parameters and this key."""


@dataclass(frozen=True)
class Keys:
    """One side's own private key and the other side's public key."""

    private: rsa.RSAPrivateKey
    public: rsa.RSAPublicKey


def canonical(parameters: Mapping[str, str]) -> bytes:
    """Return what is signed: ``key=value`` pairs without the signature and without empty values, sorted by key."""
    pairs = sorted(
        (key, value) for key, value in parameters.items() if key != "sign" and value != ""
    )
    return "&".join(f"{key}={value}" for key, value in pairs).encode()


def sign(parameters: Mapping[str, str], key: rsa.RSAPrivateKey) -> dict[str, str]:
    """Return the parameters with their signature under ``sign``."""
    signature = key.sign(canonical(parameters), padding.PKCS1v15(), hashes.SHA256())
    return {**parameters, "sign": base64.b64encode(signature).decode()}


def verify(parameters: Mapping[str, str], key: rsa.RSAPublicKey) -> None:
    """Return if ``sign`` is the other side's signature over all other parameters. Raises SignatureInvalid."""
    try:
        signature = base64.b64decode(parameters.get("sign", ""), validate=True)
        key.verify(signature, canonical(parameters), padding.PKCS1v15(), hashes.SHA256())
    except (binascii.Error, ValueError, InvalidSignature):
        raise SignatureInvalid from None


def keys_of(party: str, directory: Path) -> Keys:
    """Return the keys that ``party`` (``portal`` or ``gateway``) works with; both pairs are made at first use.

    They are for the local test gateway only: real providers' keys come from their back offices.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "keys.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name in PARTIES:
            if not (directory / f"{name}_public.pem").exists():
                _make_pair(name, directory)
    other = next(name for name in PARTIES if name != party)
    private = serialization.load_pem_private_key(
        (directory / f"{party}_private.pem").read_bytes(), password=None
    )
    public = serialization.load_pem_public_key((directory / f"{other}_public.pem").read_bytes())
    if not isinstance(private, rsa.RSAPrivateKey) or not isinstance(public, rsa.RSAPublicKey):
        raise TypeError(f"not RSA keys: {directory}")
    return Keys(private, public)


def _make_pair(name: str, directory: Path) -> None:
    """Write the private key, readable by its user only, then the public one: its presence says that both are whole."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    with os.fdopen(
        os.open(directory / f"{name}_private.pem", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
        "wb",
    ) as file:
        file.write(private)
    (directory / f"{name}_public.pem").write_bytes(public)
