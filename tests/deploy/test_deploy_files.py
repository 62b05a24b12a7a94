"""Every file of deploy/ is what its own tool takes, and says what logos really is."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from doc_commands import parse
from places import PROJECT
from servers import program
from units import read_unit, starts_again

from logos import paths
from logos.config.tables.live import LiveSettings
from logos.session import ExitCode

DEPLOY = PROJECT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
BIN = Path(sys.executable).parent
_INSTALLED = "/opt/logos/bin/logos"
_EXPOSURE_MAX = 2.0
"""Of 10, as `systemd-analyze security` counts; a unit without hardening has 9.2 or more."""


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, check=False)


# ---- systemd ----


@pytest.fixture
def analyze() -> str:
    return program("systemd-analyze", "systemd")


def test_the_units_are_found() -> None:
    assert [path.name for path in UNITS] == [
        *("logos-alerts.service", "logos-metrics.service", "logos-ship.service"),
        "logos@.service",
    ]


@pytest.mark.parametrize("path", UNITS, ids=[path.name for path in UNITS])
def test_systemd_takes_the_unit(path: Path, analyze: str, tmp_path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(_INSTALLED) == 1
    copy = tmp_path / path.name
    copy.write_text(text.replace(_INSTALLED, str(BIN / "logos")), encoding="utf-8")
    done = run(analyze, "verify", "--man=no", str(copy))
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    copy.write_text(copy.read_text().replace("Restart=", "Restrat="), encoding="utf-8")
    assert "Restrat" in run(analyze, "verify", "--man=no", str(copy)).stderr, "and it can fail"


@pytest.mark.parametrize("path", UNITS, ids=[path.name for path in UNITS])
def test_a_unit_may_do_little_beyond_its_work(path: Path, analyze: str) -> None:
    done = run(analyze, "security", "--offline=true", "--no-pager", str(path))
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found is not None, done.stdout + done.stderr
    assert float(found[1]) <= _EXPOSURE_MAX


@pytest.mark.parametrize("path", UNITS, ids=[path.name for path in UNITS])
def test_the_command_of_a_unit_exists(path: Path) -> None:
    [command] = read_unit(path)["Service"]["ExecStart"]
    command = (
        command.replace(_INSTALLED, "logos").replace("%i", "desk-1").replace("$LOGOS_ARGS", "")
    )
    assert parse(command) == ""


def test_a_session_is_started_again_after_a_kill_and_never_after_an_answer() -> None:
    unit = read_unit(DEPLOY / "systemd" / "logos@.service")
    assert not [code for code in (*ExitCode, 130) if starts_again(unit, code)]
    listed = " ".join(unit["Service"]["RestartPreventExitStatus"]).split()
    assert listed == [str(int(code)) for code in (*sorted(ExitCode), 130) if code]
    assert not starts_again(unit, -15)
    for signal_number in (6, 9, 11):  # the watchdog, a kill, a fault
        assert starts_again(unit, -signal_number)


def test_a_stop_has_the_time_that_a_venue_needs() -> None:
    service = read_unit(DEPLOY / "systemd" / "logos@.service")["Service"]
    drain_s = LiveSettings().drain_timeout_s
    assert int(service["TimeoutStopSec"][0]) > 2 * drain_s
    assert service["Type"] == ["notify"]
    assert int(service["WatchdogSec"][0]) > 10 * LiveSettings().heartbeat_ms / 1000


# ---- containers ----


def test_the_dockerfile_is_what_the_linter_takes() -> None:
    linter = shutil.which("hadolint", path=str(BIN))
    assert linter is not None
    done = run(linter, "--failure-threshold", "style", str(DEPLOY / "docker" / "Dockerfile"))
    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_runs_as_nobody_and_asks_for_its_health() -> None:
    text = (DEPLOY / "docker" / "Dockerfile").read_text(encoding="utf-8")
    last = text.rpartition("\nFROM ")[2]
    assert "\nUSER 10001:10001\n" in last
    assert "logos health" in last
    assert "--no-index" in text, "nothing is fetched while it is built"


COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "docker/compose.yaml").read_text("utf-8"))


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_a_service_of_compose_can_write_its_volume_only(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert int(service["user"].split(":")[0]) > 0
    assert "privileged" not in service
    writable = [each for each in service["volumes"] if not each.endswith(":ro")]
    assert writable == ["workspace:/var/lib/logos"]
    assert parse(shlex.join(["logos", *service["command"]])) == ""


def test_the_session_of_compose_stops_in_time_and_is_not_started_for_ever() -> None:
    session = COMPOSE["services"]["session"]
    assert session["restart"] == "on-failure:3"
    assert int(session["stop_grace_period"].removesuffix("s")) > 2 * LiveSettings().drain_timeout_s
    health = session["healthcheck"]["test"]
    assert health[0] == "CMD"
    assert parse(shlex.join(health[1:])) == ""


# ---- Kubernetes ----

MANIFEST = DEPLOY / "kubernetes" / "session.yaml"
RESOURCES = {each["kind"]: each for each in yaml.safe_load_all(MANIFEST.read_text("utf-8"))}


@pytest.mark.long
def test_kubernetes_takes_the_manifests(tmp_path: Path) -> None:
    validate = str(BIN / "kubernetes-validate")
    done = run(validate, "--strict", str(MANIFEST))
    assert done.returncode == 0, done.stdout + done.stderr
    bad = tmp_path / "bad.yaml"
    bad.write_text(MANIFEST.read_text("utf-8").replace("replicas:", "replica:"), encoding="utf-8")
    assert run(validate, "--strict", str(bad)).returncode != 0, "and it can fail"


def test_there_is_never_more_than_one_of_a_session() -> None:
    spec = RESOURCES["StatefulSet"]["spec"]
    assert spec["replicas"] == 1
    assert spec["updateStrategy"] == {"type": "OnDelete"}
    [claim] = spec["volumeClaimTemplates"]
    assert claim["spec"]["accessModes"] == ["ReadWriteOncePod"]
    assert RESOURCES["PodDisruptionBudget"]["spec"]["maxUnavailable"] == 0
    wanted = spec["selector"]["matchLabels"]
    assert spec["template"]["metadata"]["labels"] == wanted
    for kind in ("Service", "PodDisruptionBudget", "NetworkPolicy"):
        inner = RESOURCES[kind]["spec"]
        selector = inner.get("selector") or inner["podSelector"]
        assert selector.get("matchLabels", selector) == wanted


def test_the_pod_may_do_little_beyond_its_work() -> None:
    pod = RESOURCES["StatefulSet"]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    assert pod["terminationGracePeriodSeconds"] > 2 * LiveSettings().drain_timeout_s
    for container in pod["containers"]:
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"] is True
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert parse(shlex.join(["logos", *container["args"]])) == ""
        assert "env" not in container, "secrets come by reference"


def test_only_what_a_new_process_would_cure_restarts_the_container() -> None:
    [session] = [
        each
        for each in RESOURCES["StatefulSet"]["spec"]["template"]["spec"]["containers"]
        if each["name"] == "session"
    ]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        command = session[probe]["exec"]["command"]
        assert parse(shlex.join(command)) == ""
        assert ("--liveness" in command) is (probe != "readinessProbe")


# ---- log shipping ----


def test_the_log_shipper_reads_where_sessions_write() -> None:
    config = yaml.safe_load((DEPLOY / "logs" / "vector.yaml").read_text("utf-8"))
    [source] = config["sources"].values()
    assert source["read_from"] == "beginning"
    logs = paths.logs_dir().relative_to(paths.home())
    assert source["include"] == [f"/var/lib/logos/{logs}/*.jsonl"]
    named = {*config["sources"], *config["transforms"]}
    for part in (*config["transforms"].values(), *config["sinks"].values()):
        assert set(part["inputs"]) <= named
    [sink] = config["sinks"].values()
    assert sink["buffer"]["when_full"] == "block", "nothing is dropped"


def test_no_file_holds_a_secret() -> None:
    secret = re.compile(r"(?i)(password|secret|token)\s*[:=]\s*[\"']?[a-z0-9]{8,}")
    assert secret.search('auth: { token: "0a1b2c3d" }'), "and it can fail"
    found = [path for path in DEPLOY.rglob("*") if path.is_file()]
    assert len(found) > 10
    assert [path for path in found if secret.search(path.read_text(encoding="utf-8"))] == []
