"""A workspace that has sessions was armed once: without its switch it is not new."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from switch_helpers import QuickLayer, Workspace

from logos.core.types import SwitchState

SAFE, ENGAGED = SwitchState.SAFE, SwitchState.ENGAGED


def _left_by_a_session(workspace: Workspace, place: str) -> Path:
    left = workspace.home / place
    left.mkdir(parents=True)
    return left


@pytest.mark.parametrize("place", ["runs/live/sessions/desk-1", "state/sessions/desk-1.json"])
def test_a_workspace_with_sessions_whose_switch_is_gone_is_not_new(
    workspace: Workspace, place: str
) -> None:
    _left_by_a_session(workspace, place)
    breaker = workspace.breaker()
    assert not breaker.arm_if_new()
    assert (breaker.authority(), breaker.flag[0]) == (ENGAGED, ENGAGED)
    status = breaker.status()
    assert "the kill switch of this workspace is gone, its witness too, but there are" in status.why
    assert f"sessions in {(workspace.home / place).parent} (desk-1" in status.why
    assert status.clear_command.endswith("--epoch 0")
    assert not workspace.arm_file.exists(), "looking leaves nothing"
    assert breaker.reset("ann", "the disk was replaced", 0).state is SAFE
    assert (workspace.breaker().authority(), breaker.epoch) == (SAFE, 1)


class UnreadableLayer(QuickLayer):
    """No folder can be listed."""

    def names(self, path: str) -> list[str]:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)


def test_sessions_that_cannot_be_listed_count_as_a_past(workspace: Workspace) -> None:
    breaker = workspace.breaker(layer=UnreadableLayer())
    assert not breaker.arm_if_new()
    assert breaker.authority() is ENGAGED
    assert "runs/live/sessions cannot be used: permission denied" in breaker.why()


@pytest.mark.parametrize("place", ["runs/live/sessions", "runs/live/sessions/.desk-1.4711"])
def test_a_folder_of_sessions_without_a_session_is_no_past(
    workspace: Workspace, place: str
) -> None:
    _left_by_a_session(workspace, place)
    assert workspace.breaker().arm_if_new()
