"""What a session took over, against the session that it took it from, where that is still there.

The old session's fills are gone through once more by the independent auditor: what they come to
must be what the new session's settings say it began with.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Final

from logos.audit.auditor import State
from logos.audit.csv_cells import plain
from logos.audit.findings import Finding
from logos.audit.money.carried import carry_of, lots_of
from logos.audit.samples import SampleAudit
from logos.config import Config, make_config
from logos.config.tables.carry import CarrySettings
from logos.journal.entries import JOURNAL, Manifest, read_journal
from logos.journal.reader import JournalError
from logos.session.stored.names import is_finished

_PLACE: Final = "record 1"


def check_carried(folder: Path, config: Config) -> tuple[list[Finding], list[str]]:
    """What is wrong with what the session in `folder` took over, and what could not be judged."""
    carry = carry_of(config)
    if carry is None:
        return [], []
    old = folder.parent / carry.session
    if not (old / JOURNAL).is_file():
        return [], [f"what it carries of session {carry.session}, which is not here"]
    manifest, digest = None, b""
    try:
        for entry in read_journal(old / JOURNAL):
            if isinstance(entry.record, Manifest):
                manifest = entry.record
            if entry.sequence == carry.records:
                digest = entry.digest
                break
    except JournalError:
        pass  # then the record was not reached
    if manifest is None or digest.hex() != carry.journal_hash:
        words = f"carry: the journal of session {carry.session} is not the one that was carried"
        return [Finding("state.jsonl", _PLACE, words)], []
    if not is_finished(old):
        return [], [f"the books of session {carry.session}, which was never sealed"]
    audit = SampleAudit(make_config(manifest.config), old / "trades.csv")
    audit.run(old / JOURNAL, carry.records)
    return [
        Finding("state.jsonl", _PLACE, f"carry: {words} of session {carry.session}")
        for words in _differences(carry, audit.state())
    ], []


def _differences(carry: CarrySettings, state: State) -> list[str]:
    said: dict[str, Fraction] = {}
    mine: dict[str, Fraction] = {}
    for asset, balance in state.wallets.items():
        said[f"balance in {asset}"] = Fraction(carry.balances.get(asset, 0))
        mine[f"balance in {asset}"] = balance
    for currency, account in state.currencies.items():
        for name in ("realised", "fees", "payments"):
            table = getattr(carry, name)
            said[f"{name} in {currency}"] = Fraction(table.get(currency, 0))
            mine[f"{name} in {currency}"] = getattr(account, name)
    for symbol, books in state.symbols.items():
        carried = carry.symbols.get(symbol)
        lots = lots_of(carried) if carried is not None else ()
        said[f"position in {symbol}"] = sum((lot.left for lot in lots), Fraction(0))
        said[f"lots in {symbol}"] = Fraction(len(lots))
        said[f"realised in {symbol}"] = Fraction(0 if carried is None else carried.realised)
        mine[f"position in {symbol}"] = books.position
        mine[f"lots in {symbol}"] = Fraction(books.open_lots)
        mine[f"realised in {symbol}"] = books.realised
    return [
        f"{what} is {plain(said[what])}, and {plain(mine[what])} by the fills"
        for what in mine
        if said[what] != mine[what]
    ]
