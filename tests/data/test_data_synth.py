"""`logos data synth`: writes the bundle, and nothing over anything without --force."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from logos.cli.data import synth as command
from logos.data import fixtures


def synth(*words: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run_synth(parser.parse_args(words))


@pytest.mark.long
def test_it_writes_the_bundle_to_the_cache_of_the_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    monkeypatch.setenv("LOGOS_SEED", "11")
    assert synth() == 0
    folder = tmp_path / "data" / "cache"
    assert sorted(path.name for path in folder.iterdir()) == sorted(fixtures.fixture_names())
    assert fixtures.verify_manifest(folder) == []
    printed = capsys.readouterr().out
    assert "seed 11" in printed
    assert all(name in printed for name in fixtures.fixture_names())


@pytest.mark.long
def test_the_option_is_stronger_than_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOGOS_SEED", "11")
    assert synth("--out", str(tmp_path), "--seed", "0") == 0
    assert "seed 0" in capsys.readouterr().out


@pytest.mark.long
def test_it_overwrites_only_when_told_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "ACME_1m_bars.csv"
    mine.write_text("mine\n")
    assert synth("--out", str(tmp_path)) == 1
    assert [path.name for path in tmp_path.iterdir()] == [mine.name]
    assert mine.read_text() == "mine\n"
    complaint = capsys.readouterr().err
    assert "ACME_1m_bars.csv" in complaint
    assert "--force" in complaint
    assert synth("--out", str(tmp_path), "--force") == 0
    assert fixtures.verify_manifest(tmp_path) == []


@pytest.mark.long
def test_a_folder_that_cannot_be_written_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert synth("--out", str(tmp_path / "file" / "below")) == 1
    complaint = capsys.readouterr().err
    assert "cannot be written" in complaint
    assert "--out DIR" in complaint


def test_a_bad_seed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        synth("--out", str(tmp_path), "--seed", "-1")
    monkeypatch.setenv("LOGOS_SEED", "x")
    assert synth("--out", str(tmp_path)) == 1
    assert "LOGOS_SEED must be" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
