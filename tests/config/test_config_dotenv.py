"""`.env` files: what is read, what is refused, and that no message repeats a value."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logos.config import ConfigError, Environment
from logos.config.dotenv import parse_dotenv, read_dotenv


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=1", "1"),
        ("  A=1  ", "1"),
        ("export A=1", "1"),
        ("export\tA=1", "1"),
        ("A=", ""),
        ("A=''", ""),
        ('A=""', ""),
        ("A=a#b", "a#b"),
        ("A=a # a comment", "a"),
        ("A= # a comment", ""),
        ("A=a=b==", "a=b=="),
        ("A=$HOME/${B}", "$HOME/${B}"),
        ("A='a \"b\" $c \\n # d'", 'a "b" $c \\n # d'),
        ("A='a' # a comment", "a"),
        ('A="a # b"', "a # b"),
        ('A="a \\"b\\" \\\\ \\n \\r \\t"', 'a "b" \\ \n \r \t'),
        ("A=größe", "größe"),
        ("A=1\r", "1"),
    ],
)
def test_a_value_is_what_the_grammar_says(line: str, value: str) -> None:
    assert parse_dotenv(line, ".env") == ({"A": value}, [])


@pytest.mark.parametrize("text", ["", "\n\n", "# A=1\n   # B=2\n", "\r\n"])
def test_comments_and_empty_lines_set_nothing(text: str) -> None:
    assert parse_dotenv(text, ".env") == ({}, [])


@pytest.mark.parametrize(
    ("line", "objection"),
    [
        ("hunter2", "not a setting; write NAME=value, the name in letters"),
        ("A = hunter2", "not a setting; write NAME=value"),
        ("A =hunter2", "with no space around ="),
        ("A= hunter2", "the value cannot be read"),
        ("2A=hunter2", "not a setting; write NAME=value"),
        ("A-B=hunter2", "not a setting"),
        ("A: hunter2", "not a setting"),
        ("=hunter2", "not a setting"),
        ("A=hunter2 hunter2", "the value cannot be read; put it in single quotes"),
        ("A='hunter2", "the value cannot be read"),
        ('A="hunter2', "the value cannot be read"),
        ('A="hunter2\\"', "the value cannot be read"),
        ('A="hunter2\\x"', "the value cannot be read"),
        ("A='hunter2'hunter2", "the value cannot be read"),
        ("A=hunter2'", "the value cannot be read"),
        ("A=hunter2\\", "the value cannot be read"),
        ('A="hunter2"# no space', "the value cannot be read"),
    ],
)
def test_what_could_be_meant_in_two_ways_is_refused_with_its_line(
    line: str, objection: str
) -> None:
    values, [problem] = parse_dotenv(f"# a comment\n{line}", "place/.env")
    assert values == {}
    assert problem.startswith("place/.env:2: ")
    assert objection in problem
    assert "hunter2" not in problem


def test_a_name_that_stands_twice_is_refused_with_both_lines() -> None:
    values, [problem] = parse_dotenv("A=1\nB=2\nexport A=1\n", ".env")
    assert values == {"A": "1", "B": "2"}
    assert problem == ".env:3: its name is set already in line 1; keep one"


def test_all_bad_lines_are_told_at_once_and_none_with_its_value(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("A=x\nKEY='hunter2\nA=hunter2\nKEY = hunter2\n")
    with pytest.raises(ConfigError) as caught:
        read_dotenv(path)
    assert [problem.split(": ")[0] for problem in caught.value.problems] == [
        f"{path}:{line}" for line in (2, 3, 4)
    ]
    assert "hunter2" not in str(caught.value)


_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=30)


@given(_TEXT)
def test_any_text_survives_in_double_quotes(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    assert parse_dotenv(f'A="{quoted}" # c', ".env") == ({"A": text}, [])


@given(_TEXT.filter(lambda text: "'" not in text))
def test_any_text_without_a_single_quote_survives_in_single_quotes(text: str) -> None:
    assert parse_dotenv(f"A='{text}'", ".env") == ({"A": text}, [])


@pytest.mark.long
@given(st.text(max_size=60))
def test_any_file_is_read_or_refused_with_a_line(text: str) -> None:
    values, problems = parse_dotenv(text, ".env")
    assert len(values) + len(problems) <= len(text.split("\n"))
    assert all(problem.startswith(".env:") for problem in problems)


def test_no_file_is_no_variables(tmp_path: Path) -> None:
    assert read_dotenv(tmp_path / ".env") == {}
    (tmp_path / "file").touch()
    assert read_dotenv(tmp_path / "file" / ".env") == {}


def test_a_file_that_is_not_text_or_not_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"A=\xff")
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        read_dotenv(tmp_path / "a")
    with pytest.raises(ConfigError, match="cannot be read: it is a folder, not a file"):
        read_dotenv(tmp_path)


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbfA=1\n")
    assert read_dotenv(tmp_path / ".env") == {"A": "1"}


def test_dotenv_lies_in_the_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, here = tmp_path / "home", tmp_path / "here"
    for folder in (home, here):
        folder.mkdir()
        (folder / ".env").write_text(f"A={folder.name}\n")
    monkeypatch.chdir(here)
    found = [Environment.read(process).find("A") for process in ({"LOGOS_HOME": str(home)}, {})]
    assert [each.value if each else "" for each in found] == ["home", "here"]


def test_the_process_wins_over_dotenv_unless_it_is_empty(tmp_path: Path) -> None:
    environment = Environment({"A": "1", "B": ""}, {"A": "2", "B": "3"}, tmp_path / ".env")
    assert environment.find("A") == ("1", "the environment")
    assert environment.find("B") == ("3", ".env")
    assert environment.find("C") is None
    shown = f"{environment!r} {environment.find('B')!r}"
    assert "3'" not in shown
    assert "value=***" in shown


def test_the_workspace_cannot_be_named_in_its_own_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LOGOS_HOME=/elsewhere\n")
    with pytest.raises(ConfigError, match="set it in the environment"):
        Environment.read({"LOGOS_HOME": str(tmp_path)})


@pytest.mark.skipif(os.name != "posix", reason="file modes are of POSIX systems")
@pytest.mark.parametrize(
    ("content", "mode", "is_warned"),
    [
        ("KRAKEN_API_SECRET=x\n", 0o644, True),
        ("APCA_API_KEY_ID=x\n", 0o640, True),
        ("KRAKEN_API_SECRET=x\n", 0o600, False),
        ("LOGOS_CFG__RISK__MAX_POSITION=1\n", 0o644, False),
    ],
)
def test_secrets_that_others_can_read_are_warned_of(
    tmp_path: Path, content: str, mode: int, is_warned: bool
) -> None:
    path = tmp_path / ".env"
    path.write_text(content)
    path.chmod(mode)
    warning = Environment.read({"LOGOS_HOME": str(tmp_path)}).warning
    assert warning == (
        f"{path} holds secrets and others on this machine can read it: chmod 600 {path}"
        if is_warned
        else ""
    )
