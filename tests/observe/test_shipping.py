"""What is shipped equals the journal and the decision log; what may still be taken back waits."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from crash_sessions import STORIES, begin, log_file, resume, session_folder, stopped
from journal_helpers import spot
from shipping_helpers import MemoryTarget, decisions_of, journal_of, ship

from logos.config import ConfigError
from logos.core.gates import InProcessSwitch
from logos.errors import WorkspaceError
from logos.files import sync_file
from logos.journal.entries import Stopping, read_journal
from logos.observe.following import LostPlace
from logos.observe.shipping import shipper as shipper_module
from logos.observe.shipping import tail as tail_module
from logos.observe.shipping.messages import DECISIONS_TOPIC, JOURNAL_TOPIC, journal_line
from logos.observe.shipping.progress import Progress, read_status
from logos.observe.shipping.shipper import Shipper
from logos.observe.shipping.tail import JournalTail
from logos.session import entry

STORY = STORIES["trading"]


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every session takes many batches."""
    monkeypatch.setattr(tail_module, "BYTES_MAX", 4_096)
    monkeypatch.setattr(shipper_module, "EVERY_S", 0.0)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def journal(home: Path) -> Path:
    return session_folder(home) / "state.jsonl"


@pytest.mark.long
@pytest.mark.parametrize("name", ["trading", "halted", "failing"])
def test_all_of_an_ended_session_is_shipped_to_the_byte(home: Path, name: str) -> None:
    begin(STORIES[name], home, InProcessSwitch())
    target = MemoryTarget()
    is_all, shipper, _ = ship(home, target)
    assert is_all
    assert journal_of(target) == journal(home).read_bytes()
    assert decisions_of(target) == log_file(home).read_bytes()
    assert target.batches > 3
    assert shipper.status().sessions["crashed"].is_complete


def test_lines_of_ticks_without_a_decision_are_told_of_and_all_others_shipped(home: Path) -> None:
    config = {**STORY.config, "log": {"level": "all"}}
    switch = InProcessSwitch()
    entry.run(config, strategy=STORY.strategy, feed=STORY.feed, switch=switch, home=home)
    target = MemoryTarget()
    is_all, _, said = ship(home, target)
    assert is_all
    assert [words for words in said if "lines NO_SIGNAL of its log are not shipped" in words]
    lines = log_file(home).read_bytes().splitlines(keepends=True)
    decided = [line for line in lines if b'"action":"NO_SIGNAL"' not in line]
    assert 0 < len(decided) < len(lines)
    assert decisions_of(target) == b"".join(decided)


def test_keys_are_of_the_session_and_the_record_and_values_say_whose_they_are(home: Path) -> None:
    begin(STORY, home, InProcessSwitch())
    target = MemoryTarget()
    ship(home, target)
    [manifest, *_] = read_journal(journal(home))
    for number, (key, value) in enumerate(target.kept(JOURNAL_TOPIC).items(), start=1):
        message = json.loads(value)
        assert key == f"crashed:{number}".encode()
        assert message["seq"] == number
        assert message["session"] == "crashed"
        assert message["uuid"] == manifest.record.uuid  # type: ignore[union-attr]
    for key, value in target.kept(DECISIONS_TOPIC).items():
        message = json.loads(value)
        assert key.decode().partition(".")[0] == f"crashed:{message['seq']}"
    with pytest.raises(ValueError, match="no seq"):
        journal_line(b"{}")


def test_a_second_run_ships_nothing_again(home: Path) -> None:
    begin(STORY, home, InProcessSwitch())
    ship(home, MemoryTarget())
    target = MemoryTarget()
    is_all, _, _ = ship(home, target)
    assert is_all
    assert target.messages == []


def test_a_batch_without_acknowledgement_comes_again_under_the_same_keys(home: Path) -> None:
    begin(STORY, home, InProcessSwitch())
    target = MemoryTarget()
    target.fails_at = {2, 3, 5}
    ship(home, target)
    values = [each for each in target.messages if each.kind == JOURNAL_TOPIC]
    assert len(values) > len(target.kept(JOURNAL_TOPIC))
    assert journal_of(target) == journal(home).read_bytes()


def test_a_shipper_that_dies_before_it_keeps_its_place_sends_that_batch_again(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(STORY, home, InProcessSwitch())
    target = MemoryTarget()
    save = Progress.save
    saved = 0

    def die(self: Progress, shipped: object) -> None:
        nonlocal saved
        saved += 1
        if saved == 4:
            raise KeyboardInterrupt
        save(self, shipped)  # type: ignore[arg-type]

    monkeypatch.setattr(Progress, "save", die)
    with pytest.raises(KeyboardInterrupt):
        ship(home, target)
    ship(home, target)
    assert len(target.messages) > len({each.key for each in target.messages})
    assert journal_of(target) == journal(home).read_bytes()
    assert decisions_of(target) == log_file(home).read_bytes()


@pytest.mark.long
def test_a_stopped_session_is_shipped_up_to_its_stop_and_then_what_it_did_instead(
    home: Path,
) -> None:
    switch = InProcessSwitch()
    begin(stopped(STORY, 4), home, switch)
    before = journal(home).read_bytes()
    [stop] = [each for each in read_journal(journal(home)) if isinstance(each.record, Stopping)]
    target = MemoryTarget()
    is_all, shipper, _ = ship(home, target)
    assert is_all
    assert journal_of(target) == before[: stop.offset]
    lag = shipper.status().sessions["crashed"]
    assert (lag.waiting_bytes, lag.held_bytes) == (0, len(before) - stop.offset)
    resume(STORY, home, switch)
    ship(home, target)
    assert journal_of(target) == journal(home).read_bytes() != before
    assert decisions_of(target) == log_file(home).read_bytes()


def test_a_tail_that_is_kept_open_reads_on_after_a_stop_was_taken_back(home: Path) -> None:
    switch = InProcessSwitch()
    begin(stopped(STORY, 4), home, switch)
    with JournalTail(session_folder(home)) as tail:
        found = 0
        while entries := tail.read():
            found += len(entries)
        resume(STORY, home, switch)
        while entries := tail.read():
            found += len(entries)
        assert tail.is_complete
    assert found == len(list(read_journal(journal(home))))


@pytest.mark.long
def test_the_seal_waits_for_the_last_file(home: Path) -> None:
    begin(STORY, home, InProcessSwitch())
    (session_folder(home) / "host.json").unlink()
    [*_, seal] = read_journal(journal(home))
    target = MemoryTarget()
    ship(home, target)
    assert journal_of(target) == journal(home).read_bytes()[: seal.offset]
    resume(STORY, home, InProcessSwitch())
    ship(home, target)
    assert journal_of(target) == journal(home).read_bytes()


def test_a_torn_line_waits_and_is_never_shipped_in_part(home: Path) -> None:
    begin(STORY, home, InProcessSwitch())
    whole = journal(home).read_bytes()
    (session_folder(home) / "host.json").unlink()
    cut = len(whole) // 2
    cut += whole[cut:].index(b"\n") - 5
    os.truncate(journal(home), cut)
    target = MemoryTarget()
    _, shipper, _ = ship(home, target)
    assert journal_of(target) == whole[: whole.rindex(b"\n", 0, cut) + 1]
    assert shipper.status().sessions["crashed"].held_bytes > 0
    resume(STORY, home, InProcessSwitch())
    ship(home, target)
    assert journal_of(target) == whole


def test_a_record_is_on_the_disk_with_its_inputs_before_it_is_shipped(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(STORY, home, InProcessSwitch())
    (session_folder(home) / "inputs.jsonl").write_bytes(b"")
    order: list[str] = []

    def note(path: Path) -> None:
        order.append(path.name)
        sync_file(path)

    monkeypatch.setattr(tail_module, "sync_file", note)
    with JournalTail(session_folder(home)) as tail:
        assert tail.read()
        assert order == ["inputs.jsonl", "state.jsonl"]

        def fail(path: Path) -> None:
            raise OSError(5, "Input/output error", str(path))

        monkeypatch.setattr(tail_module, "sync_file", fail)
        with pytest.raises(OSError, match="Input/output error"):
            tail.read()


@pytest.mark.parametrize("kept_open", [False, True])
def test_a_journal_shorter_than_what_was_shipped_is_told_and_not_begun_anew(
    home: Path, kept_open: bool
) -> None:
    begin(stopped(STORY, 4), home, InProcessSwitch())
    target = MemoryTarget()
    with JournalTail(session_folder(home)) as tail:
        while tail.read():
            pass
        _, _, _ = ship(home, target)
        sent = len(target.messages)
        os.truncate(journal(home), [*read_journal(journal(home))][1].offset)
        if kept_open:
            with pytest.raises(LostPlace, match="become shorter"):
                tail.read()
            return
    is_all, shipper, said = ship(home, target)
    assert not is_all
    assert len(target.messages) == sent
    assert "is not the one that was shipped" in said[0]
    assert shipper.status().sessions["crashed"].problem


@pytest.mark.long
def test_a_journal_with_another_history_is_told(home: Path) -> None:
    begin(stopped(STORY, 4), home, InProcessSwitch())
    ship(home, MemoryTarget())
    other = home / "other"
    changed = STORIES["saved often"]
    begin(changed, other, InProcessSwitch())
    manifest = journal(home).read_bytes().splitlines(keepends=True)[0]
    rest = journal(other).read_bytes().splitlines(keepends=True)[1:]
    journal(home).write_bytes(manifest + b"".join(rest))
    target = MemoryTarget()
    is_all, _, said = ship(home, target)
    assert not is_all
    assert target.messages == []
    assert "is not shipped on" in said[0]


def test_damage_stops_its_session_alone(home: Path) -> None:
    begin(STORY, home, InProcessSwitch())
    spot(home)
    content = journal(home).read_bytes()
    middle = content.index(b'"kind":"order"', len(content) // 2)
    journal(home).write_bytes(content[:middle] + b'"kind":"0rder"' + content[middle + 14 :])
    target = MemoryTarget()
    is_all, shipper, said = ship(home, target)
    assert not is_all
    assert [name for name, lag in shipper.status().sessions.items() if lag.problem] == ["crashed"]
    assert shipper.status().sessions["small"].is_complete
    assert "damaged at record" in said[0]


@pytest.mark.long
def test_a_new_session_under_an_old_name_is_shipped_from_its_beginning(home: Path) -> None:
    begin(STORY, home, InProcessSwitch())
    ship(home, MemoryTarget())
    shutil.rmtree(home / "runs")
    log_file(home).unlink()
    begin(STORIES["saved often"], home, InProcessSwitch())
    target = MemoryTarget()
    is_all, _, said = ship(home, target)
    assert is_all
    assert "is another one than was shipped under this name before" in said[0]
    assert journal_of(target) == journal(home).read_bytes()


def test_another_life_of_the_same_settings_is_told_and_not_taken_for_shipped(home: Path) -> None:
    begin(STORY, home, InProcessSwitch())
    ship(home, MemoryTarget())
    shutil.rmtree(home / "runs")
    log_file(home).unlink()
    begin(STORIES["halted"], home, InProcessSwitch())  # the strategy does something else
    target = MemoryTarget()
    is_all, _, said = ship(home, target)
    assert not is_all
    assert target.messages == []
    assert "is not shipped on" in said[0]


def test_only_the_sessions_that_are_named_are_shipped(home: Path) -> None:
    begin(STORY, home, InProcessSwitch())
    spot(home)
    target = MemoryTarget()
    ship(home, target, "small")
    assert {each.key.partition(b":")[0] for each in target.messages} == {b"small"}


def test_a_target_that_is_away_is_waited_for_and_shows_as_lag(home: Path) -> None:
    begin(STORY, home, InProcessSwitch())
    target = MemoryTarget()
    target.is_away = True
    is_all, shipper, _ = ship(home, target, wait_s=0.01)
    assert not is_all
    status = read_status(home / "state" / "ship" / "kafka" / "status.json")
    assert status.waiting_bytes == journal(home).stat().st_size
    assert status.lag_s > 0
    assert status.acknowledged == 0
    target.is_away = False
    is_all, shipper, _ = ship(home, target)
    assert is_all
    assert shipper.status().lag_s == 0
    assert journal_of(target) == journal(home).read_bytes()


def test_a_message_that_will_never_be_taken_is_told_with_what_to_do(home: Path) -> None:
    begin(STORY, home, InProcessSwitch())
    target = MemoryTarget()
    target.refused = "Message size too large"
    is_all, _, said = ship(home, target)
    assert not is_all
    assert "Message size too large; raise" in said[0]


def test_once_that_a_signal_ended_before_all_was_there_does_not_say_that_it_is(home: Path) -> None:
    begin(STORY, home, InProcessSwitch())
    target = MemoryTarget()
    with Progress("kafka", home) as progress:
        shipper = Shipper(target, progress, lambda _: None, workspace=home)
        assert not shipper.run(lambda: target.batches > 1, once=True, wait_s=30)
    assert journal_of(target) != journal(home).read_bytes()


def test_two_shippers_of_one_name_do_not_run_together(home: Path) -> None:
    with (
        Progress("kafka", home),
        pytest.raises(WorkspaceError, match="named 'kafka' runs already"),
        Progress("kafka", home),
    ):
        pass
    with pytest.raises(ConfigError, match="not a shipper's name"), Progress("../x", home):
        pass


def test_a_place_that_cannot_be_read_is_told_and_not_taken_for_the_beginning(home: Path) -> None:
    begin(STORY, home, InProcessSwitch())
    ship(home, MemoryTarget())
    path = home / "state" / "ship" / "kafka" / "sessions" / "crashed.json"
    for content in (b"", b"{}", path.read_bytes().replace(b'"digest": "', b'"digest": "xy')):
        path.write_bytes(content)
        target = MemoryTarget()
        is_all, _, said = ship(home, target)
        assert not is_all
        assert target.messages == []
        assert "does not say how far" in said[0]


class Away(MemoryTarget):
    """Brokers that are away, whose library has another word for it each time it is asked."""

    looks = 0

    @property
    def problem(self) -> str:
        self.looks += 1
        return f"{self.looks % 4}/4 brokers are down" if self.looks % 2 else "connect failed"

    @problem.setter
    def problem(self, words: str) -> None:
        """It has words of its own."""


def test_that_brokers_are_away_is_told_once(home: Path) -> None:
    begin(STORY, home)
    target = Away()
    target.is_away = True
    with Progress("kafka", home) as progress:
        said: list[str] = []
        shipper = shipper_module.Shipper(target, progress, said.append, workspace=home)
        shipper.run(lambda: target.looks > 1_000)
    assert sorted(line.split(": ")[1].split(";")[0] for line in said) == [
        "1/4 brokers are down",
        "connect failed",
    ]
