"""What the campaign checks signatures with gives what the simulated exchange itself does."""

from __future__ import annotations

import venue_libraries  # noqa: F401 - first

# isort: split

from random import Random

import pytest
from ccxt.static_dependencies import keccak as ccxt_keccak
from coincurve import PrivateKey
from quick_signatures import quick_signatures, signer

from logos.simulators.exchange.dialects import hyperliquid_signing as signing


@pytest.mark.parametrize("seed", range(6))
def test_both_find_the_same_address_behind_a_signature_and_none_behind_a_wrong_one(
    seed: int,
) -> None:
    random = Random(seed)
    secret, digest = random.randbytes(32), random.randbytes(32)
    told = PrivateKey(secret).sign_recoverable(digest, hasher=None)
    r, s, v = int.from_bytes(told[:32], "big"), int.from_bytes(told[32:64], "big"), told[64] + 27
    assert signer(digest, r, s, v) == signing._signer(digest, r, s, v)
    assert signer(digest, r, s, v) == signing.address_of(secret.hex())
    for changed in ((r + 1, s, v), (r, s + 1, v), (r, s, 55 - v), (r, s, 29), (0, s, v)):
        assert signer(digest, *changed) == signing._signer(digest, *changed)


def test_hashes_are_the_same_and_everything_is_put_back() -> None:
    before = (ccxt_keccak.SHA3, signing.keccak, signing._signer)
    data = [Random(number).randbytes(number) for number in (0, 1, 135, 136, 137, 300)]
    plain = [signing.keccak(each) for each in data]
    with quick_signatures():
        assert [signing.keccak(each) for each in data] == plain
        assert [bytes(ccxt_keccak.SHA3(each)) for each in data] == plain
    assert (ccxt_keccak.SHA3, signing.keccak, signing._signer) == before
