"""No piece of a credential passes into text."""

from __future__ import annotations

import base64
import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logos.venues.redact import REDACTED, Redactor

WORD = re.compile(r"[A-Za-z _-]?[a-z _-]+|[A-Z _-]+|[0-9]+")
SECRET_TEXTS = st.text(
    st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=80
).filter(lambda text: REDACTED not in text and not (WORD.fullmatch(text) and len(text) < 12))


@pytest.mark.long
@given(SECRET_TEXTS, st.text(max_size=30), st.text(max_size=30))
def test_no_piece_of_a_secret_survives_in_any_form(secret: str, before: str, after: str) -> None:
    redactor = Redactor([secret])
    raw = secret.encode()
    for form in (
        secret,
        secret[1:-1],
        raw.hex(),
        raw.hex().upper(),
        quote(secret, safe=""),
        base64.b64encode(raw).decode(),
        base64.b64encode(b"user:" + raw).decode(),
        base64.b64encode(b"u:" + raw).decode(),
        base64.urlsafe_b64encode(b"a" + raw).decode(),
    ):
        hidden = redactor.hide(before + form + after)
        pieces = {secret[at : at + 6] for at in range(len(secret) - 5)}
        # A piece that could be any word of a harmless text is hidden where it is longer.
        pieces = {piece for piece in pieces if not WORD.fullmatch(piece)}
        pieces |= {secret[at : at + 12] for at in range(len(secret) - 11)}
        assert not any(piece in hidden.replace(REDACTED, "\n") for piece in pieces)
        assert form not in hidden or form == secret[1:-1]


def test_words_are_one_line_without_queries_and_not_endless() -> None:
    redactor = Redactor(["hunter2hunter2"])
    text = redactor.clean("GET https://x.test/a?signature=abc\nnext \x1b[31m" + "y" * 900)
    assert text.startswith("GET https://x.test/a next  [31m")
    assert len(text) == 300
    assert (
        redactor.clean("z" * 295 + "hunter2hunter2").count("h")
        == redactor.clean("z" * 295).count("h") + 1
    )
    assert repr(redactor) == "Redactor()"


def test_a_credential_is_one_mark_whatever_its_length() -> None:
    redactor = Redactor(["hunter2hunter2", "x" * 40])
    assert redactor.hide("a hunter2hunter2 b") == f"a {REDACTED} b"
    assert redactor.hide("a " + "x" * 40 + " b") == f"a {REDACTED} b", "its length is not told"


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        ("trading-2024", "trading is disabled for this market"),
        ("correct horse battery staple", "correct the settings: the battery of tests failed"),
        ("secret", "needs a secretary, and secrets"),
        ("key", "a monkey turns the keys"),
        ("test", "the latest attestation"),
        ("binance1", "binance POST https://api.binance.com/api/v3/order"),
        ("ab613233cd", "order 613233 is not found, 36313332 neither"),
        ("password123456", "order 123456 of 2026"),
    ],
)
def test_harmless_text_stays_as_it_is(secret: str, text: str) -> None:
    assert Redactor([secret]).hide(text) == text


@pytest.mark.parametrize("secret", ["key", "test", "secret", "hunter2", "1234", "correcthorse"])
def test_a_whole_credential_is_hidden_however_short_or_common_it_is(secret: str) -> None:
    redactor = Redactor([secret])
    for text in (f"it is {secret}", f"apiKey={secret}&x=1", f'{{"k":"{secret}"}}', secret):
        assert secret not in redactor.hide(text), text


def test_pieces_of_a_real_key_are_hidden() -> None:
    key = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
    redactor = Redactor([key])
    for at in range(0, len(key) - 12, 5):
        piece = key[at : at + 12]
        assert redactor.hide(f"key {piece} is wrong") == f"key {REDACTED} is wrong"
