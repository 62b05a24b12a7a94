"""The commands of docs/FLEET.md, in their order, against a real etcd."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from doc_commands import DESK, blocks, files, make_workspace, missing, run_step
from etcd_servers import etcd

DOCUMENT = "docs/FLEET.md"
PORT = "http://127.0.0.1:2379"


@pytest.mark.long
def test_the_commands_of_fleet_md_do_what_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = tmp_path / "desk"
    desk.mkdir()
    make_workspace(desk, monkeypatch)
    steps = [step for each in blocks(DOCUMENT) if "run by" in each.marks for step in each.steps]
    assert len(steps) >= 7
    with etcd(tmp_path / "etcd") as cluster:
        for name, body in files(DOCUMENT).items():
            assert PORT in body
            (desk / name).write_text(body.replace(PORT, cluster.urls[0]))
        (desk / "state").mkdir()  # a workspace: it is what `logos` looks for
        for step in steps:
            code, output = run_step(step)
            output = output.replace(str(desk), DESK).replace(os.uname().nodename, "desk1")
            assert (code, missing(step, output)) == (step.exit_code, []), f"{step}\n{output}"
