"""What `make dist` and the public CI build, checked offline; `make dist-check` uses it."""

from __future__ import annotations

import ast
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from places import PROJECT

sys.path.insert(0, str(PROJECT / "tools"))

import make_dist

WORKFLOW = PROJECT / ".github" / "workflows" / "wheels.yml"


def test_the_workflow_is_one_by_its_published_schema_and_each_line_of_ours_is_a_target() -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "check_jsonschema"),
            *("--builtin-schema", "vendor.github-workflows", str(WORKFLOW)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    jobs: dict[str, Any] = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]
    commands = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    targets = {words.split()[1] for words in commands if words.startswith("make ")}
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    assert targets == {"dist", "dist-check"}
    assert all(f"\n{target}: " in makefile for target in targets)


@pytest.mark.parametrize(
    ("platform", "tags"),
    [
        ("linux", ["manylinux_x86_64", "manylinux_aarch64"]),
        ("macos", ["macosx_x86_64", "macosx_arm64"]),
        ("windows", ["win_amd64", "win_arm64"]),
    ],
)
def test_every_supported_python_is_built_on_each_system(platform: str, tags: list[str]) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "cibuildwheel", "--print-build-identifiers"),
            *("--platform", platform, str(PROJECT)),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    built = {
        line.split("-")[0] for line in done.stdout.splitlines() if line.split("-", 1)[1] in tags
    }
    assert built == {f"cp{version.replace('.', '')}" for version in make_dist.VERSIONS}
    with (PROJECT / "pyproject.toml").open("rb") as file:
        settings = tomllib.load(file)["tool"]["cibuildwheel"]
    assert settings["environment"] == {"LOGOS_COMPILE": "1"}


@pytest.mark.long
def test_the_sdist_holds_every_source_and_nothing_that_was_built(tmp_path: Path) -> None:
    sdist = make_dist.make_sdist(tmp_path)
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    known = set(make_dist.run(["git", "ls-files", "src"], cwd=PROJECT).split())
    assert len(known) > 500
    assert known <= names
    assert {"setup.py", "pyproject.toml", "LICENSE", "README.md"} <= names
    assert [name for name in names if name.endswith((".so", ".c")) or "built_from" in name] == []
    assert [name for name in names if name.startswith("tests")] == []


def test_a_python_that_is_not_that_version_or_cannot_make_environments_is_no_candidate(
    tmp_path: Path,
) -> None:
    here = "{}.{}".format(*sys.version_info)
    other = next(version for version in make_dist.VERSIONS if version != here)
    assert make_dist.is_usable(Path(sys.executable), here)
    assert not make_dist.is_usable(Path(sys.executable), other)
    bare = tmp_path / "python"
    bare.write_text("#!/bin/sh\nexit 1\n")
    bare.chmod(0o755)
    assert not make_dist.is_usable(bare, here)


def test_a_step_that_fails_is_said_with_all_that_it_printed() -> None:
    with pytest.raises(make_dist.DistFailed, match=r"failed:\nseen here\n"):
        make_dist.run([sys.executable, "-c", "print('seen here'); raise SystemExit(3)"])


def test_the_continuous_run_takes_extensions_out_of_a_wheel(tmp_path: Path) -> None:
    """The lines of `.ci/run`, on a wheel of names only."""
    wheel = tmp_path / "logos_trading-1-cp311-cp311-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in ("logos/core/engine.so", "logos/core/engine.py", "logos/core/built_from.txt"):
            archive.writestr(name, name)
        archive.writestr("logos_core__mypyc.so", "shared")
    script = (PROJECT / ".ci" / "run").read_text(encoding="utf-8")
    code = script.split("taken='", 1)[1].split("'\n", 1)[0]
    ast.parse(code)
    built = tmp_path / "built"
    subprocess.run([sys.executable, "-c", code, str(wheel), str(built)], check=True)
    found = {path.relative_to(built).as_posix() for path in built.rglob("*") if path.is_file()}
    assert found == {
        "logos/core/engine.so",
        "logos/core/built_from.txt",
        "logos_core__mypyc.so",
    }
