"""The dry run of the MT5 venue: what the terminal says of itself, compared with the session."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from logos.adapters.mt5.gateway.matching.identified import BRIDGE
from logos.adapters.mt5.records import entries_of
from logos.adapters.mt5.tickets.held import HEDGING
from logos.config.proved import unproved_terminal
from logos.core.instrument import Instrument
from logos.venues.contract import CheckLine, Unavailable
from logos.venues.records import Unreadable

Ask = Callable[[Mapping[str, object]], Awaitable[dict[str, Any]]]


async def check_terminal(
    ask: Ask, symbols: Mapping[str, Instrument], is_sandbox: bool, does_echo: Callable[[], bool]
) -> list[CheckLine]:
    """Lines about account, symbols and what the bridge tells; `symbols` has terminal names.

    `ask` raises Unavailable for a question that stays open. Nothing is sent that trades.
    """
    try:
        account = await ask({"action": "ACCOUNT"})
    except Unavailable as error:
        advice = "is the terminal running, with the Expert Advisor on a chart and DLLs allowed?"
        return [CheckLine("terminal", False, f"{error}: {advice}")]
    lines = [CheckLine("terminal", True, f"{account.get('broker')} on {account.get('server')}")]
    server = str(account.get("server", ""))
    lines.append(_sandbox_line(server, is_sandbox))
    if reason := unproved_terminal(server):
        lines.append(CheckLine("adapter", False, reason))
    lines.append(_permission_line(account))
    if account.get("margin_mode") == HEDGING:
        lines.append(_hedging_line(account.get("bridge") == BRIDGE))
    currency = str(account.get("currency", ""))
    for name, instrument in symbols.items():
        is_same = instrument.quote == currency
        words = f"{instrument.quote}, the account is in {currency}"
        advice = "" if is_same else ": profits are converted at the broker's rate, not booked here"
        lines.append(CheckLine(f"{name} currency", is_same, words + advice))
        lines.append(await _symbol_line(ask, name))
    lines.append(await _mark_line(ask))
    words = (
        "answers carry the request's comment"
        if does_echo()
        else (
            "answers do not say whose they are: after each loss the gateway has to ask twice; "
            "docs/MT5.md has the line to add to the Expert Advisor"
        )
    )
    lines.append(CheckLine("attribution", True, words))
    return lines


def _sandbox_line(server: str, is_sandbox: bool) -> CheckLine:
    looks_demo = "demo" in server.lower()
    words = f"server {server!r}, session says {'sandbox' if is_sandbox else 'live'}"
    if looks_demo == is_sandbox:
        return CheckLine("sandbox", True, words)
    return CheckLine("sandbox", False, f"{words}: use an account that fits, or correct the session")


def _permission_line(account: Mapping[str, Any]) -> CheckLine:
    for name, advice in (
        ("trading_allowed", "the broker does not let this account trade"),
        ("bot_trading", "switch Algo Trading on in the terminal"),
    ):
        if name in account and not account[name]:
            return CheckLine("permission", False, f"{name} is off: {advice}")
    return CheckLine("permission", True, "trading and automatic trading are allowed")


def _hedging_line(closes_by_ticket: bool) -> CheckLine:
    """What a hedging account means."""
    if closes_by_ticket:
        words = "a hedging account: orders close the session's own tickets, the oldest first"
        return CheckLine("positions", True, words)
    advice = "use a netting account, or logos' own Expert Advisor (docs/MT5.md)"
    words = "a hedging account, whose positions cannot be closed for certain through this terminal"
    return CheckLine("positions", False, f"{words}: {advice}")


async def _symbol_line(ask: Ask, name: str) -> CheckLine:
    fields = {"action": "CONFIG", "symbol": name, "chartTF": "M1"}
    try:
        reply = await ask(fields)
    except Unavailable as error:
        return CheckLine(name, False, str(error))
    if reply.get("error") is True:
        words = str(reply.get("description", ""))[:100]
        advice = "show it in Market Watch, and write it with its suffix"
        return CheckLine(name, False, f"the terminal does not have it ({words}): {advice}")
    return CheckLine(name, True, "known to the terminal; its lot and contract size are not told")


async def _mark_line(ask: Ask) -> CheckLine:
    """Whether orders and deals carry what they are recognised by."""
    seen = 0
    for fields, name in (
        ({"action": "ORDERS"}, "orders"),
        ({"action": "HISTORY", "actionType": "TRADES"}, "trades"),
    ):
        try:
            entries = entries_of(await ask(fields), name)
        except (Unavailable, Unreadable) as error:
            return CheckLine("recognition", False, f"{name}: {error}")
        seen += len(entries)
        if any("comment" not in entry and not entry.get("magic") for entry in entries):
            return await _unmarked_line(ask, name)
    if not seen:
        return CheckLine("recognition", True, "no orders or deals yet, so it cannot be seen")
    return CheckLine("recognition", True, "orders and deals carry what they are recognised by")


async def _unmarked_line(ask: Ask, name: str) -> CheckLine:
    """What it means that entries do not say whose they are."""
    try:
        is_published = "error" not in await ask({"action": "BALANCE"})
    except Unavailable as error:
        return CheckLine("recognition", False, f"{name}: {error}")
    if is_published:
        words = (
            "this is the published Expert Advisor: orders are followed by ticket, volume, price "
            "and position, and what cannot be told for certain stops the session; see docs/MT5.md"
        )
        return CheckLine("recognition", True, words)
    advice = "an order whose answer is lost could not be found again; see docs/MT5.md"
    return CheckLine("recognition", False, f"{name} carry no comment or magic: {advice}")
