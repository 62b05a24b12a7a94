"""Tamperings with the orders, the money and the limits of a stress run."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

from stress_helpers import AUDIT, SESSION, Record, edit_lines, edit_text, read_lines
from stress_tampering import change_line, drop_line, first, repeat_line, tampering


@tampering(
    "orphans",
    "the simulator has an order that is not ours",
    "the simulator has 'stress-999', which is not ours",
)
def _(folder: Path) -> None:
    repeat_line(folder, AUDIT, {"comment": "stress-999", "ticket": 1}, kind="order")


@tampering(
    "orphans", "the simulator has a trade by hand", "the simulator has '', which is not ours"
)
def _(folder: Path) -> None:
    repeat_line(folder, AUDIT, {"comment": "", "ticket": 1}, kind="order")


@tampering(
    "orphans", "the simulator never had an order of ours", "here, and the simulator never had it"
)
def _(folder: Path) -> None:
    drop_line(folder, AUDIT, kind="order")


@tampering(
    "orphans",
    "an order that it took counts as rejected",
    "counts as rejected here, and the simulator took it",
)
def _(folder: Path) -> None:
    edit_text(folder / SESSION / "orders.csv", ",FILLED,", ",REJECTED,")


@tampering(
    "cross-symbol", "a request is of another symbol", "is of ETHUSD.s here and of BTCUSD.s there"
)
def _(folder: Path) -> None:
    change = {"symbol": "BTCUSD.s"}
    change_line(folder, AUDIT, change, kind="request", action="TRADE", symbol="ETHUSD.s")


@tampering(
    "cross-symbol", "a deal is of another symbol", "is of ETHUSD.s here and of BTCUSD.s there"
)
def _(folder: Path) -> None:
    change_line(folder, AUDIT, {"symbol": "BTCUSD.s"}, kind="deal", symbol="ETHUSD.s")


@tampering(
    "tickets", "a netting account was asked to close a ticket", "is a request by ticket, and the"
)
def _(folder: Path) -> None:
    change = {"action_type": "POSITION_PARTIAL", "id": 1001}
    change_line(folder, AUDIT, change, kind="request", action_type="ORDER_TYPE_SELL")


@tampering("duplicates", "an order was sent twice", "was sent 2 times, and refused 0 times")
def _(folder: Path) -> None:
    repeat_line(folder, AUDIT, {}, kind="request", action="TRADE", action_type="ORDER_TYPE_BUY")


@tampering("duplicates", "an order was taken twice", "was taken 2 times")
def _(folder: Path) -> None:
    repeat_line(folder, AUDIT, {"ticket": 1}, kind="order")


@tampering(
    "duplicates",
    "the simulator counted one",
    "the simulator's own count says that stress-1 was repeated",
)
def _(folder: Path) -> None:
    change_line(folder, AUDIT, {"repeated_client_ids": {"stress-1": 2}}, kind="books")


@tampering("unknown outcomes", "an outcome stayed unknown", "ended as UNKNOWN")
def _(folder: Path) -> None:
    edit_text(folder / SESSION / "orders.csv", ",CANCELLED,", ",UNKNOWN,")


@tampering("fills", "a fill has another price", "only here: ")
def _(folder: Path) -> None:
    price = next(r["price"] for r in read_lines(folder / AUDIT) if r["kind"] == "deal")
    edit_text(folder / SESSION / "trades.csv", f",{price},", ",1.00,")


@tampering("fills", "a deal was lost", "only here: ")
def _(folder: Path) -> None:
    drop_line(folder, AUDIT, kind="deal")


@tampering("fills", "a deal has a smaller fee", "only there: ")
def _(folder: Path) -> None:
    change_line(folder, AUDIT, {"commission": -1}, kind="deal")


@tampering("profit", "the simulator made a cent more", "BTCUSD.s: their deals made")
def _(folder: Path) -> None:
    def edit(records: list[Record]) -> list[Record]:
        records[-1]["symbols"]["BTCUSD.s"]["realised"] += "1"
        return records

    edit_lines(folder / AUDIT, edit)


@tampering("profit", "the account's total is not the sum", "the account has realised 1234.5")
def _(folder: Path) -> None:
    path = folder / SESSION / "account.csv"
    *lines, last = path.read_text(encoding="utf-8").splitlines()
    cells = last.split(",")
    cells[5] = "1234.5"
    path.write_text("\n".join([*lines, ",".join(cells)]) + "\n", encoding="utf-8")


@tampering("profit", "the account's last row has another equity", "its parts make")
def _(folder: Path) -> None:
    path = folder / SESSION / "account.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    cells = lines[-1].split(",")
    cells[8] += "1"
    path.write_text("\n".join([*lines, ",".join(cells)]) + "\n", encoding="utf-8")


@tampering(
    "profit", "the simulator's balance moved otherwise", "the simulator's balance changed by"
)
def _(folder: Path) -> None:
    change_line(folder, AUDIT, {"balance": "1"}, kind="books")


@tampering("positions", "the simulator holds more", "ETHUSD.s: books, fills and simulator say")
def _(folder: Path) -> None:
    def edit(records: list[Record]) -> list[Record]:
        records[-1]["symbols"]["ETHUSD.s"]["volume"] = "77"
        return records

    edit_lines(folder / AUDIT, edit)


@tampering("positions", "an order still waits there", "1 orders still wait at the simulator")
def _(folder: Path) -> None:
    change_line(folder, AUDIT, {"open_orders": 1}, kind="books")


@tampering("exposure", "a symbol held more than it might", "BTCUSD.s may hold")
def _(folder: Path) -> None:
    edit_text(folder / SESSION / "config.json", '"max_position": "0.20"', '"max_position": "0.01"')


@tampering("exposure", "all together held more than they might", "all may hold")
def _(folder: Path) -> None:
    path = folder / SESSION / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["risk"]["total"]["max_gross_exposure"] = "1"
    path.write_text(json.dumps(config), encoding="utf-8")


@tampering("profit", "the audit has no books at its end", "its audit has no books at its end")
def _(folder: Path) -> None:
    edit_lines(folder / AUDIT, lambda records: records[:-1])


@tampering("profit", "a fill realised something else", "realised 77, recomputed")
def _(folder: Path) -> None:
    path = folder / SESSION / "trades.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    place = lines[0].split(",").index("realised")
    cells = lines[-1].split(",")
    cells[place] = "77"
    path.write_text("\n".join([*lines[:-1], ",".join(cells)]) + "\n", encoding="utf-8")


@tampering("profit", "a deal and the books made a cent more", "their deal of ")
def _(folder: Path) -> None:
    """Both of the simulator's figures agree with each other, and not with the prices."""

    def edit(records: list[Record]) -> list[Record]:
        deal = records[first(records, kind="deal", symbol="ETHUSD.s")]
        deal["profit_money"] = str(Decimal(deal["profit_money"]) + Decimal("0.01"))
        books = records[-1]["symbols"]["ETHUSD.s"]
        books["realised"] = str(Decimal(books["realised"]) + Decimal("0.01"))
        return records

    edit_lines(folder / AUDIT, edit)
