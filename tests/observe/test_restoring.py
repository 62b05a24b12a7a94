"""A session is restored from what was shipped of it, up to its last record that arrived; what is
not enough to go on from is refused, with its place."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from live_session_helpers import Alternating, ScriptedFeed, TickingClock, live, resumed, settings
from live_venue_helpers import Resting, World
from shipping_helpers import MemoryTarget, MemoryTopics, journal_of, ship

from logos.audit.verify import verify
from logos.config import Config
from logos.core.types import SessionStatus
from logos.journal.inputs import batch_times
from logos.observe.shipping import shipper as shipper_module
from logos.observe.shipping import tail as tail_module
from logos.observe.shipping.branches import NotRestorable
from logos.observe.shipping.messages import INPUTS_TOPIC, JOURNAL_TOPIC, Message, journal_line
from logos.observe.shipping.restoring import Restored, restore_session
from logos.session.entry import replay
from logos.session.restoring import CannotResumeError, refuse_restored
from logos.session.stored.names import RESTORED

SHIPPED_AT, QUOTES = 60, 90


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail_module, "BYTES_MAX", 4_096)
    monkeypatch.setattr(shipper_module, "EVERY_S", 0.0)


def folder_of(home: Path) -> Path:
    return home / "runs" / "live" / "sessions" / "live"


def shipped(home: Path, *, with_inputs: bool = True) -> MemoryTarget:
    """Ship a session in its middle; what it did after that is never shipped."""
    target, clock = MemoryTarget(), TickingClock()

    def now() -> None:
        ship(home, target, with_inputs=with_inputs)

    live(home, ScriptedFeed(clock, QUOTES, after={SHIPPED_AT: now}), clock)
    return target


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sequence[Message], bytes]:
    """What was shipped, and the whole journal of the machine that was lost."""
    home = tmp_path_factory.mktemp("lost")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tail_module, "BYTES_MAX", 32_768)
        messages = shipped(home).messages
    return messages, (folder_of(home) / "state.jsonl").read_bytes()


def restore(home: Path, messages: Sequence[Message], **options: str) -> Restored:
    return restore_session(MemoryTopics(messages), "live", folder_of(home), **options)


def test_a_session_whose_folder_is_gone_goes_on_from_its_last_record_that_arrived(
    tmp_path: Path, sent: tuple[Sequence[Message], bytes]
) -> None:
    messages, journal = sent
    restored = restore(tmp_path, messages)
    there = (folder_of(tmp_path) / "state.jsonl").read_bytes()
    assert journal.startswith(there)
    assert 100 < restored.records == there.count(b"\n") < journal.count(b"\n")
    clock = TickingClock(restored.last_ns)
    result = resumed(tmp_path, ScriptedFeed(clock, 30), clock)
    assert result.status is SessionStatus.ENDED
    after = (folder_of(tmp_path) / "state.jsonl").read_bytes()
    assert after.startswith(there)
    assert after.count(b"\n") > restored.records + 60
    assert verify(folder_of(tmp_path)).exit_code == 0
    assert replay("live", strategy=Alternating(), home=tmp_path).status is SessionStatus.ENDED


def test_inputs_arrive_before_the_records_that_follow_from_them(
    sent: tuple[Sequence[Message], bytes],
) -> None:
    reached_ns = 0
    for message in sent[0]:
        line = journal_line(message.value)
        if message.kind == INPUTS_TOPIC:
            reached_ns = max([reached_ns, *batch_times(line)])
        elif message.kind == JOURNAL_TOPIC:
            assert json.loads(line)["body"].get("ts_ns", 0) <= reached_ns


def test_inputs_behind_the_last_record_are_left_out_and_counted(
    tmp_path: Path, sent: tuple[Sequence[Message], bytes]
) -> None:
    messages = sent[0]
    records = [each for each in messages if each.kind == JOURNAL_TOPIC]
    inputs = [each for each in messages if each.kind == INPUTS_TOPIC]
    restored = restore(tmp_path, [*records[:40], *inputs])
    assert restored.records == 40
    assert restored.inputs_left_out > 20
    assert restored.inputs + restored.inputs_left_out == len(inputs)
    lines = (folder_of(tmp_path) / "inputs.jsonl").read_bytes().splitlines()
    assert max(batch_times(line)[0] for line in lines[1:]) <= restored.last_ns
    assert json.loads((folder_of(tmp_path) / RESTORED).read_bytes())["records"] == 40


def changed(message: Message) -> Message:
    return message._replace(value=message.value.replace(b'"crc":"', b'"crc":"0', 1))


def another(message: Message) -> Message:
    """The same place in another history."""
    start = message.value.index(b'"hash":"') + 8
    digit = b"0" if message.value[start : start + 1] != b"0" else b"1"
    return message._replace(value=message.value[:start] + digit + message.value[start + 1 :])


def test_what_is_not_enough_is_refused_with_its_place_and_leaves_nothing(
    tmp_path: Path, sent: tuple[Sequence[Message], bytes]
) -> None:
    messages = sent[0]
    records = [each for each in messages if each.kind == JOURNAL_TOPIC]
    inputs = [each for each in messages if each.kind == INPUTS_TOPIC]
    whole = len(records)
    foreign = [
        each._replace(value=each.value.replace(b'"uuid":"', b'"uuid":"x', 1)) for each in records
    ]
    cases: list[tuple[Sequence[Message], str]] = [
        ((), "nothing was shipped of session live"),
        ([*records[:9], *records[10:], *inputs], f"record 10 is missing, and {whole} was shipped"),
        ([*records[1:], *inputs], f"record 1 is missing, and {whole} was shipped"),
        ([*records[:9], changed(records[9]), *inputs], "record 10 in the topic is not what was"),
        ([*records, another(records[9]), *inputs], "record 10 came with two contents"),
        ([*records, *foreign, *inputs], "2 sessions of this name were shipped"),
        (records, "no recorded inputs were shipped of session live"),
        ([*records, *inputs[:30]], "recorded inputs 31 and those behind it are missing"),
        ([*records, *inputs[:30], *inputs[31:]], "input 31 is missing"),
    ]
    for given, why in cases:
        with pytest.raises(NotRestorable, match=why):
            restore(tmp_path, given)
        assert list(folder_of(tmp_path).parent.iterdir()) == []
    assert restore(tmp_path, [*foreign, *records, *inputs], uuid=uuid_of(records)).records == whole


def uuid_of(messages: Sequence[Message]) -> str:
    found: str = json.loads(messages[0].value)["uuid"]
    return found


def test_what_comes_again_or_from_another_partition_changes_nothing(
    tmp_path: Path, sent: tuple[Sequence[Message], bytes]
) -> None:
    messages = [*sent[0][:50], *sent[0][20:]]
    topics = MemoryTopics(messages, lambda each: int(json.loads(each.value)["seq"] <= 25))
    restored = restore_session(topics, "live", folder_of(tmp_path))
    target = MemoryTarget()
    target.messages = list(sent[0])
    assert (folder_of(tmp_path) / "state.jsonl").read_bytes() == journal_of(target)
    assert restored.records == journal_of(target).count(b"\n")


def test_of_two_owners_the_newer_claim_counts_unless_it_shipped_nothing_of_its_own(
    tmp_path: Path, sent: tuple[Sequence[Message], bytes]
) -> None:
    """The second owner went on behind record 40; the first stood still, and shipped on later."""
    first = [each._replace(claim=1) for each in sent[0]]
    restore(tmp_path, first_records(first, 40))
    clock = TickingClock()

    resumed(tmp_path, ScriptedFeed(clock, 12), clock)
    target = MemoryTarget()
    ship(tmp_path, target, with_inputs=True)
    second = [each._replace(claim=2) for each in target.messages]
    own = (folder_of(tmp_path) / "state.jsonl").read_bytes()

    def went_on(given: Sequence[Message]) -> tuple[int, bytes]:
        shutil.rmtree(folder_of(tmp_path))
        restored = restore(tmp_path, given)
        return restored.claim, (folder_of(tmp_path) / "state.jsonl").read_bytes()

    assert went_on([*first, *second]) == (2, own)
    assert went_on([*second, *first]) == (2, own)
    claim, journal = went_on([*first, *first_records(second, 30)])
    assert claim == 1
    assert sent[1].startswith(journal)


def test_a_claim_that_is_made_while_shipping_looks_is_given_no_lines_of_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, target = TickingClock(), MemoryTarget()
    live(tmp_path, ScriptedFeed(clock, QUOTES), clock)
    link = folder_of(tmp_path).parent
    link.rename(tmp_path / "whole")
    for claim in ("0000001", "0000002"):
        shutil.copytree(tmp_path / "whole", tmp_path / claim / "sessions")
    inputs = tmp_path / "0000001" / "sessions" / "live" / "inputs.jsonl"
    inputs.write_bytes(b"".join(inputs.read_bytes().splitlines(keepends=True)[:20]))
    link.symlink_to(tmp_path / "0000001" / "sessions")
    look = shipper_module.Shipper._look

    def look_and_claim(shipper: shipper_module.Shipper) -> None:
        look(shipper)
        link.unlink()
        link.symlink_to(tmp_path / "0000002" / "sessions")

    monkeypatch.setattr(shipper_module.Shipper, "_look", look_and_claim)
    ship(tmp_path, target, with_inputs=True)
    found = [each.claim for each in target.messages if each.kind == INPUTS_TOPIC]
    assert found.count(1) == 20
    assert found.count(2) > 20


def first_records(messages: Sequence[Message], count: int) -> list[Message]:
    """Without the records behind the first `count`."""
    return [
        each
        for each in messages
        if each.kind != JOURNAL_TOPIC or json.loads(each.value)["seq"] <= count
    ]


def test_a_newer_owner_whose_lines_have_a_gap_is_refused_though_an_older_one_wrote_more(
    tmp_path: Path, sent: tuple[Sequence[Message], bytes]
) -> None:
    first = [each._replace(claim=1) for each in sent[0]]
    second = [
        each
        for each in first_records(sent[0], 50)
        if each.kind != JOURNAL_TOPIC or json.loads(each.value)["seq"] != 31
    ]
    with pytest.raises(NotRestorable, match="record 31 is missing, and 50 was shipped"):
        restore(tmp_path, [*first, *(each._replace(claim=2) for each in second)])


def test_a_restored_session_with_real_orders_is_neither_resumed_nor_sends_anything(
    tmp_path: Path,
) -> None:
    there, target = World(tmp_path), MemoryTarget()
    now = {SHIPPED_AT: lambda: ship(tmp_path, target, with_inputs=True)}
    there.run(ScriptedFeed(there.clock, QUOTES, after=now), Resting())
    known = set(there.venue.books.orders)
    assert known
    shutil.rmtree(folder_of(tmp_path))
    assert restore(tmp_path, target.messages).sends_orders
    before = (folder_of(tmp_path) / "state.jsonl").read_bytes()
    for _ in range(2):
        with pytest.raises(CannotResumeError, match="the venue alone knows"):
            there.resume(ScriptedFeed(there.clock, 30), Resting())
    assert (folder_of(tmp_path) / "state.jsonl").read_bytes() == before
    assert set(there.venue.books.orders) == known


def test_nor_does_one_begin_anew_that_lost_its_records(tmp_path: Path) -> None:
    there = World(tmp_path)
    there.run(ScriptedFeed(there.clock, QUOTES), Resting())
    known = set(there.venue.books.orders)
    (folder_of(tmp_path) / "host.json").unlink()
    (folder_of(tmp_path) / "state.jsonl").write_bytes(b"")
    (folder_of(tmp_path) / RESTORED).write_text("{}")
    with pytest.raises(CannotResumeError, match="the venue alone knows"):
        there.resume(ScriptedFeed(there.clock, 30), Resting())
    assert set(there.venue.books.orders) == known


def test_only_the_mark_of_a_restored_session_and_real_orders_refuse(tmp_path: Path) -> None:
    def config(*, is_live: bool) -> Config:
        made = settings()
        return msgspec.structs.replace(
            made, venue=msgspec.structs.replace(made.venue, live=is_live)
        )

    refuse_restored(config(is_live=True), tmp_path)
    (tmp_path / RESTORED).write_text("{}")
    refuse_restored(config(is_live=False), tmp_path)
    with pytest.raises(CannotResumeError, match="the venue alone knows"):
        refuse_restored(config(is_live=True), tmp_path)
