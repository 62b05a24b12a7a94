"""What of a long list of cases runs in `make test`, and what waits for `make test-rest`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def first_quick(cases: Iterable[Any], quick: int = 1) -> list[Any]:
    """The cases for `parametrize`: the first `quick` as they are, all others marked `campaign`.

    A case is one value, a tuple of values, or a `pytest.param`.
    """
    found = []
    for number, case in enumerate(cases):
        if number < quick:
            found.append(case)
        elif hasattr(case, "marks"):
            marks = [*case.marks, pytest.mark.campaign]
            found.append(pytest.param(*case.values, id=case.id, marks=marks))
        else:
            values = case if isinstance(case, tuple) else (case,)
            found.append(pytest.param(*values, marks=pytest.mark.campaign))
    return found
