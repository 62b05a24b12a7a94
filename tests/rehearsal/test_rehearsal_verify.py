"""`logos rehearse verify` judges from the evidence alone, and finds what was changed."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rehearsal_helpers import DATA

from logos.cli.main import main
from logos.rehearsal.reports.pack import PACK_FILE, PackError, digest_of, pack, unpack

NAMES = ("kill_at_tick", "bad_print", "duplicate_orders")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rehearsal with a PASS, one of a limit that was lent, and one of the user's own."""
    home = tmp_path_factory.mktemp("made")
    settings = home / "settings.toml"
    data = json.dumps(str(DATA / "BTCUSDT_1m_bars.csv"))
    settings.write_text(
        f'[strategy]\nname = "sma_cross"\n[data]\npaths = [{data}]\n'
        '[risk]\nprice_collar = "0.05"\n',
        encoding="utf-8",
    )
    out = home / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGOS_HOME", str(home))
        options = ["--config", str(settings), "--out", str(out), "--quiet"]
        assert main(["rehearse", *NAMES, *options]) == 0
    return out


@pytest.fixture
def carried(made: Path, tmp_path: Path) -> Path:
    """What one sends to somebody else: the pack, the record and the reports."""
    folder = tmp_path / "carried"
    folder.mkdir()
    for path in made.iterdir():
        if path.is_file():
            shutil.copy(path, folder)
    return folder


def verified(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main(["rehearse", "verify", str(folder)])
    printed = capsys.readouterr()
    return code, printed.out + printed.err


@pytest.mark.long
def test_it_is_the_same_elsewhere_without_data_or_sessions(
    carried: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, words = verified(carried, capsys)
    assert code == 0, words
    assert "judged again   4 of 5 scenarios; of 1 no session was run" in words
    assert digest_of(carried / PACK_FILE) in words
    assert "THE SAME" in words
    assert sorted(path.name for path in carried.iterdir()) == [
        "evidence.tar.gz", "rehearsal.html", "rehearsal.json", "rehearsal.md",
    ]  # fmt: skip


def change_record(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "rehearsal.json"
    record = json.loads(path.read_bytes())
    change(record)
    path.write_text(json.dumps(record), encoding="utf-8")


def repack(folder: Path, change: Callable[[Path], object]) -> None:
    """Change the evidence, pack it anew, and put its new hash into the record."""
    place = folder / "unpacked"
    place.mkdir()
    unpack(folder / PACK_FILE, place)
    change(place)
    pack(place)
    shutil.move(place / PACK_FILE, folder / PACK_FILE)
    shutil.rmtree(place)
    digest = digest_of(folder / PACK_FILE)
    change_record(folder, lambda record: record.update(evidence_sha256=digest))


def cut_orders(place: Path) -> None:
    journal = next((place / "kill_at_tick").rglob("state.jsonl"))
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:50] + lines[51:]))


def weaken(place: Path) -> None:
    facts = place / "kill_at_tick" / "rehearsed.json"
    table = json.loads(facts.read_bytes())
    table["scenario"]["expect"] = [{"check": "unsealed"}]
    facts.write_text(json.dumps(table), encoding="utf-8")


def drop_facts(place: Path) -> None:
    (place / "your.settings" / "bad_print" / "rehearsed.json").unlink()


def add_session(place: Path) -> None:
    shutil.copytree(place / "kill_at_tick", place / "kill_at_tick2")


CHANGES: list[Any] = [
    pytest.param(lambda f: repack(f, cut_orders), "the evidence says FAIL", id="a record is gone"),
    pytest.param(lambda f: repack(f, weaken), "not the bundled one", id="weaker expectations"),
    pytest.param(lambda f: repack(f, drop_facts), "cannot be judged", id="facts are gone"),
    pytest.param(
        lambda f: repack(f, add_session),
        "kill_at_tick2 (the engine) is not in the record", id="a session that nobody claims"),
    pytest.param(lambda f: (f / PACK_FILE).unlink(), "evidence.tar.gz is missing", id="no pack"),
    pytest.param(lambda f: (f / PACK_FILE).write_bytes((f / PACK_FILE).read_bytes()[:-9000]),
                 "is not the recorded one", id="a pack cut short"),
    pytest.param(lambda f: (f / "rehearsal.html").write_text("fine"), "rehearsal.html is not what",
                 id="another page"),
    pytest.param(lambda f: (f / "rehearsal.md").unlink(), "rehearsal.md is missing", id="no page"),
    pytest.param(
        lambda f: change_record(f, lambda r: r["rows"][0].update(verdict="FAIL")),
        "the record says FAIL, the evidence says PASS", id="another verdict"),
    pytest.param(
        lambda f: change_record(f, lambda r: r["rows"][0].update(lent=["x"])),
        "differs from the evidence in lent", id="something else lent"),
    pytest.param(
        lambda f: change_record(f, lambda r: r["rows"][0].update(name="../../carried")),
        "cannot be judged", id="a name that leads out"),
    pytest.param(
        lambda f: change_record(f, lambda r: r.update(problem="interrupted")),
        "not whole: interrupted", id="not whole"),
    pytest.param(
        lambda f: change_record(f, lambda r: r["rows"].pop()),
        "4 of 5 scenarios are recorded", id="a row that was left out"),
]  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize(("change", "words"), CHANGES)
def test_what_was_changed_is_found(
    carried: Path,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[Path], object],
    words: str,
) -> None:
    change(carried)
    code, printed = verified(carried, capsys)
    assert code == 1
    assert words in printed
    assert "DIFFERENT" in printed
    assert "THE SAME" not in printed


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "this is no folder of a rehearsal"),
        ("not json", "cannot be read"),
        ('{"schema": 1}', "cannot be read"),
    ],
)
def test_a_folder_that_is_no_rehearsal_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, words: str
) -> None:
    if content is not None:
        (tmp_path / "rehearsal.json").write_text(content, encoding="utf-8")
    code, printed = verified(tmp_path, capsys)
    assert code == 2
    assert words in printed


def test_verify_takes_one_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rehearse", "verify"]) == 2
    assert "takes one folder" in capsys.readouterr().err


@pytest.mark.long
def test_json_says_what_differs(carried: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rehearse", "verify", str(carried), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["is_same"], said["differences"], len(said["judged"])) == (True, [], 4)
    (carried / "rehearsal.md").unlink()
    assert main(["rehearse", "verify", str(carried), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["differences"] == ["rehearsal.md is missing"]


# ---- the pack ----


def packed(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def link(name: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, "../out"
    return member


@pytest.mark.parametrize("name", ["../up", "/top", "a/../../up", "a\\..\\b"])
def test_a_pack_does_not_reach_out_of_its_folder(tmp_path: Path, name: str) -> None:
    path = packed(tmp_path / "p.tar.gz", (tarfile.TarInfo(name), b"x"))
    place = tmp_path / "place"
    place.mkdir()
    with pytest.raises(PackError, match="is no file of a rehearsal"):
        unpack(path, place)
    assert list(place.iterdir()) == []


def test_a_pack_holds_plain_files_each_once(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    with pytest.raises(PackError, match="is no file of a rehearsal"):
        unpack(packed(tmp_path / "a.tar.gz", (link("a"), b"")), place)
    twice = [(tarfile.TarInfo("a"), b"x"), (tarfile.TarInfo("a"), b"y")]
    with pytest.raises(PackError, match="is no file of a rehearsal"):
        unpack(packed(tmp_path / "b.tar.gz", *twice), place)


@pytest.mark.parametrize("content", [b"", b"plain", gzip.compress(b"no archive of files", mtime=0)])
def test_what_is_no_pack_cannot_be_read(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "p.tar.gz"
    path.write_bytes(content)
    with pytest.raises(PackError, match="cannot be read"):
        unpack(path, tmp_path / "place")


def test_the_same_files_give_the_same_pack(tmp_path: Path) -> None:
    for name in ("one", "two"):
        for inner in ("b", "a"):
            (tmp_path / name / "scenario" / inner).mkdir(parents=True)
            (tmp_path / name / "scenario" / inner / "file").write_text(inner, encoding="utf-8")
    (tmp_path / "two" / "rehearsal.md").write_text("beside", encoding="utf-8")
    assert pack(tmp_path / "one") == pack(tmp_path / "two")
