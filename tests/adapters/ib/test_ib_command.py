"""`logos venue check ib` at the simulated gateway, as it is typed."""

from __future__ import annotations

import ib_libraries  # noqa: F401 - first

# isort: split

from collections.abc import Iterator
from pathlib import Path

import pytest
from ib_threads import gateway_in_thread

from logos.cli.main import main
from logos.simulators.ib import TwsGateway

SETTINGS = """
[data]
symbols = ["AAPL"]
[instruments.AAPL]
tick = "0.01"
lot = "1"
min_quantity = "{least}"
quote = "USD"
"""


@pytest.fixture
def gateway() -> Iterator[TwsGateway]:
    with gateway_in_thread() as there:
        yield there


@pytest.mark.parametrize(("least", "code"), [("1", 0), ("0", 2)])
def test_a_gateway_is_looked_at_and_nothing_is_sent(
    gateway: TwsGateway,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    least: str,
    code: int,
) -> None:
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    settings = tmp_path / "session.toml"
    settings.write_text(SETTINGS.format(least=least))
    url = f"tcp://127.0.0.1:{gateway.port}/7"
    assert main(["venue", "check", "ib", "--url", url, "--config", str(settings)]) == code
    said = capsys.readouterr().out
    assert f"paper account; orders would go to 127.0.0.1:{gateway.port} as client 7" in said
    assert "AAPL STK at SMART, number 265598, in USD" in said
    assert ('set instruments.AAPL.min_quantity = "1"' in said) is bool(code)
    assert gateway.asked(3) == 0
    assert gateway.unread == []
