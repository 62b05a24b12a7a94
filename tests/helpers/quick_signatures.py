"""Hyperliquid's signatures without arithmetic in Python, for thousands of stories.

Hashes of what was hashed before are remembered, and signatures are checked by libsecp256k1. What
comes out is the same: `test_quick_signatures.py` compares it with what the simulated exchange works
out by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from ccxt.static_dependencies import keccak as ccxt_keccak
from coincurve import PublicKey

from logos.simulators.exchange.dialects import hyperliquid_signing as signing

_N = signing._N


@lru_cache(4096)
def _hashed(data: bytes) -> bytes:
    return bytes(_ccxt_hash(data))


_ccxt_hash = ccxt_keccak.SHA3
_own_hash = signing.keccak
_own_signer = signing._signer


def signer(digest: bytes, r: int, s: int, v: int) -> str:
    """As `hyperliquid_signing._signer`."""
    if not (0 < r < _N and 0 < s < _N and v in (27, 28)):
        return ""
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([v - 27])
    try:
        key = PublicKey.from_signature_and_message(signature, digest, hasher=None)
    except Exception:
        return ""
    return "0x" + _hashed(key.format(compressed=False)[1:])[-20:].hex()


@contextmanager
def quick_signatures() -> Iterator[None]:
    """Within it both sides hash and check so."""
    ccxt_keccak.SHA3 = lambda data: _hashed(bytes(data))
    signing.keccak, signing._signer = _hashed, signer
    try:
        yield
    finally:
        ccxt_keccak.SHA3 = _ccxt_hash
        signing.keccak, signing._signer = _own_hash, _own_signer
