"""A refusal or finding whose words no test quotes may say anything; here each one is quoted."""

from __future__ import annotations

import re

import pytest
from places import PROJECT
from words import Message, is_quoted, messages_of, quoted

from logos.core.types import Code

ROOMS = (
    "config/*.py",
    "audit/*.py",
    "audit/files/*.py",
    "stress/judge.py",
    "stress/gateway_rules.py",
    "stress/money.py",
    "stress/exposure.py",
    "rehearsal/expectations.py",
    "adapters/fetch.py",
    "adapters/ccxt/check.py",
    "adapters/ccxt/records.py",
    "adapters/ccxt/pages.py",
    "adapters/alpaca/check.py",
    "adapters/alpaca/records.py",
    "adapters/ccxt/client.py",
    "adapters/ccxt/feed.py",
    "adapters/mt5/check.py",
    "adapters/mt5/feed.py",
    "adapters/mt5/gateway/*.py",
    "adapters/mt5/gateway/matching/*.py",
    "adapters/mt5/terminal.py",
    "session/*.py",
    "session/artifacts/[!r]*.py",
    "session/artifacts/snapshots/*.py",
    "session/opening/old.py",
    "session/presence/*.py",
    "venues/*.py",
)
"""Whose messages are quoted, each and every one; add a room when its last one is."""


@pytest.mark.long
@pytest.mark.parametrize("room", ROOMS)
def test_every_message_of_a_room_is_quoted_by_a_test(room: str) -> None:
    messages = list(messages_of(sorted((PROJECT / "src" / "logos").glob(room))))
    assert messages, "a room without messages: has it moved?"
    unquoted = [
        f"{message.file}:{message.line} {message.function}: {message.parts[0]!r}"
        for message in messages
        if not is_quoted(message)
    ]
    assert unquoted == [], "no test holds these words"


def test_every_code_of_a_refusal_is_named_by_a_test() -> None:
    files = [path.read_text(encoding="utf-8") for path in (PROJECT / "tests").rglob("test_*.py")]
    named = {word for text in files for word in re.findall(r"[A-Z][A-Z_]+", text)}
    assert {code.value for code in Code} - named == set()


@pytest.mark.long
def test_words_that_no_test_holds_are_found_out() -> None:
    made_up = " ".join(["zyx", "wvu", "tsr", "qpo"] * 2).upper()[::-1]
    assert not is_quoted(Message("file", 1, "function", (made_up,)))
    assert is_quoted(Message("file", 1, "function", ("x", "no test holds these words")))
    assert "no test holds these words" in quoted()
