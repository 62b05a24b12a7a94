"""The names of the phases of a launch, in their order."""

from typing import Final

PHASES: Final = ("pre-checks", "self-test", "initialise", "start")
