"""Every code has a cure in words, in the table of the code and in that of the guide."""

from __future__ import annotations

from logos.core.types import Code
from logos.session.artifacts.cures import CURES


def test_every_code_has_a_cure_that_fits_a_line() -> None:
    assert set(CURES) == set(Code)
    for code, words in CURES.items():
        assert 10 < len(words) <= 90, code
        assert words[-1] not in ".:;", code
