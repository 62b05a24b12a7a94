"""docs/JOURNAL.md: the commands shown print what is shown, and the code shown runs."""

from __future__ import annotations

import os
import re
import runpy
from pathlib import Path

import pytest
from journal_helpers import copy_of, spot
from places import PROJECT

from logos.cli.main import main
from logos.session import run

TEXT = (PROJECT / "docs" / "JOURNAL.md").read_text(encoding="utf-8")

SHOWN = re.findall(r"^```console\n\$ logos (\w+) (\S+)\n(.*?)^```$", TEXT, re.M | re.S)
CODES = {"demo": 0, "torn": 7, "damaged": 8, "differs": 9}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the session of docs/ARTIFACTS.md, and copies that were tampered with."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("LOGOS_SEED", raising=False)
        patch.chdir(PROJECT)
        demo = run(
            {
                "session": {"id": "demo"},
                "strategy": {"name": "sma_cross"},
                "data": {"paths": ["data/cache"], "symbols": ["ACME"], "accept": ["gap"]},
            },
            home=home,
        ).folder
    for name in ("torn", "damaged", "differs"):
        copy_of(demo, home / name).rename(demo.parent / name)
    os.truncate(demo.parent / "torn" / "state.jsonl", (demo / "state.jsonl").stat().st_size - 5)
    change(demo.parent / "damaged" / "state.jsonl", b'"price_units":1', b'"price_units":2')
    change(demo.parent / "differs" / "trades.csv", b"4277.28,10.64,", b"4277.29,10.64,")
    return home


def change(path: Path, old: bytes, new: bytes) -> None:
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, 1))


def without_sums(text: str) -> str:
    """`text` without what hangs on the version of the software."""
    text = re.sub(r"verified to [0-9a-f]{16}", "verified to ...", text)
    text = re.sub(r"byte \d+", "byte ...", text)
    return re.sub(r"(software +)\S+", r"\1...", text)


@pytest.mark.long
@pytest.mark.parametrize(("command", "folder", "shown"), SHOWN, ids=[f for _, f, _ in SHOWN])
def test_the_output_shown_is_real(
    home: Path,
    command: str,
    folder: str,
    shown: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(home)
    assert main([command, folder]) == CODES[Path(folder).name]
    assert without_sums(capsys.readouterr().out) == without_sums(shown)


def test_every_verdict_is_shown() -> None:
    assert {Path(folder).name for command, folder, _ in SHOWN if command == "verify"} == set(CODES)
    assert [folder for command, folder, _ in SHOWN if command == "inspect"]


def test_the_code_shown_counts_fills(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    [code] = re.findall(r"```python\n(.*?)```", TEXT, re.S)
    script = tmp_path / "count.py"
    script.write_text(code, encoding="utf-8")
    count_fills = runpy.run_path(str(script))["count_fills"]
    result = spot(tmp_path / "home")
    assert count_fills(result.folder) == result.summary["fills"] > 0
    journal = result.folder / "state.jsonl"
    size = journal.stat().st_size
    os.truncate(journal, size - 1)
    assert count_fills(result.folder) == result.summary["fills"]
    assert "was never finished" in capsys.readouterr().out
    change(journal, b'"kind":"manifest"', b'"kind":"manifesT"')
    assert count_fills(result.folder) == 0
    assert "record 1 at byte 0" in capsys.readouterr().out
