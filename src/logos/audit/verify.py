"""Is a session what it says it was? Every file is judged by arithmetic that did not write it.

In this order, and without writing anything into the session:

1. the journal: sequence, checksums and chain of every line; the manifest's own hashes
2. orders.csv, trades.csv, positions.csv and account.csv: projected anew from the journal, and
   compared byte for byte
3. trades.csv: every figure recomputed from its fills alone by the independent auditor, and with
   it positions, lots, profits, fees and wallets at each of the journal's samples
4. every order: its life, the limits of the settings, and the switch at that moment (`orders`)
5. the decision log: made anew from the journal, and compared byte for byte
6. of a sealed session also state.json (the journal's last record and hash; seed, start and end;
   wallets, positions, lots, marks, open orders), config.json, session.md (its hash in the seal, and
   its figures counted anew), what host.json repeats, and the history of the workspace's switch
7. of a sealed session trips.csv and equity.csv, where it has them: made anew from the tables that
   the journal makes, MAE and MFE apart

A session whose journal is not sealed, or that lacks the file which is written last, is running or
its process is gone. Its tables are written in groups and `logos resume` makes them anew, so they
may be shorter or longer than the journal says, but not other; its state.json, if any, is of an
earlier stop and is not judged.
"""

from __future__ import annotations

import json
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

from logos import paths
from logos.audit.files.page import check_page
from logos.audit.files.projections import (
    LOG,
    Projector,
    See,
    compare_file,
    compare_log,
    compare_tables,
    config_of,
    is_of_old_build,
)
from logos.audit.files.state_file import check_host, check_state
from logos.audit.findings import Finding
from logos.audit.money.derived import check_derived
from logos.audit.money.hand_over import check_carried
from logos.audit.orders import not_judged
from logos.audit.samples import SampleAudit
from logos.audit.switch_history import check_history
from logos.audit.verdict import Verdict
from logos.build import build_hash
from logos.config import Config, config_hash
from logos.config.tables.log import LOG as LOG_SETTINGS
from logos.config.tables.log import LogLevel
from logos.core.types import SessionStatus
from logos.journal.entries import Manifest
from logos.journal.inputs import INPUTS_FILE, RecordedInputs
from logos.journal.reader import Damaged
from logos.journal.segments import has_recording
from logos.killswitch.records import SwitchError
from logos.session.artifacts.folder import is_finished
from logos.session.artifacts.summary import session_uuid
from logos.session.presence.heartbeat import is_in_use

_SEALED_STATUSES: Final = frozenset(status.value for status in SessionStatus)


def verify(folder: Path) -> Verdict:
    """Judge the session in `folder`.

    Raises ConfigError for a journal of another schema, and OSError when a file cannot be read.
    """
    journal = folder / "state.jsonl"
    verdict = Verdict(folder.name, folder)
    is_running = is_in_use(journal)  # asked first: what ends while we read counts as running
    with tempfile.TemporaryDirectory(prefix="logos-verify-") as temporary:
        made = Path(temporary)
        # The rows of a session that is not sealed may not all have been written: it has its
        # journal's, once all of that was read.
        trades = folder / "trades.csv"
        is_first = is_finished(folder) and not is_running and trades.is_file()
        with _Samples(trades) as samples:
            projector = Projector(journal, made, samples.begin if is_first else lambda _: None)
            try:
                projector.read()
            except Damaged as damage:
                verdict.damage = damage
            _take_over(verdict, projector, is_running=is_running)
            if verdict.damage is None and projector.manifest is not None:
                sealed = None if is_running else projector.finished
                audit = samples.end()
                if audit is None or sealed is None:
                    where = trades if sealed is not None else made / trades.name
                    audit = SampleAudit(config_of(projector.manifest), where)
                    if where.is_file():
                        audit.run(journal, projector.records)
                _judge(verdict, projector, projector.manifest, made, audit)
    return verdict


class _Samples:
    """The audit of the samples with `trades`, in the one reading of the journal."""

    def __init__(self, trades: Path) -> None:
        self._trades = trades
        self._open = ExitStack()
        self._audit: SampleAudit | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def begin(self, config: Config) -> See:
        """Begin the audit of a session with these settings. Raises OSError."""
        self._audit = self._open.enter_context(SampleAudit(config, self._trades))
        return self._audit.see

    def end(self) -> SampleAudit | None:
        """The audit that was begun, of all records."""
        if self._audit is not None:
            self._audit.close()
        return self._audit


def _take_over(verdict: Verdict, projector: Projector, *, is_running: bool) -> None:
    verdict.records = projector.records
    verdict.whole_bytes = projector.whole_bytes
    verdict.journal_hash = projector.digest.hex()
    verdict.is_torn = projector.is_torn
    verdict.is_sealed = projector.sealed is not None and not projector.is_torn
    if projector.manifest is not None:
        verdict.session_id = projector.manifest.session_id
        verdict.is_real = bool((projector.manifest.config.get("venue") or {}).get("live"))
    if is_running:
        verdict.status = "RUNNING"
    else:
        sealed = projector.finished
        verdict.status = "CRASHED" if sealed is None else sealed.status
    if projector.manifest is None and verdict.damage is None:
        verdict.notes.append(
            "the session ended before its first record was whole, so nothing had happened yet: "
            f"`logos resume {verdict.folder.name}` starts it anew"
        )


def _judge(
    verdict: Verdict, projector: Projector, manifest: Manifest, made: Path, audit: SampleAudit
) -> None:
    """Everything but the journal's own chain and the samples, of which `audit` knows."""
    folder = verdict.folder
    sealed = None if verdict.status == "RUNNING" else projector.finished
    ticks: object = None
    config = config_of(manifest)
    verdict.findings += projector.findings
    _check_manifest(verdict, manifest, config_hash(config))
    if not projector.findings:
        verdict.findings += compare_tables(folder, made, is_whole=sealed is not None)
    if sealed is not None:
        if sealed.status not in _SEALED_STATUSES:
            what = f"no session is sealed as {sealed.status!r}"
            verdict.findings.append(Finding("state.jsonl", f"record {verdict.records}", what))
        state = _check_state(verdict, projector, manifest, audit)
        _check_config(verdict, manifest)
        ticks = state.get("tick_id")
        page = folder / "session.md"
        verdict.findings += check_page(page, manifest, sealed, projector.figures, ticks)
        host = _json_object(verdict, "host.json")
        if host is not None:
            verdict.findings += check_host(host, manifest)
            _check_history(verdict, projector, host)
        if not projector.findings:
            findings, left_out = check_derived(folder, made, config)
            verdict.findings += findings
            verdict.not_judged += left_out
    else:
        _note_snapshot(verdict)
    _check_log(verdict, manifest, made, ticks, is_whole=sealed is not None)
    _check_inputs(verdict)
    carried, not_judged_of_it = check_carried(folder, config)
    verdict.findings += carried
    verdict.not_judged += not_judged_of_it
    verdict.findings += audit.findings
    _take_orders(verdict, projector, manifest)
    verdict.fills, verdict.samples = audit.fills, audit.samples


def _take_orders(verdict: Verdict, projector: Projector, manifest: Manifest) -> None:
    """What became of the orders when they were judged again."""
    judge = projector.judge
    if judge is None:
        return
    verdict.orders = judge.orders
    verdict.not_judged[:0] = not_judged(config_of(manifest))
    verdict.findings += judge.findings


def _check_manifest(verdict: Verdict, manifest: Manifest, hashed: str) -> None:
    """The hash of the settings and the UUID follow from the rest of the manifest."""
    if manifest.config_hash != hashed:
        message = f"config_hash is {manifest.config_hash!r}, and that of its settings {hashed!r}"
        verdict.findings.append(Finding("state.jsonl", "record 1", message))
    digests = [digest for each in manifest.data for digest in each.files.values()]
    fingerprints = [manifest.strategy_fingerprint, *digests]
    made = session_uuid(manifest.session_id, manifest.config_hash, fingerprints)
    if manifest.uuid != made:
        message = f"uuid is {manifest.uuid!r}, and what it follows from makes {made!r}"
        verdict.findings.append(Finding("state.jsonl", "record 1", message))


def _check_state(
    verdict: Verdict, projector: Projector, manifest: Manifest, audit: SampleAudit
) -> dict[str, Any]:
    """Judge state.json, and give back what it says; nothing where it cannot be read."""
    state = _json_object(verdict, "state.json")
    if state is None:
        return {}
    for key, expected in (
        ("sequence", verdict.records),
        ("journal_hash", verdict.journal_hash),
        ("status", verdict.status),
        ("seed", manifest.seed),
        ("start", _moment(projector.first_ns)),
        ("end", _moment(projector.last_ns)),
    ):
        if state.get(key) != expected:
            message = f"is {state.get(key)!r}, and the journal's is {expected!r}"
            verdict.findings.append(Finding("state.json", key, message))
    audit.check_snapshot(state)
    if projector.figures.positions and projector.judge is not None:
        books = projector.judge.books
        verdict.findings += check_state(state, projector.figures, books, projector.last_ns)
    return state


def _check_history(verdict: Verdict, projector: Projector, host: dict[str, Any]) -> None:
    """Compare with the history of the kill switch of the workspace in which the session lies."""
    parents = verdict.folder.resolve().parents
    if len(parents) <= 3 or host.get("kill_switch") != "workspace":
        return
    is_live = has_recording(verdict.folder / INPUTS_FILE)
    last_live_ns = projector.last_ns if is_live else 0
    place = paths.within(parents[3], paths.state_dir()) / "kill-switch"
    try:
        verdict.findings += check_history(place, host, projector.figures.switch, last_live_ns)
    except SwitchError:
        verdict.not_judged.append("the history of the kill switch, which cannot be read")


def _check_inputs(verdict: Verdict) -> None:
    """Whether what a live session recorded is there: every file, in order, and each line whole.

    A torn end is no finding: a crash may leave one, and nothing was done because of it. What the
    events lead to is for a replay to judge.
    """
    recorded = RecordedInputs.of(verdict.folder)
    if recorded is None:
        return
    try:
        recorded.survey()
    except Damaged as damage:
        place = f"record {damage.sequence}, byte {damage.offset}"
        verdict.findings.append(Finding(recorded.path.name, place, f"damaged: {damage.reason}"))


def _check_log(
    verdict: Verdict, manifest: Manifest, made: Path, ticks: object, *, is_whole: bool
) -> None:
    """Compare the decision log of the workspace in which the session lies, if it lies in one."""
    name = f"{verdict.session_id}.jsonl"
    parents = verdict.folder.resolve().parents
    home = parents[3] if len(parents) > 3 else parents[-1]
    sessions = paths.within(home, paths.sessions_dir())
    log = paths.within(home, paths.logs_dir()) / name
    if verdict.folder.resolve().parent != sessions:
        verdict.not_judged.append("the decision log, as this is no session of a workspace")
        return
    if manifest.build != build_hash() and is_of_old_build(log):
        verdict.not_judged.append("the decision log, which another build of logos wrote")
        return
    if (config_of(manifest).log or LOG_SETTINGS).level is LogLevel.ALL:
        verdict.not_judged.append("the times of ticks on which nothing was decided")
        verdict.findings += compare_log(log, made / LOG, is_whole=is_whole, ticks=ticks)
        return
    found = compare_file(log, made / LOG, is_whole=is_whole)
    if found is not None:
        verdict.findings.append(found)


def _moment(ts_ns: int) -> str:
    """A time as text, UTC with nine fraction digits; empty for none."""
    if not ts_ns:
        return ""
    second, fraction = divmod(ts_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}.{fraction:09d}Z"


def _check_config(verdict: Verdict, manifest: Manifest) -> None:
    settings = _json_object(verdict, "config.json")
    if settings is None or settings == manifest.config:
        return
    keys = [key for key in {**settings, **manifest.config} if _other(settings, manifest, key)]
    message = "differs from the settings in the journal's manifest"
    verdict.findings.append(Finding("config.json", ", ".join(keys), message))


def _other(settings: dict[str, Any], manifest: Manifest, key: str) -> bool:
    return bool(settings.get(key) != manifest.config.get(key))


def _json_object(verdict: Verdict, name: str) -> dict[str, Any] | None:
    """The object in one file of the session; a finding when it cannot be had."""
    try:
        value = json.loads((verdict.folder / name).read_bytes())
    except FileNotFoundError:
        verdict.findings.append(Finding(name, "", "is missing"))
        return None
    except ValueError as error:
        verdict.findings.append(Finding(name, "", f"is not JSON: {error}"))
        return None
    if not isinstance(value, dict):
        verdict.findings.append(Finding(name, "", "is not a JSON object"))
        return None
    return value


def _note_snapshot(verdict: Verdict) -> None:
    """Say so when state.json knows of records that the journal has no more.

    Only a stopped session goes on after its state.json was written, and its end is cut off then.
    """
    try:
        state = json.loads((verdict.folder / "state.json").read_bytes())
        sequence, status = int(state["sequence"]), state["status"]
    except (OSError, ValueError, LookupError, TypeError):
        return
    if sequence > verdict.records and status != SessionStatus.STOPPED.value:
        verdict.notes.append(
            f"state.json was written as {status} at record {sequence}: the journal has lost its "
            "end since then"
        )
