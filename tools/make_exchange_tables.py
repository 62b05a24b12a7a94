"""Writes the tables of exchanges into docs/VENUES.md, from their profiles and the round trips.

The exchanges are those of `round_trips.CASES`, which tests/adapters/ccxt/test_round_trip.py tries;
what was tried is that file's tests. Run: python tools/make_exchange_tables.py
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from document_table import with_new_rows

from logos.adapters.ccxt.profiles import PROFILES
from logos.adapters.ccxt.profiles.profile import Answer, By, Look, Pages, Paging, Profile
from logos.config.proved import EXCHANGES
from logos.core.types import Side
from logos.venues.ids import IdRule

PROJECT = Path(__file__).resolve().parent.parent
DOCUMENT = PROJECT / "docs" / "VENUES.md"
TRIPS = PROJECT / "tests" / "adapters" / "ccxt" / "test_round_trip.py"
sys.path.insert(0, str(PROJECT / "tests" / "helpers"))

_HEAD = (
    "| exchange | orders | our id there | found by | cancelled by | a new order is answered with "
    "| fills | open orders | market order to buy | order stream | test place |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|\n"
)
_TRIED_HEAD = "| tried at each of them | test |\n|---|---|\n"
_SOURCES_HEAD = "| exchange | of its profile | source |\n|---|---|---|\n"


def rows() -> str:
    """What differs between the exchanges, a row each."""
    return "".join(_row(PROFILES[exchange_id]) for exchange_id in exchange_ids())


def exchange_ids() -> list[str]:
    """The exchanges whose round trip is tried, by name."""
    from round_trips import CASES

    return sorted({case.exchange_id for case in CASES})


def tried() -> str:
    """The parts of the round trip, a row each, from the tests and their titles."""
    tree = ast.parse(TRIPS.read_text(encoding="utf-8"))
    return "".join(
        f"| {ast.get_docstring(node)} | `{node.name}` |\n"
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    )


def sources() -> str:
    """Where each field of a profile is from; A stands for the address that most begin with."""
    return "".join("".join(_sources_of(PROFILES[exchange_id])) for exchange_id in exchange_ids())


def _sources_of(profile: Profile) -> Iterator[str]:
    named = sorted(profile.sources.items())
    root = _beginning([source for _, source in named])
    if root:
        yield f"| {profile.exchange_id} | A | {root} |\n"
    for name, source in named:
        text = source.replace(root, "A") if root else source
        yield f"| {profile.exchange_id} | `{name}` | {_cell(text)} |\n"


def _beginning(told: Sequence[str]) -> str:
    """The beginning of addresses whose place by a letter makes the table shortest; empty: none."""
    found: Counter[str] = Counter()
    for address in re.findall(r"https://[^\s;,:]+", " ".join(told)):
        parts = address.split("/")
        found.update({"/".join(parts[:end]) for end in range(3, len(parts) + 1)})
    best = max(found, key=lambda root: (found[root] * len(root) - len(root), root), default="")
    return best if found[best] > 2 else ""


def _row(profile: Profile) -> str:
    cells = (
        profile.exchange_id,
        "yes" if profile.exchange_id in EXCHANGES else "no",
        _id(profile.ids),
        ", then ".join(_look(look) for look in profile.looks),
        profile.cancel.by.value,
        "the whole order" if profile.new_order is Answer.FULL else "an id",
        _pages(profile.fills),
        _pages(profile.open_orders),
        _market_buy(profile),
        f"no: {profile.stream_off}" if profile.stream is None else "yes",
        profile.test_place,
    )
    return f"| {' | '.join(_cell(cell) for cell in cells)} |\n"


def _market_buy(profile: Profile) -> str:
    is_priced = Side.BUY in profile.priced
    return "by quantity, as a limit order that does not rest" if is_priced else "by quantity"


def _id(rule: IdRule) -> str:
    if rule.is_uuid:
        return (
            f"`{rule.prefix}` and 32 hexadecimal digits" if rule.prefix else "a UUID of 32 digits"
        )
    kind = "letters, digits, `-`, `_`" if rule.takes_punctuation else "letters and digits"
    begin = f"`{rule.prefix}` and " if rule.prefix else ""
    return f"{begin}{kind}, {rule.length_max} at most"


def _look(look: Look) -> str:
    if look.by is not By.LIST:
        return str(look.by.value)
    name = look.method.removeprefix("fetch_").replace("_", " ")
    return f"our id among {name}" if look.parameter else f"the whole list of {name}"


def _pages(paging: Paging) -> str:
    if paging.pages is Pages.WHOLE:
        return "one answer"
    window = f", {paging.window_ms // 86_400_000} days at once" if paging.window_ms else ""
    return f"{paging.size} {paging.pages.value}{window}".replace("1 days", "1 day")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def with_tables(text: str) -> str:
    """The document with the tables of today in place of those it has."""
    text = with_new_rows(text, _HEAD, rows(), DOCUMENT)
    text = with_new_rows(text, _TRIED_HEAD, tried(), DOCUMENT)
    return with_new_rows(text, _SOURCES_HEAD, sources(), DOCUMENT)


if __name__ == "__main__":
    DOCUMENT.write_text(with_tables(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
