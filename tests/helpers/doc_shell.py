"""The commands of a document carried out in their order, in one shell and one workspace.

Problem: in a guide of operations sessions run beside each other, are looked at, killed and waited
for: one process cannot play that. Method: all steps become one script, each followed by a mark with
its exit code; what stands between two marks is what a step printed.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from doc_commands import Step
from registry_box import keeps

_MARK = re.compile(r"<<(\d+):(\d+)>>\n")


def run_in_shell(
    steps: Sequence[Step],
    folder: Path,
    written_as: str,
    *,
    patience_s: float,
    after: Mapping[str, str] | None = None,
) -> list[tuple[int, str]]:
    """Exit code and output of each step, in `folder`, which documents call `written_as`.

    `after` has shell lines that follow a command: what a reader does and no command shows.
    """
    environment = {name: value for name, value in os.environ.items() if keeps(name)}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    environment["LOGOS_CFG__LIVE__HEARTBEAT_MS"] = "100"
    with subprocess.Popen(
        ["bash", "-c", _script(steps, after or {})],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as shell:
        try:
            printed, _ = shell.communicate(timeout=patience_s)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)  # a session that a failed step left behind
    parts = _MARK.split(printed.replace(str(folder), written_as))
    assert [int(number) for number in parts[1::3]] == list(range(len(steps))), printed[-2_000:]
    return [(int(code), output) for output, code in zip(parts[0::3], parts[2::3], strict=False)]


def _script(steps: Sequence[Step], after: Mapping[str, str]) -> str:
    """All steps for one shell, each followed by a mark with its exit code."""
    lines = []
    for number, step in enumerate(steps):
        lines.append(step.command)
        lines.append(f'echo "<<{number}:$?>>"')
        if step.command in after:
            lines.append(after[step.command])
        started = re.search(r"--session-id (\S+)|logos resume (\S+)", step.command)
        if step.command.endswith("&") and started:
            name = started[1] or started[2]
            # The operator's patience: until another process has given its first heartbeat. A
            # cheap look, as asking `logos status` over and over would hold that process up.
            there = f"grep -qs '\"is_live\":true' state/sessions/{name}.json"
            lines.append(f"for _ in {{1..1500}}; do {there} && break; sleep 0.02; done")
    return "\n".join([*lines, "wait"])
