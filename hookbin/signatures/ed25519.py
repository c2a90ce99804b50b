"""Ed25519 signatures (RFC 8032), by the library `cryptography` where it is installed."""

from __future__ import annotations

from collections.abc import Callable

try:
    from cryptography.hazmat.primitives.asymmetric import ed25519
except ImportError:  # the extra `v1a` was not asked for
    ed25519 = None  # type: ignore[assignment]

AVAILABLE = ed25519 is not None
SEED_BYTES = 32
PAIR_BYTES = 64
"""The seed with the public key behind it, as libsodium keeps a secret key."""


def signer(key: bytes) -> Callable[[bytes], bytes]:
    """A function that signs. `key` is a seed or a pair; only when `AVAILABLE`."""
    return ed25519.Ed25519PrivateKey.from_private_bytes(key[:SEED_BYTES]).sign


def public_key(key: bytes) -> bytes:
    """The public key of a seed or a pair; only when `AVAILABLE`."""
    return ed25519.Ed25519PrivateKey.from_private_bytes(key[:SEED_BYTES]).public_key().public_bytes_raw()
