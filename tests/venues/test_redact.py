"""No piece of a credential passes into text."""

from __future__ import annotations

import base64
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from logos.venues.redact import REDACTED, Redactor

SECRET_TEXTS = st.text(
    st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=80
).filter(lambda text: REDACTED not in text)


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
        assert not any(piece in hidden.replace(REDACTED, "\n") for piece in pieces)
        assert form not in hidden


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
