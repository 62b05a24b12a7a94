"""Builds the image of deploy/docker and uses it: `make image-check`, some minutes, as root.

A base image is made of the system's own packages (mmdebstrap), the image is built from wheels as
`make image` builds it, and in a container of it logos says its version, runs the acceptance
scenarios of the kill switch as the image's user, and cannot write its own installation. Every step
says what it does and how long it took; the exit code is 0 when all came out as it must.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from places import PROJECT

BASE = "localhost/logos-check-base:1"
IMAGE = "localhost/logos-check:1"


class CheckFailed(Exception):
    """A step did not come out as it must."""


def step(words: str, command: Sequence[str], *, code: int = 0, within: Path | None = None) -> str:
    """Run one command; what it printed. Raises CheckFailed."""
    began_s = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=within)
    print(f"{time.monotonic() - began_s:6.1f} s  {words}", flush=True)
    if done.returncode != code:
        raise CheckFailed(f"{words}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def build_base(suite: str, folder: Path) -> None:
    """Make the base image of the system's packages."""
    archive = folder / "base.tar"
    packages = "--include=python3,python3-venv"
    step(
        "base from the system's packages",
        ["mmdebstrap", "--variant=minbase", packages, suite, str(archive)],
    )
    container = step("container of nothing", ["buildah", "from", "scratch"]).strip()
    step("base unpacked", ["buildah", "add", container, str(archive), "/"])
    step("base committed", ["buildah", "commit", "--quiet", "--rm", container, BASE])


def build_image() -> None:
    """Build the image as `make image` does, with buildah."""
    builder = "buildah bud --isolation chroot --pull-never --format docker --quiet"
    environment = Path(sys.executable).parent.parent
    step(
        "make image",
        [
            *("make", "--no-print-directory", "image", f"VENV={environment}"),
            *("-o", f"{environment}/.installed", "-o", f"{environment}/.complete"),
            *(f"BASE={BASE}", f"IMAGE={IMAGE}", f"BUILDER={builder}"),
        ],
        within=PROJECT,
    )


def use_image() -> None:
    """Run logos in a container. Raises CheckFailed."""
    container = step("container of the image", ["buildah", "from", IMAGE]).strip()
    inside = ["buildah", "run", "--isolation", "chroot", container, "--"]
    try:
        version = step("logos --version", [*inside, "logos", "--version"])
        if not version.startswith("logos "):
            raise CheckFailed(f"the version is {version!r}")
        user = step("id -u", [*inside, "id", "-u"]).strip()
        if user != "10001":
            raise CheckFailed(f"it runs as user {user}")
        results = json.loads(step("rehearse a6", [*inside, "logos", "rehearse", "a6", "--json"]))
        if not results or any(each["problems"] for each in results):
            raise CheckFailed(f"the acceptance scenarios: {results}")
        line = step("logos health", [*inside, "logos", "health", "desk-1"], code=1)
        if json.loads(line)["verdict"] != "missing":
            raise CheckFailed(f"health says {line}")
        step("it cannot write itself", [*inside, "touch", "/opt/logos/bin/x"], code=1)
    finally:
        step("container removed", ["buildah", "rm", container])
    config = json.loads(step("inspect", ["buildah", "inspect", "--type", "image", IMAGE]))
    docker = config["Docker"]["config"]
    if "logos health" not in str(docker.get("Healthcheck")):
        raise CheckFailed(f"no health check: {docker}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--suite", default="bookworm", help="Debian suite with the Python of wheels"
    )
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("image_check: chroot and mount need root", file=sys.stderr)
        return 2
    try:
        with tempfile.TemporaryDirectory(prefix="logos-image-") as folder:
            build_base(options.suite, Path(folder))
        build_image()
        use_image()
    except (CheckFailed, OSError) as error:
        print(f"image_check: {error}", file=sys.stderr)
        return 1
    finally:
        for name in (IMAGE, BASE):
            subprocess.run(["buildah", "rmi", "--force", name], capture_output=True, check=False)
    print("the image is as it must be")
    return 0


if __name__ == "__main__":
    sys.exit(main())
