"""The exit codes of commands, as the text under their help. Each command names its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SESSION_CODES: Final[Mapping[int, str]] = {
    0: "finished",
    1: "internal error (a bug: please report it), or a check that found something wrong",
    2: "bad configuration or command line",
    3: "bad data",
    4: "halted by the kill switch or a guard, or holdings not seen to agree with the venue's",
    5: "the strategy failed",
    6: "a file or folder cannot be written, or read",
    7: "a journal with a torn end, or a session without its last files: use `logos resume`",
    8: "a damaged journal: the place is named",
    9: "a session differs from what its journal, data or fills say",
    10: "too little room on the disk: stopped in order, or not started; make room, `logos resume`",
    130: "terminated by a second signal",
}
"""Those of `trade`, `resume`, `replay`, `flatten` and `verify`; README has the same table."""


def exit_codes(meanings: Mapping[int, str] = SESSION_CODES) -> str:
    """`meanings` (by code) as the last part of a command's help."""
    return "\n".join(["exit codes:", *(f"  {code}  {text}" for code, text in meanings.items())])
