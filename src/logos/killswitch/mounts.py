"""Is this folder on a disk of this machine?

Problem: on a network file system a lock may hold on one host only, a rename may be seen late, and
a file that cannot be reached may block for minutes: no ground for a kill switch. Method: find the
folder's mount in the kernel's table and refuse what is not local, with the reason.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Final

MOUNT_TABLE: Final = Path("/proc/self/mountinfo")

# fmt: off
NETWORK_TYPES: Final = frozenset({
    "9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "davfs2", "drvfs", "gfs", "gfs2",
    "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "pvfs2", "smb",
    "smb2", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs",
})
# fmt: on
LOCAL_FUSE_TYPES: Final = frozenset({"fuse.fuse-overlayfs"})
"""User-space file systems known to be local; every other `fuse.*` is taken for a remote one."""

_OCTAL: Final = re.compile(r"\\([0-7]{3})")


def network_problem(folder: Path, mount_table: Path = MOUNT_TABLE) -> str:
    """Why `folder` must not hold a kill switch, in words; empty when it may.

    A folder that does not exist yet is judged by its nearest existing parent.
    """
    try:
        table = mount_table.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        if sys.platform != "linux":
            return ""
        return f"{mount_table} cannot be read ({error.strerror}), so {folder} may be remote"
    place = os.path.realpath(folder)
    best = ("", "")
    for line in table.splitlines():
        fields = line.split(" ")
        if "-" not in fields[6:] or len(fields) <= (dash := fields.index("-", 6)) + 1:
            continue
        point = _OCTAL.sub(lambda match: chr(int(match[1], 8)), fields[4])
        inside = place == point or place.startswith(point.rstrip("/") + "/")
        # Of mounts over the same point the later line is the one on top.
        if inside and len(point) >= len(best[0]):
            best = (point, fields[dash + 1])
    point, kind = best
    if not kind:
        return f"{folder} is on no mount that {mount_table} lists"
    if kind in NETWORK_TYPES or (kind.startswith("fuse.") and kind not in LOCAL_FUSE_TYPES):
        return (
            f"{folder} is on a network file system ({kind}, mounted at {point}): locks and renames "
            "are not reliable there; set LOGOS_HOME to a folder on a local disk"
        )
    return ""
