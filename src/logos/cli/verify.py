"""`logos verify`: check a session's journal, tables and books by arithmetic of their own."""

from __future__ import annotations

import argparse
import json
import sys

from logos.audit.verdict import Verdict, verdict_json
from logos.audit.verify import verify
from logos.cli.exit_codes import exit_codes
from logos.config import ConfigError
from logos.session import ExitCode
from logos.session.history import find_session
from logos.session.stored.names import may_resume
from logos.session.stored.next_steps import ONLY_LOOK, resume_command

_SHOWN_MAX = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos verify`."""
    parser.epilog = exit_codes()
    parser.add_argument("session", metavar="ID|FOLDER", help="a session's id, or its folder")
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON")


def run(options: argparse.Namespace) -> int:
    """Verify the session; 0 when it is intact."""
    try:
        verdict = verify(find_session(options.session, may_be_path=True))
    except ConfigError as error:
        print(f"logos verify: {error}", file=sys.stderr)
        return int(ExitCode.BAD_CONFIGURATION)
    except OSError as error:
        print(f"logos verify: {error.filename}: {error.strerror}", file=sys.stderr)
        return int(ExitCode.CANNOT_WRITE)
    if options.json:
        print(json.dumps(verdict_json(verdict), indent=2, ensure_ascii=False))
    else:
        print(verdict_text(verdict))
    return int(verdict.exit_code)


def verdict_text(verdict: Verdict) -> str:
    """The verdict for people: one sentence first, then what it rests on."""
    name = verdict.session_id
    lines = [*_sentence(verdict), f"  journal   {verdict.records} records, chain verified"]
    if verdict.damage is None:
        lines[-1] += f" to {verdict.journal_hash[:16]}"
        lines.append(f"  books     {verdict.fills} fills and {verdict.samples} samples recomputed")
        unseen = f"; not judged: {', '.join(verdict.not_judged)}" if verdict.not_judged else ""
        lines.append(f"  orders    {verdict.orders} judged again by limits and switch{unseen}")
    lines += [f"  differs   {finding}" for finding in verdict.findings[:_SHOWN_MAX]]
    if len(verdict.findings) > _SHOWN_MAX:
        lines.append(f"            and {len(verdict.findings) - _SHOWN_MAX} more: see --json")
    lines += [f"  note      {note}" for note in verdict.notes]
    return "\n".join([f"session {name}: {lines[0]}", *lines[1:]])


def _sentence(verdict: Verdict) -> list[str]:
    damage = verdict.damage
    if damage is not None:
        return [
            f"DAMAGED at record {damage.sequence}, byte {damage.offset}: {damage.reason}",
            f"  what now  the first {verdict.records} records are whole; restore state.jsonl from "
            "a copy, it is not repaired",
        ]
    if verdict.exit_code is ExitCode.DIFFERS:
        return [f"DIFFERS from its own journal or fills ({len(verdict.findings)} findings)"]
    if verdict.exit_code is ExitCode.TORN:
        return _torn_sentence(verdict)
    if verdict.status == "RUNNING":
        return [f"intact so far, and running ({verdict.records} records)"]
    return [f"intact ({verdict.status})"]


def _torn_sentence(verdict: Verdict) -> list[str]:
    if verdict.is_sealed:
        first = "TORN: the journal is sealed, but its last files are missing"
    else:
        why = "the last line is torn" if verdict.is_torn else "there is no seal"
        first = (
            f"TORN: the end is missing after record {verdict.records}, byte "
            f"{verdict.whole_bytes} ({why})"
        )
    if not verdict.records:
        return [first]
    whole = "" if verdict.is_sealed else "; all before it is whole"
    what_now = (
        resume_command(verdict.session_id, is_real=verdict.is_real)
        if may_resume(verdict.folder, is_real=verdict.is_real)
        else ONLY_LOOK
    )
    return [f"{first}{whole}", f"  what now  {what_now}"]
