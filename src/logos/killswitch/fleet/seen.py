"""What this machine has seen of a fleet's coordinator, kept over restarts.

An older copy of a coordinator, or another cluster in its place, must be noticed by an engine that
starts as well. The file is no more than a memory: without it an engine believes what it reads
first, as it does the first time. It also says where the coordinator is, so that an operator's
commands need no settings; passwords are not in it.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from logos.files import make_folder, read_whole, replace_json
from logos.killswitch.fleet.permit import Known
from logos.killswitch.fleet.records import Backend, CoordinatorError
from logos.killswitch.fleet.store import Coordinator

_BYTES_MAX = 65_536


class Seen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file `state/fleet/NAME.json`."""

    fleet: str
    backend: Backend
    endpoints: tuple[str, ...]
    ttl_ns: int
    poll_ns: int
    ca: str = ""
    certificate: str = ""
    key: str = ""
    user: str = ""
    service: str = ""
    cluster: str = ""
    position: int = 0
    epoch: int = 0
    value: str = ""

    @property
    def known(self) -> Known:
        """What was seen."""
        return Known(self.cluster, self.position, self.epoch, self.value.encode())


def seen_path(state: Path, fleet: str) -> Path:
    """Where it lies, under the state folder of a workspace."""
    return state / "fleet" / f"{fleet}.json"


def read_seen(path: Path) -> Seen | None:
    """What was seen; None when there is no file. Raises CoordinatorError for a damaged one."""
    try:
        return msgspec.json.decode(read_whole(path, _BYTES_MAX), type=Seen)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CoordinatorError(
            f"{path} cannot be read ({type(error).__name__}): look at the fleet's switch "
            "(`logos status --fleet NAME --config FILE`), then remove the file"
        ) from None


def write_seen(path: Path, terms: Coordinator, known: Known) -> None:
    """Keep what was seen. Raises OSError."""

    def text(each: Path | None) -> str:
        return "" if each is None else str(each)

    make_folder(path.parent)
    replace_json(
        path,
        Seen(
            terms.fleet,
            terms.backend,
            terms.endpoints,
            terms.ttl_ns,
            terms.poll_ns,
            text(terms.ca),
            text(terms.certificate),
            text(terms.key),
            terms.user,
            terms.service,
            known.cluster,
            known.position,
            known.epoch,
            known.value.decode(errors="replace"),
        ),
    )
