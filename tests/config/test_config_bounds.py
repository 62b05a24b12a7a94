"""Settings have a kind, a size and a depth; what has not is refused at once, in words."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from sampling import first_quick

from logos.config import ConfigError, make_config, read_toml
from logos.config.dotenv import read_dotenv
from logos.config.layers import read_layers
from logos.config.reading import DEPTH_MAX
from logos.paths import check_session_id


def nested(depth: int) -> dict[str, Any]:
    tables: dict[str, Any] = {}
    for _ in range(depth):
        tables = {"a": tables}
    return tables


@pytest.mark.parametrize("read", [read_toml, read_dotenv])
def test_a_settings_file_that_is_none_is_refused_and_nothing_waits(
    tmp_path: Path, read: Any
) -> None:
    for name, words in (("pipe", "a named pipe"), ("device", "a device"), ("folder", "a folder")):
        path = tmp_path / name
        {
            "pipe": os.mkfifo,
            "device": lambda place: os.symlink("/dev/zero", place),
            "folder": os.mkdir,
        }[name](path)
        with pytest.raises(ConfigError) as refused:
            read(path)
        assert str(refused.value) == f"{path}: cannot be read: it is {words}, not a file"


@pytest.mark.parametrize(
    ("read", "words"), [(read_toml, "4,194,304 bytes"), (read_dotenv, "1,048,576 bytes")]
)
def test_a_settings_file_has_a_size(tmp_path: Path, read: Any, words: str) -> None:
    path = tmp_path / "settings"
    with path.open("wb") as file:
        file.truncate(1 << 30)  # a hole: it takes no place on the disk
    with pytest.raises(ConfigError, match=f"cannot be read: it is larger than {words}$"):
        read(path)


@pytest.mark.parametrize("depth", first_quick([DEPTH_MAX + 1, 400, 20_000], 2))
def test_keys_have_a_depth_in_files_mappings_and_variables(tmp_path: Path, depth: int) -> None:
    path = tmp_path / "deep.toml"
    path.write_text(".".join(["strategy", "params", *(["a"] * depth)]) + " = 1\n")
    with pytest.raises(ConfigError, match="deeper than 32 levels"):
        read_toml(path)
    with pytest.raises(ConfigError, match="deeper than 32 levels"):
        make_config({"strategy": {"params": nested(depth)}})
    value = "{a=" * depth + "1" + "}" * depth
    variables = {"LOGOS_HOME": str(tmp_path), "LOGOS_CFG__STRATEGY__PARAMS__DEEP": value}
    effective = read_layers(None, {}, variables)
    # It is taken for the text that it is, as everything that is not one value of TOML.
    assert effective.config.strategy.params == {"deep": value}


def test_parameters_may_be_as_deep_as_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "deep.toml"
    depth = DEPTH_MAX - 2
    path.write_text(".".join(["strategy", "params", *(["a"] * depth)]) + " = 1\n")
    assert make_config(read_toml(path)).strategy.params["a"]


@pytest.mark.parametrize("name", ["con", "CON", "nul", "Aux", "prn", "COM1", "com0", "LPT9"])
def test_names_of_devices_are_no_session_ids(name: str) -> None:
    with pytest.raises(ValueError, match="the name of a device on Windows"):
        check_session_id(name)


@pytest.mark.parametrize("name", ["console", "con-1", "nul_", "com10", "lpt", "a-con", "auxiliary"])
def test_names_that_only_begin_like_devices_are_session_ids(name: str) -> None:
    assert check_session_id(name) == name


# ---- no error repeats a line of .env ----

PASTED = "Zq8vN2kLr5TxW9bYc4HdJf7GmPs3QaUe"


@pytest.mark.parametrize(
    "line",
    [
        PASTED,
        f"export {PASTED}",
        f"{PASTED} = {PASTED}",
        f"{PASTED}='{PASTED}",
        f"{PASTED}=\n{PASTED}=",
        f"LOGOS_CFG__VENUE__NAME={PASTED}",
        f"LOGOS_CFG__VENUE__EXCHANGE={PASTED}",
        f"LOGOS_CFG__RISK__MAX_POSITION={PASTED}",
        f"LOGOS_CFG__DATA__SYMBOLS=['{PASTED}', '{PASTED}']",
        f"LOGOS_CFG__{PASTED}=1",
        f"LOGOS_SEED={PASTED}",
    ],
)
def test_no_error_repeats_a_piece_of_a_key_that_stands_in_the_wrong_place(
    tmp_path: Path, line: str
) -> None:
    (tmp_path / ".env").write_text(line + "\n")
    (tmp_path / ".env").chmod(0o600)
    effective = read_layers(None, {}, {"LOGOS_HOME": str(tmp_path)})
    told = [*effective.unreadable, *effective.problems, *effective.refused]
    assert told
    pieces = {PASTED[at : at + 6].lower() for at in range(len(PASTED) - 5)}
    for text in told:
        assert not [piece for piece in pieces if piece in text.lower()], text


def test_a_settings_file_that_is_no_toml_names_no_key_of_another_kind(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(f'[venue]\nname = "ccxt"\nname = """\n{PASTED}=="""\n')
    with pytest.raises(ConfigError) as refused:
        read_toml(path)
    assert PASTED not in str(refused.value)
    path.write_text(f"[venue]\n{PASTED} = 1\n{PASTED} = 2\n")
    with pytest.raises(ConfigError) as refused:
        read_toml(path)
    assert PASTED not in str(refused.value)
