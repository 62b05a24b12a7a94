"""The judge of stress runs passes a sound one, and fails for every piece that is tampered with."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from stress_helpers import (
    AUDIT,
    GATEWAY,
    SESSION,
    SWITCH,
    Record,
    edit_lines,
    edit_text,
    failed,
    problems_of,
    read_lines,
    run_and_judge,
    small_plan,
)

from logos.cli.main import main
from logos.stress.judge import RULES, judge
from logos.stress.report import judge_and_report

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def sound_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing is wrong with."""
    folder = tmp_path_factory.mktemp("stress") / "sound"
    verdict = run_and_judge(small_plan(11), folder)
    assert verdict.is_passed, problems_of(verdict)
    return folder


@pytest.fixture
def run(sound_run: Path, tmp_path: Path) -> Path:
    """A copy of it, to tamper with."""
    return shutil.copytree(sound_run, tmp_path / "run")


def first(records: list[Record], **wanted: object) -> int:
    """The place of the first record with these values."""
    for place, record in enumerate(records):
        if all(record.get(name) == value for name, value in wanted.items()):
            return place
    raise AssertionError(f"no record with {wanted}")


Tamper = Callable[[Path], None]
TAMPERINGS: list[tuple[str, str, Tamper]] = []


def tampering(check: str, what: str) -> Callable[[Tamper], Tamper]:
    """Register a way to tamper, and the check that must see it."""

    def register(tamper: Tamper) -> Tamper:
        TAMPERINGS.append((check, what, tamper))
        return tamper

    return register


def change_line(folder: Path, name: Path, change: Record, **wanted: object) -> None:
    def edit(records: list[Record]) -> list[Record]:
        records[first(records, **wanted)] |= change
        return records

    edit_lines(folder / name, edit)


def drop_line(folder: Path, name: Path, **wanted: object) -> None:
    def edit(records: list[Record]) -> list[Record]:
        del records[first(records, **wanted)]
        return records

    edit_lines(folder / name, edit)


def repeat_line(folder: Path, name: Path, change: Record, **wanted: object) -> None:
    def edit(records: list[Record]) -> list[Record]:
        place = first(records, **wanted)
        return [*records[: place + 1], records[place] | change, *records[place + 1 :]]

    edit_lines(folder / name, edit)


@tampering("lock pairs", "a release is missing")
def _(folder: Path) -> None:
    drop_line(folder, GATEWAY, action="ZMQ_LOCK_RELEASE", symbol="ETHUSD.s")


@tampering("lock pairs", "the last release is missing")
def _(folder: Path) -> None:
    edit_lines(
        folder / GATEWAY,
        lambda records: [*records[:-2], records[-1]],
    )


@tampering("lock pairs", "a release names another symbol")
def _(folder: Path) -> None:
    change = {"symbol": "XAUUSD.s"}
    change_line(folder, GATEWAY, change, action="ZMQ_LOCK_RELEASE", symbol="BTCUSD.s")


@tampering("lock pairs", "a release names another id")
def _(folder: Path) -> None:
    change_line(folder, GATEWAY, {"lock_id": 99_999}, action="ZMQ_LOCK_RELEASE", lock_id=7)


@tampering("lock pairs", "two hold the lock")
def _(folder: Path) -> None:
    repeat_line(folder, GATEWAY, {}, action="ZMQ_LOCK_ACQUIRE", lock_id=9)


@tampering("lock pairs", "a pair is missing")
def _(folder: Path) -> None:
    drop_line(folder, GATEWAY, action="ZMQ_LOCK_ACQUIRE", lock_id=9)
    drop_line(folder, GATEWAY, action="ZMQ_LOCK_RELEASE", lock_id=9)


@tampering("lock pairs", "nothing was logged")
def _(folder: Path) -> None:
    edit_lines(folder / GATEWAY, lambda records: [records[0], records[-1]])


@tampering("EFSM", "ZeroMQ complained")
def _(folder: Path) -> None:
    (folder / "engine.err").write_text("Operation cannot be accomplished in current state\n")


@tampering("EFSM", "the gateway's log tells of it")
def _(folder: Path) -> None:
    repeat_line(folder, GATEWAY, {"action": "NOTE", "reason": "EFSM"}, action="ZMQ_LOCK_RELEASE")


@tampering("orphans", "the simulator has an order that is not ours")
def _(folder: Path) -> None:
    repeat_line(folder, AUDIT, {"comment": "stress-999", "ticket": 1}, kind="order")


@tampering("orphans", "the simulator has a trade by hand")
def _(folder: Path) -> None:
    repeat_line(folder, AUDIT, {"comment": "", "ticket": 1}, kind="order")


@tampering("orphans", "the simulator never had an order of ours")
def _(folder: Path) -> None:
    drop_line(folder, AUDIT, kind="order")


@tampering("orphans", "an order that it took counts as rejected")
def _(folder: Path) -> None:
    edit_text(folder / SESSION / "orders.csv", ",FILLED,", ",REJECTED,")


@tampering("cross-symbol", "a request is of another symbol")
def _(folder: Path) -> None:
    change = {"symbol": "BTCUSD.s"}
    change_line(folder, AUDIT, change, kind="request", action="TRADE", symbol="ETHUSD.s")


@tampering("cross-symbol", "a deal is of another symbol")
def _(folder: Path) -> None:
    change_line(folder, AUDIT, {"symbol": "BTCUSD.s"}, kind="deal", symbol="ETHUSD.s")


@tampering("duplicates", "an order was sent twice")
def _(folder: Path) -> None:
    repeat_line(folder, AUDIT, {}, kind="request", action="TRADE", action_type="ORDER_TYPE_BUY")


@tampering("duplicates", "an order was taken twice")
def _(folder: Path) -> None:
    repeat_line(folder, AUDIT, {"ticket": 1}, kind="order")


@tampering("duplicates", "the simulator counted one")
def _(folder: Path) -> None:
    change_line(folder, AUDIT, {"repeated_client_ids": {"stress-1": 2}}, kind="books")


@tampering("unknown outcomes", "an outcome stayed unknown")
def _(folder: Path) -> None:
    edit_text(folder / SESSION / "orders.csv", ",CANCELLED,", ",UNKNOWN,")


@tampering("fills", "a fill has another price")
def _(folder: Path) -> None:
    price = next(r["price"] for r in read_lines(folder / AUDIT) if r["kind"] == "deal")
    edit_text(folder / SESSION / "trades.csv", f",{price},", ",1.00,")


@tampering("fills", "a deal was lost")
def _(folder: Path) -> None:
    drop_line(folder, AUDIT, kind="deal")


@tampering("fills", "a deal has a smaller fee")
def _(folder: Path) -> None:
    change_line(folder, AUDIT, {"commission": -1}, kind="deal")


@tampering("profit", "the simulator made a cent more")
def _(folder: Path) -> None:
    def edit(records: list[Record]) -> list[Record]:
        records[-1]["symbols"]["BTCUSD.s"]["realised"] += "1"
        return records

    edit_lines(folder / AUDIT, edit)


@tampering("profit", "the account's total is not the sum")
def _(folder: Path) -> None:
    path = folder / SESSION / "account.csv"
    *lines, last = path.read_text(encoding="utf-8").splitlines()
    cells = last.split(",")
    cells[5] = "1234.5"
    path.write_text("\n".join([*lines, ",".join(cells)]) + "\n", encoding="utf-8")


@tampering("profit", "the account's last row has another equity")
def _(folder: Path) -> None:
    path = folder / SESSION / "account.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    cells = lines[-1].split(",")
    cells[8] += "1"
    path.write_text("\n".join([*lines, ",".join(cells)]) + "\n", encoding="utf-8")


@tampering("profit", "the simulator's balance moved otherwise")
def _(folder: Path) -> None:
    change_line(folder, AUDIT, {"balance": "1"}, kind="books")


@tampering("positions", "the simulator holds more")
def _(folder: Path) -> None:
    def edit(records: list[Record]) -> list[Record]:
        records[-1]["symbols"]["ETHUSD.s"]["volume"] = "77"
        return records

    edit_lines(folder / AUDIT, edit)


@tampering("positions", "an order still waits there")
def _(folder: Path) -> None:
    change_line(folder, AUDIT, {"open_orders": 1}, kind="books")


@tampering("exposure", "a symbol held more than it might")
def _(folder: Path) -> None:
    edit_text(folder / SESSION / "config.json", '"max_position": "0.20"', '"max_position": "0.01"')


@tampering("exposure", "all together held more than they might")
def _(folder: Path) -> None:
    text = '"max_gross_exposure": "'
    edit_text(folder / SESSION / "config.json", text, text + "0.")


@tampering("kill switch", "orders left after it was thrown")
def _(folder: Path) -> None:
    requests = [r for r in read_lines(folder / AUDIT) if r.get("action") == "TRADE"]
    middle_ns = requests[len(requests) // 2]["ts_ns"]
    repeat_line(folder, SWITCH, {"body": {"state": "ENGAGED", "time_ns": middle_ns - 1_000_000}})


@tampering("session", "a process died of an exception")
def _(folder: Path) -> None:
    (folder / "engine.err").write_text("Traceback (most recent call last):\n")


@tampering("session", "the journal has no seal")
def _(folder: Path) -> None:
    path = folder / SESSION / "state.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))


@tampering("session", "a row of trades.csv is missing")
def _(folder: Path) -> None:
    path = folder / SESSION / "trades.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:-1]), encoding="utf-8")


@tampering("evidence", "a byte of the journal is another one")
def _(folder: Path) -> None:
    path = folder / SESSION / "state.jsonl"
    text = bytearray(path.read_bytes())
    text[len(text) // 2] ^= 1
    path.write_bytes(text)


@tampering("evidence", "the gateway's log is gone")
def _(folder: Path) -> None:
    (folder / GATEWAY).unlink()


@tampering("evidence", "the audit is no JSON")
def _(folder: Path) -> None:
    (folder / AUDIT).write_text("{not JSON\n")


@tampering("evidence", "the switch's history is gone")
def _(folder: Path) -> None:
    (folder / SWITCH).unlink()


@tampering("profit", "the audit has no books at its end")
def _(folder: Path) -> None:
    edit_lines(folder / AUDIT, lambda records: records[:-1])


@pytest.mark.parametrize(
    ("check", "tamper"),
    [
        pytest.param(check, tamper, id=f"{check}-{what}".replace(" ", "-"))
        for check, what, tamper in TAMPERINGS
    ],
)
def test_what_is_tampered_with_fails_its_check(run: Path, check: str, tamper: Tamper) -> None:
    tamper(run)
    verdict = judge_and_report(run)
    assert check in failed(verdict)
    assert "**FAIL**" in (run / "stress-report.md").read_text(encoding="utf-8")


def test_every_rule_is_shown_to_fail() -> None:
    assert set(RULES) <= {check for check, _, _ in TAMPERINGS}


def test_a_sound_run_reports_what_bounds_it(sound_run: Path) -> None:
    verdict = judge(sound_run)
    assert verdict.is_passed, problems_of(verdict)
    numbers = verdict.numbers
    assert numbers is not None
    assert numbers.orders > 20
    assert set(numbers.filled) == {"all", "BTCUSD.s", "ETHUSD.s", "XAUUSD.s"}
    assert numbers.filled["all"].max_ns >= numbers.filled["all"].p99_ns > 0
    report = (sound_run / "stress-report.md").read_text(encoding="utf-8")
    assert "**PASS**" in report
    assert "Throughput is bounded by" in report


def test_the_command_exits_by_its_verdict(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stress", "--judge-only", "--out", str(run)]) == 0
    assert capsys.readouterr().out.startswith("PASS")
    assert main(["stress", "--judge-only", "--out", str(run), "--min-rate", "1e9"]) == 1
    assert "throughput" in capsys.readouterr().err
    assert main(["stress", "--signals", "1", "--out", str(run)]) == 2
    assert "holds a run already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--symbols", ""], "name some"),
        (["--interval-ms", "soon"], "write 10, or 1-20"),
        (["--faults", "gremlins=1"], "write NAME=NUMBER"),
        (["--signals", "-1"], "0 or more"),
        ([], "say how much"),
    ],
)
def test_options_that_cannot_be_meant_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    more = [] if not options or "--signals" in options else ["--signals", "1"]
    assert main(["stress", "--out", str(tmp_path / "new"), *options, *more]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
