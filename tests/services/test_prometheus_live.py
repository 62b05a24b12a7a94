"""A real Prometheus scrapes `logos metrics` over real sessions, and a real Alertmanager is told."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml
from alert_receivers import Hook
from places import PROJECT
from prometheus_files import FOLDER, MANAGER, RULES, board_tool
from servers import HOST, Server, free_ports, program, running
from waiting import wait_until

pytestmark = pytest.mark.campaign

SETTINGS = f"""
[session]
id = "desk"
[strategy]
name = "sma_cross"
params = {{ fast = 2, slow = 3 }}
[data]
paths = ["{PROJECT / "data" / "cache"}"]
symbols = ["ACME", "EURUSD"]
from = "2026-01-05T13:30:00Z"
accept = ["gap"]
[account]
balances = {{ USD = "100000" }}
[risk]
max_order_notional = "60000"
stale_after_s = "100000"
[risk.total]
max_orders = 3
max_orders_window_s = "1"
max_refusals = 100000
[live]
feed = "replay"
speed = "600"
heartbeat_ms = 200
"""
"""Ten bars a second of each symbol, and more orders than are allowed."""

SECOND_NS = 10**9


def alerts_of(hook: Hook) -> list[dict[str, Any]]:
    """The alerts that an Alertmanager told a web hook of."""
    return [alert for message in hook.messages for alert in message["alerts"]]


def names(hook: Hook) -> set[str]:
    """What they are called, those that fire."""
    return {each["labels"]["alertname"] for each in alerts_of(hook) if each["status"] == "firing"}


class Site:
    """Sessions, the exporter, Prometheus and the Alertmanager of one workspace."""

    def __init__(self, home: Path, stack: ExitStack) -> None:
        self.home = home
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(PROJECT / "src"),
            "LOGOS_HOME": str(home),
        }
        self._stack = stack
        self.hook = stack.enter_context(Hook())
        exporter, prometheus, manager = free_ports(3)
        self.exporter = stack.enter_context(
            running(
                [*self.logos, "metrics", "--listen", f"{HOST}:{exporter}"],
                home / "exporter",
                exporter,
                environment=self.environment,
            )
        )
        self.manager = self._start_manager(manager)
        self.prometheus = self._start_prometheus(prometheus)

    @property
    def logos(self) -> list[str]:
        return [sys.executable, "-m", "logos.live"]

    def _start_manager(self, port: int) -> Server:
        loaded = yaml.safe_load(MANAGER.read_text(encoding="utf-8"))
        [receiver] = loaded["receivers"]
        receiver["webhook_configs"][0]["url"] = self.hook.url
        folder = self.home / "manager"
        folder.mkdir()
        (folder / "alertmanager.yml").write_text(yaml.safe_dump(loaded), encoding="utf-8")
        command = [program("prometheus-alertmanager", "prometheus-alertmanager")]
        command += ["--config.file=alertmanager.yml", "--storage.path=data"]
        command += [f"--web.listen-address={HOST}:{port}", "--cluster.listen-address="]
        return self._stack.enter_context(running(command, folder, port))

    def _start_prometheus(self, port: int) -> Server:
        loaded = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
        [job] = loaded["scrape_configs"]
        job.update(scrape_interval="500ms", scrape_timeout="500ms")
        job["static_configs"] = [{"targets": [self.exporter.address]}]
        [managers] = loaded["alerting"]["alertmanagers"]
        managers["static_configs"] = [{"targets": [self.manager.address]}]
        rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))
        rules["groups"][0]["interval"] = "500ms"
        for rule in rules["groups"][0]["rules"]:
            rule["for"] = "1s" if "for" in rule else "0s"  # how long is the file's own test
        folder = self.home / "prometheus"
        folder.mkdir()
        for name, content in (("prometheus.yml", loaded), (RULES.name, rules)):
            (folder / name).write_text(yaml.safe_dump(content), encoding="utf-8")
        command = [program("prometheus", "prometheus"), "--config.file=prometheus.yml"]
        command += ["--storage.tsdb.path=data", f"--web.listen-address={HOST}:{port}"]
        return self._stack.enter_context(running(command, folder, port))

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The instant vector of an expression."""
        words = urllib.parse.urlencode({"query": expression})
        url = f"http://{self.prometheus.address}/api/v1/query?{words}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return list(json.load(answer)["data"]["result"])
        except OSError:
            return []

    def value(self, expression: str) -> float | None:
        found = self.query(expression)
        return float(found[0]["value"][1]) if found else None

    def command(self, *words: str) -> int:
        done = subprocess.run(
            [*self.logos, *words], env=self.environment, capture_output=True, check=False
        )
        return done.returncode

    def begin(self, *words: str) -> subprocess.Popen[bytes]:
        """A session of this workspace, killed in the end if it still runs then."""
        log = self._stack.enter_context((self.home / "session.log").open("ab"))
        process = subprocess.Popen(
            [*self.logos, *words], env=self.environment, stdout=log, stderr=log
        )

        def end() -> None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()

        self._stack.callback(end)
        return process


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    home = tmp_path / "desk"
    home.mkdir()
    (home / "session.toml").write_text(SETTINGS, encoding="utf-8")
    with ExitStack() as stack:
        yield Site(home, stack)


def unanswered(site: Site) -> list[str]:
    """The queries of the board that are empty now."""
    tool = board_tool()
    pick = {tool.RATE: "5s", "$workspace": ".*", "$session": ".*"}
    empty = []
    for expression in tool.expressions():
        for variable, value in pick.items():
            expression = expression.replace(variable, value)
        if not site.query(expression):
            empty.append(expression)
    return empty


def is_one(site: Site, expression: str) -> Callable[[], bool]:
    return lambda: site.value(expression) == 1


def test_a_live_prometheus_has_every_figure_of_a_session_and_an_alertmanager_its_alerts(
    site: Site,
) -> None:
    session = site.begin("trade", "--config", str(site.home / "session.toml"))
    up = 'logos_up{session="desk"}'
    wait_until(is_one(site, up), "the session to be scraped")
    wait_until(lambda: not unanswered(site), "every query of the board to be answered")

    # The session is killed and resumed: its counters do not fall.
    orders = 'sum(logos_ticks_total{session="desk"})'
    session.send_signal(signal.SIGKILL)
    session.wait()
    wait_until(is_one(site, 'logos_session_state{session="desk",state="dead"}'), "its death")
    wait_until(lambda: "LogosSessionDied" in names(site.hook), "to be told of its death")
    before = site.value(orders)
    assert before
    site.begin("resume", "desk")
    running_ = 'logos_session_state{session="desk",state="running"}'
    wait_until(is_one(site, running_), "the resumed session")
    wait_until(lambda: (site.value(orders) or 0) > before, "it to go on")
    falls = site.value("max_over_time(sum(resets(logos_ticks_total[2m]))[2m:500ms])")
    assert falls == 0

    # The switch is engaged: the Alertmanager tells the web hook.
    assert site.command("kill", "--reason", "a test") == 0
    wait_until(lambda: "LogosSwitchEngaged" in names(site.hook), "the alert of the switch")
    [alert] = [
        each for each in alerts_of(site.hook) if each["labels"]["alertname"] == "LogosSwitchEngaged"
    ][:1]
    assert alert["labels"]["workspace"] == str(site.home)
    wait_until(lambda: site.value(f"{up} == 0") == 0, "the session to end")
    wait_until(lambda: "LogosSessionFailed" in names(site.hook), "the alert of its end")
    assert "LogosNoScrape" not in names(site.hook)
    assert site.value("sum(logos_scrape_errors_total)") == 0

    # The exporter is killed: nobody watches, and that is told too.
    site.exporter.kill()
    wait_until(lambda: "LogosNoScrape" in names(site.hook), "the exporter's death")
