"""The environment as settings see it: the process's variables over those of `.env`.

`.env` lies in the workspace, which is `LOGOS_HOME` or the working directory; so it cannot itself
say where the workspace is. Values are handed out one by one, and nothing here shows them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, final

from logos.config.dotenv import open_to_others, read_dotenv
from logos.errors import ConfigError


class Found(NamedTuple):
    """A variable's value, and where it is set: the words "the environment" or ".env"."""

    value: str
    place: str

    def __repr__(self) -> str:
        return f"Found(value=***, place={self.place!r})"


@final
class Environment:
    """Variables of the process, over those of the workspace's `.env`.

    `path` is where that file is or would be; `warning` says what is unsafe about it, if anything.
    """

    __slots__ = ("_dotenv", "_process", "path", "warning")

    def __init__(self, process: Mapping[str, str], dotenv: Mapping[str, str], path: Path) -> None:
        self._process = dict(process)
        self._dotenv = dict(dotenv)
        self.path = path
        self.warning = open_to_others(path, list(dotenv)) if dotenv else ""

    @classmethod
    def read(cls, process: Mapping[str, str] | None = None) -> Environment:
        """The environment of this process, or of the variables given instead of its own.

        Raises ConfigError when `.env` cannot be read.
        """
        process = os.environ if process is None else process
        path = dotenv_path(process)
        dotenv = read_dotenv(path)
        if "LOGOS_HOME" in dotenv:
            raise ConfigError(
                f"{path}: LOGOS_HOME says where this file is found, so it cannot be set in it; "
                "set it in the environment"
            )
        return cls(process, dotenv, path)

    @property
    def process(self) -> Mapping[str, str]:
        """The variables of the process alone."""
        return self._process

    @property
    def dotenv(self) -> Mapping[str, str]:
        """The variables of `.env` alone."""
        return self._dotenv

    def find(self, name: str) -> Found | None:
        """A variable and where it is set; None when it is in neither place, or empty."""
        for values, place in ((self._process, "the environment"), (self._dotenv, ".env")):
            if values.get(name):
                return Found(values[name], place)
        return None

    def __repr__(self) -> str:
        return f"Environment({len(self._process)} variables, {len(self._dotenv)} of {self.path})"


def dotenv_path(process: Mapping[str, str]) -> Path:
    """Where the `.env` of the workspace is, or would be."""
    home = process.get("LOGOS_HOME", "")
    return Path(os.path.abspath(Path(home).expanduser())) / ".env" if home else Path.cwd() / ".env"
