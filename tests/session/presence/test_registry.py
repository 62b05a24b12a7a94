"""The registry of running sessions: who is in it, what is believed, and what is removed."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from journal_helpers import BarByBar, bars
from places import absent

from logos.config import ConfigError
from logos.core.messages import NOW, Event, Flatten
from logos.core.types import SessionStatus
from logos.errors import DataError
from logos.session import run as run_session
from logos.session.entry import replay, resume
from logos.session.opening import start as start_module
from logos.session.presence import registry
from logos.session.presence.found import find_sessions
from logos.session.presence.heartbeat import heartbeat_path
from logos.session.presence.registry import (
    Entry,
    Place,
    RegistryError,
    enter,
    read_registry,
)
from logos.testing.builders import Scripted

CONFIG = {
    "session": {"id": "small"},
    "instruments": {"ACME": {"quote": "USD", "tick": "0.01", "lot": "1"}},
    "account": {"balances": {"USD": "1000000"}},
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "desk").mkdir()
    return tmp_path / "desk"


@pytest.fixture
def two_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Two folders of the registry, as a user of a desktop has them."""
    found = [Place(tmp_path, tmp_path / "runtime"), Place(tmp_path, tmp_path / "a" / "b" / "home")]
    monkeypatch.setattr(registry, "places", lambda: found)
    return [place.folder for place in found]


def files(folder: Path) -> list[str]:
    return sorted(os.listdir(folder)) if folder.is_dir() else []


def ids() -> list[str]:
    return [each.entry.session_id if each.entry else "?" for each in read_registry()]


class Elsewhere:
    """A process that enters a session, and is killed or told to end."""

    def __init__(self, home: Path, session_id: str, *prefix: str) -> None:
        program = """
            import sys
            from pathlib import Path
            from logos.session.presence.registry import enter
            entry = enter("trade", Path(sys.argv[1]), sys.argv[2])
            print(entry.token, flush=True)
            input()
            entry.close()
        """
        self.process = subprocess.Popen(
            [*prefix, sys.executable, "-c", textwrap.dedent(program), str(home), session_id],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        self.token = self.process.stdout.readline().strip()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def end(self) -> None:
        self.process.communicate("\n")


# ---- an entry ----


def test_an_entry_is_there_while_its_session_runs_and_gone_behind_it(
    home: Path, own_registry: Path
) -> None:
    with closing(enter("trade", home)) as entry:
        (sighting,) = read_registry()
        assert sighting.entry is not None
        assert (sighting.entry.workspace, sighting.entry.session_id) == (str(home), "")
        assert (sighting.entry.pid, sighting.problem) == (os.getpid(), "")
        entry.name("small", home)
        (sighting,) = read_registry()
        assert sighting.entry is not None
        assert sighting.entry.session_id == "small"
        assert sighting.entry.heartbeat == str(heartbeat_path("small", home))
    assert read_registry() == []
    assert files(own_registry) == []
    entry.close()


def test_an_entry_is_in_every_place_that_can_be_written_and_seen_once(
    home: Path, two_places: list[Path]
) -> None:
    with closing(enter("trade", home, "small")):
        assert [len(files(folder)) for folder in two_places] == [1, 1]
        assert ids() == ["small"]
        for name in files(two_places[0]):  # a logout removes /run/user/UID
            (two_places[0] / name).unlink()
        assert ids() == ["small"]
    assert [files(folder) for folder in two_places] == [[], []]


def test_a_place_that_cannot_be_used_is_left_out(
    home: Path, two_places: list[Path], tmp_path: Path
) -> None:
    two_places[0].write_text("a file stands in its way")
    with closing(enter("trade", home, "small")):
        assert files(two_places[1])
        assert ids() == ["small"]


def test_without_any_place_no_session_starts_and_the_way_out_is_named(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(registry.VARIABLE, str(tmp_path / "nowhere" / "registry"))
    with pytest.raises(RegistryError, match=r"nowhere.*set LOGOS_REGISTRY to a folder"):
        run_session(CONFIG, strategy=Scripted({}), feed=BarByBar(bars(3)), home=home)
    assert list(home.iterdir()) == []


def test_the_places_do_not_depend_on_how_a_shell_was_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(registry.VARIABLE)
    found = registry.places()
    for name in ("HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME", "TMPDIR", "USER", "LOGOS_HOME"):
        monkeypatch.setenv(name, "/nowhere")
    assert registry.places() == found
    assert any(f"/run/user/{os.getuid()}/" in str(place.folder) for place in found)


def test_a_place_of_another_user_is_neither_written_nor_believed(
    home: Path, two_places: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(enter("trade", home, "small")):
        monkeypatch.setattr(os, "getuid", lambda: 4_242)
        assert read_registry() == []
        with pytest.raises(RegistryError, match="not a folder of this user"):
            enter("trade", home, "other")


def test_a_link_is_no_place(home: Path, two_places: list[Path], tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    two_places[0].symlink_to(tmp_path / "target")
    with closing(enter("trade", home, "small")):
        assert files(tmp_path / "target") == []


def test_a_reader_makes_no_folder(tmp_path: Path, two_places: list[Path]) -> None:
    assert find_sessions(tmp_path / "none") == []
    assert not (tmp_path / "none").exists()
    assert not any(folder.exists() for folder in two_places)


# ---- stale entries ----


def test_an_entry_of_a_killed_process_is_removed_by_whoever_finds_it(
    home: Path, own_registry: Path
) -> None:
    other = Elsewhere(home, "theirs")
    assert ids() == ["theirs"]
    other.kill()
    assert len(files(own_registry)) == 1
    assert read_registry() == []
    assert files(own_registry) == []


def test_an_entry_is_not_removed_because_its_process_cannot_be_seen(
    home: Path, own_registry: Path
) -> None:
    """Another PID namespace: the process id means nothing here; the lock does."""
    namespace = ("unshare", "-rpf", "--mount-proc")
    tried = subprocess.run([*namespace, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        absent(f"no PID namespaces here: {tried.stderr.strip()}")
    other = Elsewhere(home, "theirs", *namespace)
    try:
        (sighting,) = read_registry()
        assert sighting.entry is not None
        assert sighting.entry.pid != other.process.pid
        assert (sighting.entry.session_id, sighting.problem) == ("theirs", "")
        seen = subprocess.run(
            [*namespace, sys.executable, "-c",
             "from logos.session.presence.registry import read_registry\n"
             "print([each.entry.session_id for each in read_registry()])"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert seen.stdout == "['theirs']\n"
    finally:
        other.end()
    assert read_registry() == []


def test_what_a_process_left_that_died_while_it_wrote_is_removed(
    home: Path, own_registry: Path
) -> None:
    old, young = own_registry / "old.new", own_registry / "young.new"
    for path in (old, young):
        path.write_text("{")
    os.utime(old, (1, 1))
    assert read_registry() == []
    assert files(own_registry) == ["young.new"]


@pytest.mark.parametrize("content", [b"", b"{", b'{"x":' + b"[" * 4_000, b"\xff"])
def test_an_entry_without_a_lock_is_stale_whatever_it_says(
    own_registry: Path, content: bytes
) -> None:
    (own_registry / "odd.json").write_bytes(content)
    assert read_registry() == []
    assert files(own_registry) == []


def test_an_entry_that_cannot_be_read_counts_as_a_session_that_runs(
    home: Path, own_registry: Path
) -> None:
    (own_registry / "folder.json").mkdir()
    (own_registry / "long.json").write_bytes(b" " * (registry.ENTRY_BYTES_MAX + 1))
    found = find_sessions()
    assert [(each.running, bool(each.problem), each.workspace) for each in found] == [
        (True, True, None),
        (True, True, None),
    ]
    assert files(own_registry) == ["folder.json", "long.json"]


def test_an_entry_of_a_later_version_counts_while_it_is_locked(
    home: Path, own_registry: Path
) -> None:
    with closing(enter("trade", home, "small")) as entry:
        path = own_registry / f"{entry.token}.json"
        fields = msgspec.json.decode(path.read_bytes()) | {"more": 1}
        path.write_bytes(msgspec.json.encode(fields))  # into the same, locked file
        (found,) = find_sessions()
        assert found.running
        assert "is not an entry of the registry" in found.problem


# ---- whole sessions ----


class Looking(BarByBar):
    """Calls `look` before each event."""

    def __init__(self, look: Callable[[], object], count: int = 5) -> None:
        super().__init__(bars(count))
        self._look = look

    def chunks(self) -> Iterator[list[Event]]:
        for chunk in super().chunks():
            self._look()
            yield list(chunk)


def kinds(seen: list[str]) -> Callable[[], None]:
    def look() -> None:
        (found,) = find_sessions()
        assert found.session_id == "small"
        assert found.problem == ""
        assert found.report is not None
        assert found.report.running
        seen.append(found.kind)

    return look


def test_every_kind_of_session_is_in_the_registry_while_it_runs(
    home: Path, own_registry: Path
) -> None:
    seen: list[str] = []

    def stop_early() -> None:
        kinds(seen)()
        if len(seen) == 3:
            raise OSError(5, "the cable is out", "data")

    with pytest.raises(OSError, match="the cable is out"):
        run_session(CONFIG, strategy=Scripted({}), feed=Looking(stop_early), home=home)
    assert seen == ["trade"] * 3
    assert files(own_registry) == []
    options = {"strategy": Scripted({}), "feed": Looking(kinds(seen)), "home": home}
    result = resume("small", **options)  # type: ignore[arg-type]
    assert result.status is SessionStatus.ENDED
    assert seen[-1] == "resume"
    replay("small", **options)  # type: ignore[arg-type]
    assert seen[-1] == "replay"
    assert files(own_registry) == []


def test_a_session_is_entered_before_anything_else_of_it(
    home: Path, monkeypatch: pytest.MonkeyPatch, own_registry: Path
) -> None:
    class Seen(Exception):
        pass

    seen: list[Entry | None] = []

    def look(*_: object, **__: object) -> None:
        assert list(home.iterdir()) == []
        seen.extend(sighting.entry for sighting in read_registry())
        raise Seen

    monkeypatch.setattr(start_module, "session_switch", look)
    with pytest.raises(Seen):
        run_session(CONFIG, strategy=Scripted({}), feed=BarByBar(bars(3)), home=home)
    for options in ({}, {"seal": True}, {"flatten": Flatten(NOW, "why", "ann")}):
        with pytest.raises(Seen):
            resume("small", home=home, **options)
    assert [entry.kind for entry in seen if entry] == ["trade", "resume", "seal", "flatten"]
    assert {entry.session_id for entry in seen if entry} == {"small"}
    assert files(own_registry) == []


@pytest.mark.parametrize("wrong", [{"session": {"id": "a/b"}}, {"data": {"paths": ["none"]}}])
def test_a_session_that_does_not_start_leaves_no_entry(
    home: Path, own_registry: Path, wrong: dict[str, object]
) -> None:
    with pytest.raises((ConfigError, DataError)):
        run_session(CONFIG | wrong, strategy=Scripted({}), home=home)
    assert files(own_registry) == []
