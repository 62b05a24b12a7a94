"""From the words of `logos launch` to a launcher: its file read, its workspace entered."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from logos import paths
from logos.cli.launch.checks import Ground
from logos.cli.launch.deployment import TEMPLATE, Located, read_deployment
from logos.cli.launch.launcher import Launcher
from logos.config import ConfigError, live_overrides, merge, read_layers
from logos.files import open_new
from logos.session import ExitCode
from logos.shown import lines


def run_launch(path: Path, options: argparse.Namespace) -> int:
    """Launch what the file at `path` names; returns the exit code of what did not start."""
    try:
        located = read_deployment(path)
        given = live_overrides(options.live, options.i_acknowledge_risk)
    except ConfigError as error:
        return _complain(error, ExitCode.BAD_CONFIGURATION)
    home = _enter(located)
    session_id = located.deployment.launch.session_id
    overrides = merge({"session": {"id": session_id}}, given)
    effective = read_layers(str(located.settings), overrides)
    ground = Ground(located, home, effective, is_permitted=bool(given))
    # What follows is compared with the settings that the session began with.
    command = ["run", session_id, "--config", str(located.settings)]
    if given:
        command += ["--live", "--i-acknowledge-risk"]
    is_short = options.quiet or options.json

    def show(text: str, is_wrong: bool) -> None:
        if is_wrong or not is_short:
            out = sys.stderr if is_wrong and is_short else sys.stdout
            print(lines(text), file=out, flush=True)

    def log(record: Mapping[str, Any]) -> None:
        if options.json:
            print(json.dumps(record, ensure_ascii=False), flush=True)

    return Launcher(ground, command, show=show, log=log).run(options.until)


def write_template(path: Path) -> int:
    """Write a commented deploy.toml; returns the exit code."""
    try:
        with open_new(path, "x", encoding="utf-8") as file:
            file.write(TEMPLATE)
    except FileExistsError:
        words = f"{path} exists already and was not changed; name another file"
        return _complain(words, ExitCode.BAD_CONFIGURATION)
    except OSError as error:
        return _complain(f"cannot write {path}: {error.strerror}", ExitCode.CANNOT_WRITE)
    print(f"{path} written; adapt it, then: logos launch --config {path} --until pre-checks")
    return int(ExitCode.FINISHED)


def _enter(located: Located) -> Path:
    """The workspace of the launch, for this process and for what it becomes."""
    if located.workspace is not None:
        os.environ["LOGOS_HOME"] = str(located.workspace)
    return paths.home()


def _complain(error: object, code: ExitCode) -> int:
    print(f"logos launch: {error}", file=sys.stderr)
    return int(code)
