"""Addresses that are shown and that requests go to are whole: some of ccxt have placeholders."""

from __future__ import annotations

import pytest

from logos.adapters.ccxt.check import environment_lines
from logos.adapters.ccxt.connection import make_exchange, urls_of
from logos.adapters.ccxt.profiles import PROFILES
from logos.adapters.ccxt.sandbox import has_sandbox
from logos.testing.clock import ManualClock

PLACES = [
    (name, sandbox)
    for name, profile in sorted(PROFILES.items())
    for sandbox in ((False, True) if has_sandbox(profile) else (False,))
]


@pytest.mark.parametrize(("name", "sandbox"), PLACES)
def test_no_address_has_a_placeholder_left(name: str, sandbox: bool) -> None:
    exchange = make_exchange(
        PROFILES[name], ManualClock(), sandbox=sandbox, url="", timeout_s=1.0, limit_rate=False
    )
    urls = urls_of(exchange.urls["api"])
    assert urls
    assert [url for url in urls if "{" in url] == []
    [line, *_] = environment_lines(exchange, sandbox)
    assert "{" not in line.detail
