"""Tamperings with a stress run's logs, its plan and its session."""

from __future__ import annotations

from pathlib import Path

from stress_helpers import (
    AUDIT,
    GATEWAY,
    SESSION,
    SWITCH,
    Record,
    edit_lines,
    edit_text,
    read_lines,
)
from stress_tampering import Tamper, change_line, drop_line, first, repeat_line, tampering

from logos.stress.files import FILES


@tampering("lock pairs", "a release is missing", "was acquired while")
def _(folder: Path) -> None:
    drop_line(folder, GATEWAY, action="ZMQ_LOCK_RELEASE", symbol="ETHUSD.s")


@tampering("lock pairs", "the last release is missing", "was not released before the end")
def _(folder: Path) -> None:
    def edit(records: list[Record]) -> list[Record]:
        releases = [n for n, each in enumerate(records) if each["action"] == "ZMQ_LOCK_RELEASE"]
        del records[releases[-1]]
        return records

    edit_lines(folder / GATEWAY, edit)


@tampering("lock pairs", "a release names another symbol", "of 'XAUUSD.s' was not held")
def _(folder: Path) -> None:
    change = {"symbol": "XAUUSD.s"}
    change_line(folder, GATEWAY, change, action="ZMQ_LOCK_RELEASE", symbol="BTCUSD.s")


@tampering("lock pairs", "a release names another id", "lock 99999 of")
def _(folder: Path) -> None:
    change_line(folder, GATEWAY, {"lock_id": 99_999}, action="ZMQ_LOCK_RELEASE", lock_id=7)


@tampering("lock pairs", "two hold the lock", "lock 9 was acquired while 9 was held")
def _(folder: Path) -> None:
    repeat_line(folder, GATEWAY, {}, action="ZMQ_LOCK_ACQUIRE", lock_id=9)


@tampering("lock pairs", "a pair is missing", "lock 10 follows on 8")
def _(folder: Path) -> None:
    drop_line(folder, GATEWAY, action="ZMQ_LOCK_ACQUIRE", lock_id=9)
    drop_line(folder, GATEWAY, action="ZMQ_LOCK_RELEASE", lock_id=9)


@tampering("lock pairs", "nothing was logged", "the log has no lock at all")
def _(folder: Path) -> None:
    edit_lines(folder / GATEWAY, lambda records: [records[0], records[-1]])


@tampering(
    "EFSM", "ZeroMQ complained", "engine.err: 'Operation cannot be accomplished in current state"
)
def _(folder: Path) -> None:
    (folder / "engine.err").write_text("Operation cannot be accomplished in current state\n")


@tampering("EFSM", "the gateway's log tells of it", "stress.gateway.jsonl: ")
def _(folder: Path) -> None:
    repeat_line(folder, GATEWAY, {"action": "NOTE", "reason": "EFSM"}, action="ZMQ_LOCK_RELEASE")


@tampering("kill switch", "orders left after it was thrown", "left after the switch was thrown")
def _(folder: Path) -> None:
    requests = [r for r in read_lines(folder / AUDIT) if r.get("action") == "TRADE"]
    middle_ns = requests[len(requests) // 2]["ts_ns"]
    repeat_line(folder, SWITCH, {"body": {"state": "ENGAGED", "time_ns": middle_ns - 1_000_000}})


@tampering("session", "a process died of an exception", "a process told of an exception")
def _(folder: Path) -> None:
    (folder / "engine.err").write_text("Traceback (most recent call last):\n")


@tampering("session", "the journal has no seal", "not with its seal")
def _(folder: Path) -> None:
    path = folder / SESSION / "state.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))


@tampering("session", "a row of trades.csv is missing", "rows in trades.csv")
def _(folder: Path) -> None:
    path = folder / SESSION / "trades.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:-1]), encoding="utf-8")


@tampering("evidence", "a byte of the journal is another one", "state.jsonl")
def _(folder: Path) -> None:
    path = folder / SESSION / "state.jsonl"
    text = bytearray(path.read_bytes())
    text[len(text) // 2] ^= 1
    path.write_bytes(text)


@tampering("evidence", "the gateway's log is gone", "FileNotFoundError")
def _(folder: Path) -> None:
    (folder / GATEWAY).unlink()


@tampering("evidence", "the audit is no JSON", "simulator.jsonl, line 1")
def _(folder: Path) -> None:
    (folder / AUDIT).write_text("{not JSON\n")


@tampering("evidence", "the switch's history is gone", "FileNotFoundError")
def _(folder: Path) -> None:
    (folder / SWITCH).unlink()


@tampering(
    "requests", "a pair was taken out, and the rest counted anew", "came under no lock of ours"
)
def _(folder: Path) -> None:
    """As somebody would who wants to hide a request: every later id is one less."""

    def edit(records: list[Record]) -> list[Record]:
        gone = records[first(records, symbol="BTCUSD.s", action="ZMQ_LOCK_ACQUIRE", kind="TRADE")]
        kept = [each for each in records if each.get("lock_id") != gone["lock_id"]]
        count = 0
        for each in kept:
            if each.get("lock_id", 0) > gone["lock_id"]:
                each["lock_id"] -= 1
            if each["action"] == "ZMQ_LOCK_ACQUIRE" and each["symbol"] == gone["symbol"]:
                count += 1
            if each.get("symbol") == gone["symbol"] and "access" in each:
                each["access"] = f"access#{count}"
        return kept

    edit_lines(folder / GATEWAY, edit)


@tampering("requests", "a request at the simulator is missing", "the simulator had no such request")
def _(folder: Path) -> None:
    drop_line(folder, AUDIT, kind="request", action="TRADE")


@tampering(
    "requests", "a request is of another symbol than its lock", "the request is of 'XAUUSD.s'"
)
def _(folder: Path) -> None:
    change = {"symbol": "XAUUSD.s"}
    change_line(folder, AUDIT, change, kind="request", action="TRADE", symbol="BTCUSD.s")


@tampering("requests", "a request came before its lock", "outside the lock's time")
def _(folder: Path) -> None:
    change_line(folder, AUDIT, {"ts_ns": 1}, kind="request", action="TRADE")


@tampering(
    "requests", "the simulator counted more requests", "the simulator counted 99999 requests"
)
def _(folder: Path) -> None:
    change_line(folder, AUDIT, {"requests": 99_999}, kind="books")


@tampering("requests", "the gateway counted more answers", "the gateway counted 99999 answers")
def _(folder: Path) -> None:
    change_line(folder, GATEWAY, {"answered": 99_999}, action="GATEWAY_CLOSED")


@tampering("lock pairs", "a lock is of no symbol", "is of no symbol")
def _(folder: Path) -> None:
    change_line(folder, GATEWAY, {"symbol": ""}, action="ZMQ_LOCK_ACQUIRE")


@tampering("lock pairs", "an access has another number", "is its access number 1")
def _(folder: Path) -> None:
    change = {"access": "access#77"}
    change_line(folder, GATEWAY, change, action="ZMQ_LOCK_ACQUIRE", symbol="ETHUSD.s")


@tampering("lock pairs", "the log is cut off, and nobody was killed", "did not close its gateway")
def _(folder: Path) -> None:
    edit_lines(folder / GATEWAY, lambda records: records[: len(records) // 2])


@tampering("times", "the gateway's log goes back", "the gateway's log goes back by")
def _(folder: Path) -> None:
    change_line(folder, GATEWAY, {"ts_ns": 1}, action="ZMQ_LOCK_RELEASE")


@tampering("times", "a lock was held longer than its times say", "ns apart")
def _(folder: Path) -> None:
    change_line(folder, GATEWAY, {"hold_ns": 90 * 10**9}, action="ZMQ_LOCK_RELEASE")


@tampering("silence", "nothing was answered, and nothing engaged", "and the switch was not engaged")
def _(folder: Path) -> None:
    def edit(records: list[Record]) -> list[Record]:
        for each in records:
            if "outcome" in each:
                each["outcome"] = "lost"
        records[-1]["ts_ns"] += 60 * 10**9
        return records

    edit_lines(folder / GATEWAY, edit)


@tampering("requests", "what came of a request is not said", "what came of it is not said")
def _(folder: Path) -> None:
    drop_line(folder, GATEWAY, action="ZMQ_ANSWER", outcome="answered")


@tampering("latency", "the bound is one that nothing can keep", "(p99), above 1e-06 ms")
def _(folder: Path) -> None:
    edit_text(folder / "stress.json", '"latency_ms":0.0', '"latency_ms":0.000001')


@tampering("signals", "one more was asked for", "26 signals, 27 were asked for")
def _(folder: Path) -> None:
    edit_text(folder / "stress.json", '"signals":26', '"signals":27')


@tampering("EFSM", "a file that nobody reads tells of it", "leftover.log: ")
def _(folder: Path) -> None:
    (folder / "home" / "leftover.log").write_text("zmq: EFSM\n")


@tampering("evidence", "the list of files is gone", "FileNotFoundError")
def _(folder: Path) -> None:
    (folder / FILES).unlink()


FILE_TAMPERINGS: list[tuple[str, str, Tamper]] = [
    ("a file was changed", "engine.err is another one now", lambda f: _append(f / "engine.err")),
    (
        "a file was taken away",
        "simulator.err is not there",
        lambda f: (f / "simulator.err").unlink(),
    ),
    ("a file was added", "extra.txt is not on the list", lambda f: _append(f / "extra.txt")),
]


def _append(path: Path) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write("x")
