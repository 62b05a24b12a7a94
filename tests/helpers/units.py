"""Units of systemd as tests read them: sections of keys with all their values, and when they start
again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

Unit = Mapping[str, Mapping[str, list[str]]]


def read_unit(path: Path) -> Unit:
    """The sections of a unit; each key with its values in order. Raises ValueError for a line that
    is neither section, key nor comment."""
    sections: dict[str, dict[str, list[str]]] = {}
    section: dict[str, list[str]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        text = line.strip()
        if not text or text.startswith(("#", ";")):
            continue
        if text.startswith("[") and text.endswith("]"):
            section = sections.setdefault(text[1:-1], {})
            continue
        key, equals, value = text.partition("=")
        if not equals or text.endswith("\\"):
            raise ValueError(f"{path}:{number}: {line}")
        section.setdefault(key.strip(), []).append(value.strip())
    return sections


def starts_again(unit: Unit, returncode: int) -> bool:
    """Whether systemd starts the service again after its process ended so (below 0: a signal).

    Of systemd.service(5), table "Exit causes and the effect of the Restart= settings", for the
    settings that are used here, with RestartPreventExitStatus=. `returncode` is a code or a signal;
    a watchdog's is that of its SIGABRT.
    """
    service = unit["Service"]
    [rule] = service["Restart"]
    prevented = " ".join(service.get("RestartPreventExitStatus", [])).split()
    if str(returncode) in prevented:
        return False
    # These signals are a clean end, as is 0.
    is_clean = returncode in (0, -1, -2, -13, -15)
    return {"always": True, "on-abnormal": returncode < 0 and not is_clean}[rule]
