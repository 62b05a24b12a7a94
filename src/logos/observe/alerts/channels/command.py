"""A program of the user's: it reads the message as one JSON object, and ends with 0."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import msgspec

from logos.observe.alerts.alert import Message, fit
from logos.observe.alerts.channels.base import DeliveryError

_SAID_MAX: Final = 300
"""Bytes of what a failed program said that the error repeats."""


class CommandChannel:
    """Runs one program for each message, without a shell and in a process group of its own."""

    def __init__(self, command: Sequence[str], timeout_s: float) -> None:
        self._command = list(command)
        self._timeout_s = timeout_s

    def deliver(self, message: Message) -> None:
        """Run the program to its end. Raises DeliveryError when it fails, or takes too long."""
        name = self._command[0]
        # What it says goes into a file: a child of its own could hold a pipe open for ever.
        with tempfile.TemporaryFile() as said:
            try:
                process = subprocess.Popen(  # noqa: S603 - the operator's own program
                    self._command,
                    stdin=subprocess.PIPE,
                    stdout=said,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                raise DeliveryError(f"{name} cannot be run: {error.strerror}") from None
            try:
                with suppress(BrokenPipeError):  # it need not read
                    process.communicate(msgspec.json.encode(message) + b"\n", self._timeout_s)
            except subprocess.TimeoutExpired:
                raise DeliveryError(f"{name} took longer than {self._timeout_s:g} s") from None
            finally:
                if process.poll() is None:
                    with suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
            if process.returncode:
                said.seek(0)
                words = fit(said.read(_SAID_MAX).decode("utf-8", "replace").strip())
                ending = f"exit code {process.returncode}"
                raise DeliveryError(f"{name} ended with {ending}{': ' if words else ''}{words}")
