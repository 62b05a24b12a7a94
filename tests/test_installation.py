"""What a message says to install fits this installation, and no text names a stranger's package."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

import pytest
from places import PROJECT

import logos.build as build
from logos import installation
from logos.installation import install_command, source_checkout, stale_core, system_problem


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source checkout that logos seems to run from."""
    package = tmp_path / "check out" / "src" / "logos"
    package.mkdir(parents=True)
    root = package.parent.parent
    for name in ("Makefile", "pyproject.toml"):
        (root / name).touch()
    monkeypatch.setattr(installation, "source_checkout", lambda: source_checkout(package))
    return root


def test_a_checkout_with_its_own_environment_is_completed_by_make(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", str(checkout / ".venv"))
    assert install_command("ccxt") == f"make -C '{checkout}' env"
    monkeypatch.chdir(checkout)
    assert install_command("ccxt") == "make env"


def test_a_checkout_in_another_environment_is_installed_from_its_folder(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", "/opt/python")
    assert install_command("ccxt") == f"pip install -e '{checkout}[ccxt]'"
    monkeypatch.chdir(checkout)
    assert install_command("ccxt", "live") == "pip install -e '.[ccxt,live]'"


def test_a_wheel_is_completed_from_the_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "source_checkout", lambda: None)
    assert install_command("ccxt") == "pip install 'logos-trading[ccxt]'"
    assert install_command() == "pip install 'logos-trading'"


def test_only_a_folder_with_the_sources_is_a_checkout(tmp_path: Path) -> None:
    assert source_checkout() == PROJECT
    (tmp_path / "src" / "logos").mkdir(parents=True)
    assert source_checkout(tmp_path / "src" / "logos") is None
    assert source_checkout(tmp_path / "site-packages" / "logos") is None


def test_the_distribution_and_its_extras_have_the_names_that_messages_say() -> None:
    with (PROJECT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    extras = project["optional-dependencies"]
    assert project["name"] == installation.DISTRIBUTION
    everything = [re.fullmatch(r"([\w-]+)\[([\w,]+)\]", each) for each in extras["all"]]
    assert {each and each[1] for each in everything} == {installation.DISTRIBUTION}
    together = {name for each in everything if each for name in each[2].split(",")}
    assert together == set(extras) - {"all", "compiled", "dev"}
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    [listed] = re.findall(r"^Extras: (.*?)\.", readme, re.M | re.S)
    assert set(re.findall(r"`([\w-]+)`", listed)) == set(extras) - {"compiled", "dev"}
    named = {
        name
        for path in PROJECT.glob("src/**/*.py")
        for names in re.findall(r"install_command\(([^)]*)\)", path.read_text(encoding="utf-8"))
        for name in re.findall(r'[\'"](\w+)[\'"]', names)
    }
    assert named
    assert named <= set(extras)


def texts() -> list[Path]:
    found = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split("\0")
    listed = [PROJECT / name for name in found if name] or [
        *PROJECT.glob("*.md"),
        *PROJECT.glob("docs/*"),
        *PROJECT.glob("src/**/*.py"),
    ]
    return [path for path in listed if path.suffix in (".md", ".html", ".py", ".toml", ".ipynb")]


STRANGER = re.compile(
    r"pip\d?\s+install\s+[^\n`]*(?<![\w./-])logos(?!-trading)(?=[\[\s'\"`]|$)", re.M
)


def test_no_text_tells_to_install_the_other_project_of_this_name() -> None:
    paths = [path for path in texts() if path.name != Path(__file__).name and path.is_file()]
    assert len(paths) > 100
    found = [
        f"{path.relative_to(PROJECT)}: {match[0]}"
        for path in paths
        for match in STRANGER.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "text", ["pip install 'logos[ccxt]'", "pip install logos", 'pip3 install -U "logos[all]"']
)
def test_the_check_can_fail(text: str) -> None:
    assert STRANGER.search(text)


@pytest.mark.parametrize(
    "text", ["pip install 'logos-trading[ccxt]'", "pip install -e '.[all]'", "pip install ./logos"]
)
def test_what_is_ours_passes(text: str) -> None:
    assert not STRANGER.search(text)


def test_systems_without_what_the_engine_needs_are_refused_in_one_line(tmp_path: Path) -> None:
    assert system_problem() == ""
    assert "WSL2" in system_problem("win32")
    darwin = system_problem("darwin", tmp_path / "absent")
    assert "/proc" in darwin
    assert "Linux container" in darwin
    assert "\n" not in darwin


def test_a_core_that_was_compiled_from_other_sources_is_refused_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An extension wins over the source beside it: after an edit it would be the old core."""
    package = tmp_path / "src" / "logos"
    for folder in ("core", "indicators", "session/artifacts"):
        (package / folder).mkdir(parents=True)
    compiled = ("core/engine", "indicators/base", "session/artifacts/rows")
    for name in (*compiled, "core/plain"):
        (package / f"{name}.py").write_text(f"# {name}")
    assert stale_core(package) == ""
    for name in compiled:
        (package / f"{name}{EXTENSION_SUFFIXES[0]}").touch()
    assert "from other sources" in stale_core(package), (
        "one that does not say what it was built from"
    )
    setup: dict[str, Any] = {"__name__": "setup", "setup": lambda **words: None}
    source = (PROJECT / "setup.py").read_text(encoding="utf-8")
    exec(source.replace("from setuptools import setup", ""), setup)  # the module as it stands
    monkeypatch.chdir(tmp_path)
    setup["note_sources"]([Path("src/logos", f"{name}.py") for name in compiled])
    assert stale_core(package) == ""
    (package / "core" / "plain.py").write_text("# edited, and not compiled")
    (package / "core" / "plain.of-another-python.so").touch()
    assert stale_core(package) == ""
    for name in compiled:
        (package / f"{name}.py").write_text("# edited")
        assert "install logos again" in stale_core(package)
        (package / f"{name}.py").write_text(f"# {name}")
        assert stale_core(package) == ""
    left = package / "core" / f"moved{EXTENSION_SUFFIXES[0]}"
    left.touch()
    assert "from other sources" in stale_core(package), "one of another build"
    left.unlink()
    (package / "session/artifacts/rows.py").unlink()
    assert "from other sources" in stale_core(package), "one whose source is gone"
    for name in ("Makefile", "pyproject.toml"):
        (tmp_path / name).touch()
    assert "`make compiled` builds it anew" in stale_core(package)


def test_no_hash_is_given_to_a_core_that_was_compiled_from_other_sources(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(build, "stale_core", lambda: "the compiled core was built from others")
    build.build_hash.cache_clear()
    with pytest.raises(build.StaleCore, match="built from others"):
        build.build_hash()
