"""A replay compares every file, and a session is resumed only upon a journal that is whole."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from crash_sessions import STORIES, begin, files_of, replay, resume, session_folder
from journal_helpers import bodies_of, write_chain

from logos.core.gates import InProcessSwitch
from logos.journal.reader import Damaged
from logos.journal.writer import JournalDiffersError
from logos.session.artifacts.tables import TABLES
from logos.session.entry import COMPARED, SessionDiffersError

STORY = STORIES["trading"]
FILES: tuple[str, ...] = ("config.json", "state.jsonl", "state.json", "session.md")
FILES += ("orders.csv", "trades.csv", "positions.csv", "account.csv")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with one finished session, to be copied."""
    home = tmp_path_factory.mktemp("finished")
    begin(STORY, home, InProcessSwitch())
    return home


@pytest.fixture
def home(finished: Path, tmp_path: Path) -> Path:
    """A copy of it, to be tampered with."""
    return Path(shutil.copytree(finished, tmp_path / "home"))


def change_first(path: Path) -> None:
    _flip(path, 0)


def change_middle(path: Path) -> None:
    _flip(path, path.stat().st_size // 2)


def change_last(path: Path) -> None:
    _flip(path, path.stat().st_size - 1)


def _flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def shorten(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def lose_a_line(path: Path) -> None:
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


def lengthen_by_a_line(path: Path) -> None:
    path.write_bytes(path.read_bytes() + path.read_bytes().splitlines(keepends=True)[-1])


HARMS: tuple[Callable[[Path], None], ...] = (
    change_first,
    change_middle,
    change_last,
    shorten,
    lose_a_line,
    empty,
    lengthen,
)
HARMS += (lengthen_by_a_line,)


def test_the_list_of_compared_files_is_every_file_that_follows_from_the_session() -> None:
    assert sorted(COMPARED) == sorted(FILES)
    assert set(TABLES) < set(COMPARED)


@pytest.mark.long
@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.__name__)
@pytest.mark.parametrize("name", [name for name in FILES if name != "state.jsonl"])
def test_a_replay_notices_a_file_that_was_tampered_with(
    home: Path, name: str, harm: Callable[[Path], None]
) -> None:
    path = session_folder(home) / name
    harm(path)
    tampered = path.read_bytes()
    with pytest.raises(SessionDiffersError) as caught:
        replay(STORY, home)
    assert f"{path}:" in str(caught.value)
    assert "and the replay gives" in str(caught.value)
    is_longer = harm in (lengthen, lengthen_by_a_line)
    assert str(caught.value).endswith("(nothing more)") == is_longer
    assert path.read_bytes() == tampered, "nothing is written into the session"


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in FILES if name != "state.jsonl"])
def test_a_replay_notices_a_file_that_is_missing(home: Path, name: str) -> None:
    path = session_folder(home) / name
    path.unlink()
    with pytest.raises(SessionDiffersError, match=rf"{name} is missing"):
        replay(STORY, home)


def test_a_replay_names_the_line_and_shows_both(home: Path) -> None:
    path = session_folder(home) / "orders.csv"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b"BUY", b"BYU").replace(b"SELL", b"SLEL")
    path.write_bytes(b"".join(lines))
    with pytest.raises(SessionDiffersError) as caught:
        replay(STORY, home)
    first, was, between, gives = str(caught.value).splitlines()
    assert first == f"{path}:3 is"
    assert was.strip() == lines[2].decode().strip()
    assert between == "and the replay gives"
    assert gives.strip() != was.strip()


@pytest.mark.parametrize(
    "harm", [change_first, change_middle, change_last], ids=lambda h: h.__name__
)
def test_neither_replay_nor_resume_takes_a_damaged_journal(
    home: Path, harm: Callable[[Path], None]
) -> None:
    folder = session_folder(home)
    journal = folder / "state.jsonl"
    if harm is change_last:  # a torn last line is a crash; one line earlier it is damage
        _flip(journal, journal.read_bytes()[:-1].rfind(b"\n") - 1)
    else:
        harm(journal)
    before = files_of(home)
    with pytest.raises(Damaged, match="damaged at record"):
        replay(STORY, home)
    (folder / "host.json").unlink()
    for is_seal in (False, True):
        with pytest.raises(Damaged, match="damaged at record"):
            resume(STORY, home, InProcessSwitch(), seal=is_seal)
    assert files_of(home) == before


def forge(journal: Path) -> None:
    """Another order, and a chain that is right again."""
    bodies = bodies_of(journal)
    number = next(place for place, body in enumerate(bodies) if b'"kind":"order"' in body)
    assert b'"side":"BUY"' in bodies[number] or b'"side":"SELL"' in bodies[number]
    is_buy = b'"side":"BUY"' in bodies[number]
    old, new = (b"BUY", b"SELL") if is_buy else (b"SELL", b"BUY")
    bodies[number] = bodies[number].replace(b'"side":"' + old, b'"side":"' + new)
    write_chain(journal, bodies)


@pytest.mark.long
def test_a_history_that_was_forged_with_a_right_chain_is_not_lived_again(home: Path) -> None:
    folder = session_folder(home)
    forge(folder / "state.jsonl")
    with pytest.raises(SessionDiffersError, match=r"state\.jsonl:\d+ is"):
        replay(STORY, home)
    (folder / "host.json").unlink()
    for is_seal in (False, True):
        with pytest.raises(JournalDiffersError, match="is not what the session does when it is"):
            resume(STORY, home, InProcessSwitch(), seal=is_seal)


@pytest.mark.long
def test_tables_are_made_again_from_the_journal_when_a_session_is_resumed(home: Path) -> None:
    expected = files_of(home)
    folder = session_folder(home)
    (folder / "host.json").unlink()
    for name in TABLES:
        change_middle(folder / name)
    (folder / "config.json").unlink()
    empty(folder / "session.md")
    resume(STORY, home, InProcessSwitch())
    assert files_of(home) == expected
    replay(STORY, home)
