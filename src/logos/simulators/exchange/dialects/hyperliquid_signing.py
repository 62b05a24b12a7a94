"""Who signed an action at Hyperliquid: the address behind a signature, from first principles.

As the exchange's own library signs (https://github.com/hyperliquid-dex/hyperliquid-python-sdk,
hyperliquid/utils/signing.py, "sign_l1_action"): the action in MessagePack, the nonce in eight
bytes and a mark for a vault are hashed (Keccak-256); the hash is the connection of a "phantom
agent", whose EIP-712 digest under the domain Exchange, version 1, chain 1337, is signed on
secp256k1. A client is thus held to the right bytes without its own code being asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

_MASK: Final = (1 << 64) - 1
_ROUNDS: Final = 24
_RATE: Final = 136
"""Bytes of Keccak-256 that take up input."""

_P: Final = 2**256 - 2**32 - 977
_N: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_G: Final = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)
"""secp256k1 (SEC 2): field, order and base point."""

Jacobian = tuple[int, int, int]
_INFINITY: Final = (1, 1, 0)


# ---- Keccak ----


def _turned(lane: int, by: int) -> int:
    return ((lane << by) | (lane >> (64 - by))) & _MASK if by else lane


def _constants() -> list[int]:
    """The round constants, from their shift register."""
    found, register = [], 1
    for _ in range(_ROUNDS):
        constant = 0
        for power in range(7):
            if register & 1:
                constant |= 1 << ((1 << power) - 1)
            register = (register << 1) ^ (0x171 if register & 0x80 else 0)
        found.append(constant)
    return found


_CONSTANTS: Final = _constants()


def _permuted(lanes: list[int]) -> list[int]:
    """Keccak-f[1600]; the lane of column x and row y is at x + 5 y."""
    for constant in _CONSTANTS:
        parity = [
            lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20]
            for x in range(5)
        ]
        mixed = [parity[x - 1] ^ _turned(parity[(x + 1) % 5], 1) for x in range(5)]
        lanes = [lane ^ mixed[index % 5] for index, lane in enumerate(lanes)]
        x, y, moved = 1, 0, lanes[1]
        moved_to = lanes[:]
        for step in range(_ROUNDS):
            x, y = y, (2 * x + 3 * y) % 5
            here = lanes[x + 5 * y]
            moved_to[x + 5 * y] = _turned(moved, (step + 1) * (step + 2) // 2 % 64)
            moved = here
        rows = [moved_to[5 * y : 5 * y + 5] for y in range(5)]
        lanes = [
            row[x] ^ (~row[(x + 1) % 5] & _MASK & row[(x + 2) % 5])
            for row in rows
            for x in range(5)
        ]
        lanes[0] ^= constant
    return lanes


def keccak(data: bytes) -> bytes:
    """Keccak-256 as Ethereum uses it (not SHA-3: another padding)."""
    padded = bytearray(data) + b"\x01" + bytes(-(len(data) + 1) % _RATE)
    padded[-1] |= 0x80
    lanes = [0] * 25
    for start in range(0, len(padded), _RATE):
        block = padded[start : start + _RATE]
        for index in range(_RATE // 8):
            lanes[index] ^= int.from_bytes(block[8 * index : 8 * index + 8], "little")
        lanes = _permuted(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


# ---- secp256k1 ----


def _twice(point: Jacobian) -> Jacobian:
    x, y, z = point
    square = y * y % _P
    middle = 4 * x * square % _P
    slope = 3 * x * x % _P
    far = (slope * slope - 2 * middle) % _P
    return far, (slope * (middle - far) - 8 * square * square) % _P, 2 * y * z % _P


def _sum(one: Jacobian, other: Jacobian) -> Jacobian:
    """Of two points as (X / Z^2, Y / Z^3), which need no division; Z = 0 is the point at infinity
    (https://www.hyperelliptic.org/EFD/g1p/auto-shortw-jacobian-0.html)."""
    if not one[2] or not other[2]:
        return one if one[2] else other
    (x1, y1, z1), (x2, y2, z2) = one, other
    square1, square2 = z1 * z1 % _P, z2 * z2 % _P
    at1, at2 = x1 * square2 % _P, x2 * square1 % _P
    up1, up2 = y1 * square2 * z2 % _P, y2 * square1 * z1 % _P
    if at1 == at2:
        return _twice(one) if up1 == up2 else _INFINITY
    across, slope = at2 - at1, up2 - up1
    across2 = across * across % _P
    across3, near = across * across2 % _P, at1 * across2 % _P
    x = (slope * slope - across3 - 2 * near) % _P
    return x, (slope * (near - x) - up1 * across3) % _P, across * z1 * z2 % _P


def _mixed(one: int, first: tuple[int, int], other: int, second: tuple[int, int]) -> Jacobian:
    """`one` times the first point and `other` times the second, in one go."""
    left, right = (*first, 1), (*second, 1)
    steps = {"00": _INFINITY, "10": left, "01": right, "11": _sum(left, right)}
    found = _INFINITY
    for bits in zip(f"{one:0256b}", f"{other:0256b}", strict=True):
        found = _sum(_twice(found), steps["".join(bits)])
    return found


def _address(point: Jacobian) -> str:
    if not point[2]:
        return ""
    back = pow(point[2], -1, _P)
    x, y = point[0] * back**2 % _P, point[1] * back**3 % _P
    return "0x" + keccak(x.to_bytes(32, "big") + y.to_bytes(32, "big"))[-20:].hex()


def address_of(private_key: str) -> str:
    """The address that a private key signs for."""
    return _address(_mixed(int(private_key, 16), _G, 0, _G))


def _signer(digest: bytes, r: int, s: int, v: int) -> str:
    """The address behind a signature (SEC 1, 4.1.6); empty where it is none."""
    if not (0 < r < _N and 0 < s < _N and v in (27, 28)):
        return ""
    square = (pow(r, 3, _P) + 7) % _P
    y = pow(square, (_P + 1) // 4, _P)
    if y * y % _P != square:
        return ""
    if y % 2 != v - 27:
        y = _P - y
    back = pow(r, -1, _N)
    number = int.from_bytes(digest, "big")
    return _address(_mixed(s * back % _N, (r, y), -number * back % _N, _G))


# ---- actions ----

_DOMAIN: Final = keccak(
    keccak(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
    + keccak(b"Exchange")
    + keccak(b"1")
    + (1337).to_bytes(32, "big")
    + bytes(32)
)
_AGENT: Final = keccak(b"Agent(string source,bytes32 connectionId)")


def signer_of(
    action: Mapping[str, Any], nonce: int, signature: Mapping[str, Any], *, is_mainnet: bool
) -> str:
    """The address that signed an action without a vault; empty where the signature is none."""
    connection = keccak(msgspec.msgpack.encode(action) + nonce.to_bytes(8, "big") + b"\x00")
    source = keccak(b"a" if is_mainnet else b"b")
    digest = keccak(b"\x19\x01" + _DOMAIN + keccak(_AGENT + source + connection))
    try:
        r, s, v = int(signature["r"], 16), int(signature["s"], 16), int(signature["v"])
    except (LookupError, TypeError, ValueError):
        return ""
    return _signer(digest, r, s, v)
