"""The same session gives the same bytes: any hash seed, time zone, locale, Python, reader, core.

Two sessions run in processes of their own, from one copy of the sources: the example that comes
along, and one whose strategy draws random numbers and uses every kind of order. What counts is
the SHA-256 of every file they leave but host.json and the page of figures, which hold what may
differ.

Other Pythons are used where they are on this machine. Each needs an environment `.venv-3.X`
beside the project, as `make test-all` makes them; where LOGOS_REQUIRE_SERVICES=1 is set, it is
made here from the package index, and a failure to do so is one of the test.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from places import PROJECT, absent, is_all_required
from session_helpers import WITH_REPORT, table

pytestmark = pytest.mark.campaign
VERSIONS = ("3.11", "3.12", "3.13")

BUSY_SESSION = """\
[session]
seed = 7

[strategy]
name = "tests/helpers/session_helpers.py:Busy"

[strategy.params]
every = 9
sizes = { ACME = "3", BTCUSDT = "0.001", ETHUSDT = "0.01", EURUSD = "1000" }

[data]
paths = ["data/cache"]
accept = ["gap"]

[account]
balances = { USD = "100000", USDT = "100000", BTC = "1", ETH = "5", ACME = "100" }

[paper]
participation = "0.3"
slippage_bps = "1.5"
"""

Digests = Mapping[str, str]


def copy_sources(target: Path, *, with_extensions: bool) -> Path:
    """A copy of src, so that all runs have the same; without C extensions it is interpreted."""
    left_out = ["__pycache__", "*.egg-info"] + ([] if with_extensions else ["*.so"])
    shutil.copytree(PROJECT / "src", target, ignore=shutil.ignore_patterns(*left_out))
    return target


class Runner:
    """Runs both sessions in new processes and gives the digests of what they wrote."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sources = copy_sources(folder / "src", with_extensions=True)
        self.busy_config = folder / "busy.toml"
        self.busy_config.write_text(BUSY_SESSION, encoding="utf-8")
        self._baseline: Digests | None = None

    def run(
        self,
        name: str,
        *,
        python: str = sys.executable,
        sources: Path | None = None,
        path_first: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Digests:
        home = self.folder / f"home_{name}"
        path = [path_first, sources or self.sources]
        for session_id, config in (("example", "examples/session.toml"), ("busy", None)):
            options = ["--session-id", session_id, "--config", config or str(self.busy_config)]
            done = subprocess.run(
                [python, "-m", "logos.live", "trade", "--quiet", *options],
                cwd=PROJECT,
                env={
                    **{key: value for key, value in os.environ.items() if key != "LOGOS_SEED"},
                    "LOGOS_HOME": str(home),
                    "PYTHONPATH": os.pathsep.join(str(each) for each in path if each),
                    "PYTHONDONTWRITEBYTECODE": "1",
                    **(environment or {}),
                },
                capture_output=True,
                text=True,
                timeout=120,
            )
            # A new workspace says once that its kill switch has been armed.
            said = [line for line in done.stderr.splitlines() if "armed for paper" not in line]
            assert (done.returncode, done.stdout, said) == (0, "", [])
        # The machine's kill switch in state/ outlives sessions, and bears real times.
        folders = (home / "runs", home / "logos")
        files = [file for each in folders for file in sorted(each.rglob("*")) if file.is_file()]
        assert [file.name for file in files].count("host.json") == 2
        return {
            str(file.relative_to(home)): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in files
            if file.name != "host.json" and not file.name.endswith(".metrics.json")
        }

    def host(self, name: str, session_id: str = "example") -> dict[str, str]:
        """host.json of the run `name`."""
        path = self.session(name, session_id) / "host.json"
        facts: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        return facts

    def session(self, name: str, session_id: str) -> Path:
        return self.folder / f"home_{name}" / "runs" / "live" / "sessions" / session_id

    @property
    def baseline(self) -> Digests:
        """What all other runs must equal: this Python, hash seed 0, UTC."""
        if self._baseline is None:
            environment = {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C.UTF-8"}
            self._baseline = self.run("baseline", environment=environment)
        return self._baseline


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    return Runner(tmp_path_factory.mktemp("determinism"))


def test_the_sessions_that_are_compared_do_something(runner: Runner) -> None:
    names = {Path(path).name for path in runner.baseline}
    assert names == (set(WITH_REPORT) - {"host.json"}) | {"example.jsonl", "busy.jsonl"}
    assert len(runner.baseline) == 2 * len(WITH_REPORT)
    example = runner.session("baseline", "example")
    assert {row["symbol"] for row in table(example, "trades")} == {"ACME", "BTCUSDT", "EURUSD"}
    busy = runner.session("baseline", "busy")
    assert len(table(busy, "trades")) > 200
    types = {row["type"] for row in table(busy, "orders")}
    assert types == {"MARKET", "LIMIT", "STOP", "STOP_LIMIT"}


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONHASHSEED": "1", "TZ": "Pacific/Chatham", "LC_ALL": "de_DE.UTF-8"},
        {"PYTHONHASHSEED": "4294967295", "TZ": "America/St_Johns", "LC_ALL": "tr_TR.UTF-8"},
        {
            "PYTHONHASHSEED": "random",
            "LC_ALL": "C",
            "PYTHONCOERCECLOCALE": "0",
            "PYTHONUTF8": "0",
        },
    ],
    ids=lambda environment: environment["LC_ALL"],
)
def test_hash_seed_time_zone_and_locale_change_no_byte(
    runner: Runner, environment: Mapping[str, str]
) -> None:
    name = f"hash_seed_{environment['PYTHONHASHSEED']}"
    assert runner.run(name, environment=environment) == runner.baseline


def test_another_seed_changes_what_is_written(runner: Runner) -> None:
    """The comparison can fail: this must show."""
    changed = BUSY_SESSION.replace("seed = 7", "seed = 8")
    other = Runner(runner.folder / "other")
    other.busy_config.write_text(changed, encoding="utf-8")
    digests = other.run("seed")
    differing = {path for path in digests if digests[path] != runner.baseline[path]}
    assert {Path(path).name for path in differing} >= {"trades.csv", "state.jsonl", "session.md"}
    assert all("example" not in path for path in differing)


def test_the_reader_of_the_standard_library_gives_the_same_bytes_as_pyarrow(
    runner: Runner,
) -> None:
    hidden = runner.folder / "hidden"
    (hidden / "pyarrow").mkdir(parents=True)
    (hidden / "pyarrow" / "__init__.py").write_text("raise ImportError('hidden by a test')\n")
    program = "from logos.data.readers.optional import arrow_available; print(arrow_available())"
    path = os.pathsep.join([str(hidden), str(runner.sources)])
    said = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "False\n"
    assert runner.run("stdlib_reader", path_first=hidden) == runner.baseline


def test_the_interpreted_core_elsewhere_gives_the_same_bytes(runner: Runner) -> None:
    """Under `make test-compiled` the baseline is compiled and this copy is not."""
    interpreted = copy_sources(runner.folder / "interpreted", with_extensions=False)
    assert runner.run("interpreted", sources=interpreted) == runner.baseline
    assert runner.host("interpreted")["core"] == "interpreted"
    expected = "compiled" if os.environ.get("LOGOS_EXPECT_COMPILED") == "1" else "interpreted"
    assert runner.host("baseline")["core"] == expected


# ---- other Pythons ----


def version_of(python: str) -> str:
    """ "3.12" and the like; empty when it cannot be run."""
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-c", program], capture_output=True, text=True, timeout=30)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def find_interpreter(version: str) -> str | None:
    """Named by PYTHON312 and the like, else on the path, else one of pyenv's."""
    named = os.environ.get(f"PYTHON{version.replace('.', '')}")
    if named:
        assert version_of(named) == version, f"{named} is not Python {version}"
        return named
    pyenv = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python{version}"))
    candidates = [shutil.which(f"python{version}"), *map(str, pyenv)]
    return next((each for each in candidates if each and version_of(each) == version), None)


def has_dependencies(python: str) -> bool:
    done = subprocess.run([python, "-c", "import msgspec, tqdm"], capture_output=True, timeout=60)
    return done.returncode == 0


def make_environment(interpreter: str, folder: Path) -> None:
    """An environment with what logos needs at run time; fails the test when that is impossible."""
    subprocess.run([interpreter, "-m", "venv", str(folder)], check=True, timeout=120)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    wanted = ["-c", str(PROJECT / "constraints.txt"), "msgspec", "tqdm"]
    subprocess.run([*pip, *wanted], check=True, timeout=300)


def python_of(version: str) -> str:
    """A Python of that version that can run logos; skips the test when there is none."""
    for name in (f".venv-{version}", ".venv"):
        python = str(PROJECT / name / "bin" / "python")
        if version_of(python) == version and has_dependencies(python):
            return python
    interpreter = find_interpreter(version)
    if interpreter is None:
        absent(f"there is no Python {version} on this machine")
    if not is_all_required():
        pytest.skip(f"no environment .venv-{version} yet: `make test-all` makes it")
    make_environment(interpreter, PROJECT / f".venv-{version}")
    return str(PROJECT / f".venv-{version}" / "bin" / "python")


@pytest.mark.timeout(500)
@pytest.mark.parametrize("version", VERSIONS)
def test_every_supported_python_writes_the_same_bytes(runner: Runner, version: str) -> None:
    digests = runner.run(version, python=python_of(version))
    assert digests == runner.baseline
    assert runner.host(version)["python"].startswith(f"{version}.")
