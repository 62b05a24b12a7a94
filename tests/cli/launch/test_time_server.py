"""The machine's clock against a time server: one question of SNTP."""

from __future__ import annotations

import socket
import struct
import threading
import time
from contextlib import closing

import pytest
from launch_helpers import Desk

from logos.cli.launch import ntp


class TimeServer:
    """Answers one question of SNTP as `RFC 4330` has it; `offset_s` is its clock against ours."""

    def __init__(self, offset_s: float, *, stratum: int = 2) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._offset_s = offset_s
        self._stratum = stratum
        self._thread = threading.Thread(target=self._answer)
        self._thread.start()

    def _answer(self) -> None:
        question, sender = self._socket.recvfrom(512)
        assert (len(question), question[0] & 7) == (48, 3)
        now = time.time() + self._offset_s + 2_208_988_800
        stamp = struct.pack("!II", int(now), int(now % 1 * 2**32))
        answer = bytes([0x24, self._stratum]) + bytes(30) + stamp + stamp
        self._socket.sendto(answer, sender)

    def close(self) -> None:
        self._thread.join()
        self._socket.close()


@pytest.mark.parametrize(("offset_s", "is_fine"), [(0.0, True), (7.5, False), (-7.5, False)])
def test_the_clock_is_compared_with_a_time_server(
    desk: Desk, offset_s: float, is_fine: bool
) -> None:
    server = TimeServer(offset_s)
    desk.limits |= {"ntp_server": server.address, "max_clock_offset_ms": 5_000}
    assert desk.run("--quiet", "--until", "pre-checks") == (0 if is_fine else 2)
    server.close()
    findings = desk.report()["phases"][0]["findings"]
    [found] = [each for each in findings if each["name"] == "clock offset"]
    assert found["fine"] is is_fine
    assert abs(float(found["seen"].split(" ms")[0]) - offset_s * 1000) < 2_500


def test_a_time_server_that_does_not_answer_is_said(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ntp, "ANSWER_S", 0.05)
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as silent:
        silent.bind(("127.0.0.1", 0))
        desk.limits["ntp_server"] = f"127.0.0.1:{silent.getsockname()[1]}"
        assert desk.run("--quiet", "--until", "pre-checks") == 0
    findings = desk.report()["phases"][0]["findings"]
    [found] = [each for each in findings if each["name"] == "clock offset"]
    assert found["seen"].startswith("not known: ")


def test_an_answer_of_a_server_without_a_time_is_none() -> None:
    server = TimeServer(0.0, stratum=0)  # "kiss of death"
    with pytest.raises(OSError, match="no time"):
        ntp.clock_offset_s(server.address)
    server.close()
