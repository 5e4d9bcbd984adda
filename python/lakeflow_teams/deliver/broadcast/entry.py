"""The steps of a broadcast: check, run, status, recall, purge; and its export."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any, Literal, NoReturn

from lakeflow_teams import _core
from lakeflow_teams.deliver import conversations
from lakeflow_teams.deliver.broadcast import deliveries
from lakeflow_teams.deliver.broadcast.document import BroadcastSpec, load
from lakeflow_teams.deliver.broadcast.recipients import named_by, resolve
from lakeflow_teams.deliver.broadcast.summary import BroadcastSummary
from lakeflow_teams.deliver.broadcast.table import Table
from lakeflow_teams.deliver.broadcast.workspace import Workspace, new_run
from lakeflow_teams.deliver.yaml_file import refuse
from lakeflow_teams.options import as_options
from lakeflow_teams.options.environment import connection_from_environment
from lakeflow_teams.store.folder import Folder
from lakeflow_teams.store.locate import locate

Step = Literal["check", "run", "update", "status", "recall", "purge"]
#: Called with how many recipients are through, got the message, and failed, since the step began.
OnProgress = Callable[[tuple[int, int, int]], None]

#: Requests a second to the Bot Connector, and installations a second, per app and tenant.
_CONNECTOR_RATE = 50.0
_INSTALL_RATE = 30.0
#: What every card is given, beside the columns of a table.
_OWN_COLUMNS = ("user_id", "display_name")


def broadcast(
    plan: str | PathLike[str] | Mapping[str, Any],
    target: str | PathLike[str],
    connection: Mapping[str, Any] | None = None,
    *,
    step: Step = "run",
    credential: object | None = None,
    retry_failed: bool = False,
    older_than_days: float | None = None,
    on_progress: OnProgress | None = None,
) -> BroadcastSummary:
    """Runs one step of a broadcast.

    ``plan`` is ``broadcast.yaml`` or the same as a mapping; ``target`` the folder of the lakehouse, which gets the table
    ``main/default/deliveries`` and the state under ``_deliver``. ``check`` sends nothing. ``run`` freezes the recipients
    the first time and sends what is not sent yet, never twice; with ``retry_failed`` it tries those again that failed, lack
    the app or block it. ``update`` replaces the card of what was sent, ``recall`` deletes it, ``status`` tells how far a run
    is, also while another process runs it, and ``purge`` forgets the broadcast. Raises :class:`ConfigurationError` for what
    is wrong in the plan, the card or the connection, before anything is sent.
    """
    if step not in ("check", "run", "update", "status", "recall", "purge"):
        refuse(f"step: {step!r} is not one of check, run, update, status, recall, purge")
    job = Job(load(plan), target_folder(target), connection, credential, on_progress)
    return job.step(step, retry_failed=retry_failed, older_than_days=older_than_days)


def export_deliveries(
    plan: str | PathLike[str] | Mapping[str, Any], target: str | PathLike[str], to: str | PathLike[str]
) -> int:
    """Writes a broadcast's recipients and what became of each to a ``.csv``, ``.parquet`` or ``.zip``; returns how many."""
    spec = load(plan)
    workspace = Workspace(target_folder(target), spec.name)
    if workspace.frozen is None:
        _nothing(spec, target)
    return deliveries.export(workspace.root, spec.name, Path(to))


def target_folder(target: str | PathLike[str]) -> Path:
    """The folder of the lakehouse. A journal that is on disk before each message needs a disk."""
    if not isinstance(locate(target), Folder):
        refuse(f"target {target}: a broadcast keeps its journal in a folder of this machine; name one")
    return Path(target)


def _nothing(spec: BroadcastSpec, target: object) -> NoReturn:
    refuse(f"target {target}: nothing of the broadcast {spec.name!r} is there; `broadcast run` comes first")


class Job:
    """The steps of one broadcast into one target."""

    def __init__(
        self,
        spec: BroadcastSpec,
        root: Path,
        connection: Mapping[str, Any] | None,
        credential: object | None,
        on_progress: OnProgress | None,
    ) -> None:
        self._spec = spec
        self._root = root
        self._connection = connection
        self._credential = credential
        self._tell = on_progress
        self._workspace = Workspace(root, spec.name)

    def step(self, step: Step, *, retry_failed: bool = False, older_than_days: float | None = None) -> BroadcastSummary:
        """Runs one step."""
        begin = monotonic()
        if step == "check":
            summary = self._check()
        elif step == "status":
            summary = self._status()
        elif step == "purge":
            summary = self._purge(older_than_days)
        else:
            summary = self._go(step, retry_failed=retry_failed)
        summary.seconds = round(monotonic() - begin, 3)
        return summary

    @property
    def _options(self) -> dict[str, str]:
        return connection_from_environment(as_options(self._connection or {}), has_credential=self._credential is not None)

    def _check(self) -> BroadcastSummary:
        """What a run would do; nothing is sent, and nothing is written to the target."""
        summary = BroadcastSummary("check", self._spec.name)
        frozen = self._workspace.frozen
        if frozen is not None:
            self._same(frozen)
        with TemporaryDirectory(prefix="broadcast-") as folder:
            scratch = Path(folder)
            if frozen is None:
                counts = self._resolve(scratch)
                summary.doubles = counts["doubles"]
            else:
                shutil.copy(self._workspace.root / "recipients.jsonl", scratch)
                if (self._workspace.root / "journal").exists():
                    shutil.copy(self._workspace.root / "journal", scratch)
            plan = self._plan(frozen or self._frozen(), retry_failed=False)
            (scratch / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
            # A key that is used for nothing: what is signed with it is as long.
            job = self._open(scratch)
            try:
                self._preview(job, summary)
                missing = job.missing_app()
                if missing:
                    summary.problems.append(missing)
                summary.counts = _counts(job)
            finally:
                job.close()
        queued = summary.counts.get("queued", 0)
        summary.minutes = {
            "send": round(queued / _CONNECTOR_RATE / 60, 2),
            "open": round(2 * queued / _CONNECTOR_RATE / 60, 2),
        }
        if self._spec.install:
            summary.minutes["install"] = round(queued / _INSTALL_RATE / 60, 2)
        return summary

    def _open(self, folder: Path, keys: Path | None = None) -> _core.Broadcast:
        return _core.Broadcast(
            folder,
            self._options,
            credential=self._credential,
            webhooks={one.name: one.address() for one in self._spec.audience.webhooks},
            signing_key_file=self._spec.card_signing_key_file,
            signing_key_folder=keys,
        )

    def _preview(self, job: _core.Broadcast, summary: BroadcastSummary) -> None:
        """All cards, before the first is sent."""
        seen = json.loads(job.preview())
        summary.largest_bytes = seen["largest_bytes"]
        summary.warnings += [f"{self._spec.card_place}: {line}" for line in seen["warnings"]]
        summary.problems += [f"{self._spec.card_place}: {line}" for line in seen["errors"]]
        if seen["refused"]:
            first, why = seen["reasons"][0]
            text = f"{self._spec.card_place}: {seen['refused']:,} recipients' cards cannot be made; for {first}: {why}"
            summary.problems.append(text)

    def _frozen(self) -> dict[str, Any]:
        audience = self._spec.audience
        table = Table(audience.table) if audience.table else None
        self._check_columns(table)
        named = named_by(audience) | {"table": table.fingerprint() if table else None}
        return {
            "name": self._spec.name,
            "run": new_run(),
            "queued_at": int(datetime.now(timezone.utc).timestamp() * 1000),
            "card": self._spec.card,
            "card_place": self._spec.card_place,
            "card_digest": _digest(self._spec.card),
            "recipients_digest": _digest(named),
            "place": self._spec.place,
        }

    def _check_columns(self, table: Table | None) -> None:
        """Refuses a template that names a column which recipients lack."""
        needed = set(_core.card_columns(json.dumps(self._spec.card))) - set(_OWN_COLUMNS)
        if not needed:
            return
        place = self._spec.card_place
        if table is None:
            names = ", ".join(sorted(needed))
            refuse(f"{place}: it uses {names}, and without recipients.table there are only {' and '.join(_OWN_COLUMNS)}")
        missing = sorted(needed - set(table.columns))
        if missing:
            refuse(f"{place}: it uses {', '.join(missing)}, which the table lacks; it has {', '.join(table.columns)}")
        if not self._spec.audience.only_table:
            names = ", ".join(sorted(needed))
            refuse(f"{place}: it uses {names}, which only recipients of the table have: name all recipients in the table")

    def _same(self, frozen: dict[str, Any], *, other_card: bool = False) -> None:
        """Refuses a name that is in use for another card or other recipients."""
        now = self._frozen()
        begun = datetime.fromtimestamp(frozen["queued_at"] / 1000, timezone.utc)
        lead = f"{self._spec.place}: name: the broadcast {self._spec.name!r} was begun on {begun:%Y-%m-%d %H:%M} UTC with"
        if now["recipients_digest"] != frozen["recipients_digest"]:
            refuse(f"{lead} other recipients ({frozen['place']}) than {now['place']} names: give this one another name")
        if now["card_digest"] != frozen["card_digest"] and not other_card:
            text = f"{lead} another card ({frozen['card_place']}) than {now['card_place']} holds"
            refuse(f"{text}: give this one another name, or replace what was sent by `run --update`")

    def _resolve(self, folder: Path) -> dict[str, Any]:
        counts = resolve(self._spec.audience, self._options, folder, credential=self._credential)
        if not counts["total"]:
            refuse(f"{self._spec.place}: recipients: nobody was found")
        return counts

    def _plan(self, frozen: dict[str, Any], *, retry_failed: bool) -> dict[str, Any]:
        spec = self._spec
        return {
            "name": spec.name,
            "run": frozen["run"],
            "queued_at": frozen["queued_at"],
            "card": frozen["card"],
            "summary": spec.summary,
            "install": spec.install,
            "app": spec.app,
            "on_unknown": spec.on_unknown,
            "not_before": _milliseconds(spec.not_before),
            "not_after": _milliseconds(spec.not_after),
            "max_failures": spec.max_failures,
            "retry_failed": retry_failed,
        }

    def _go(self, step: str, *, retry_failed: bool) -> BroadcastSummary:
        """A step that sends."""
        with self._workspace.alone():
            return self._alone(step, retry_failed=retry_failed)

    def _alone(self, step: str, *, retry_failed: bool) -> BroadcastSummary:
        workspace, summary = self._workspace, BroadcastSummary(step, self._spec.name)
        frozen = workspace.frozen
        if frozen is None:
            if step != "run":
                _nothing(self._spec, self._root)
            frozen = self._frozen()
            summary.doubles = self._resolve(workspace.root)["doubles"]
        else:
            self._same(frozen, other_card=step != "run")
        if step == "update":
            frozen |= {key: self._frozen()[key] for key in ("card", "card_place", "card_digest")}
        workspace.plan(self._plan(frozen, retry_failed=retry_failed))
        workspace.conversations(conversations.known(self._root))
        job = self._open(workspace.root, conversations.folder(self._root))
        try:
            self._begin(job, step, summary, frozen)
            self._perform(job, step, summary)
        finally:
            summary.counts, summary.reasons = _counts(job), _reasons(job)
            said, timeline = json.loads(job.report()), job.timeline()
            job.close()
            if workspace.frozen is not None:
                self._tables()
        summary.requests, summary.retries = said["requests"], said["retries"]
        summary.throttled_seconds, summary.messages_per_second = said["throttled_seconds"], timeline
        return summary

    def _begin(self, job: _core.Broadcast, step: str, summary: BroadcastSummary, frozen: dict[str, Any]) -> None:
        """What can be known before the first message is known before it."""
        if step in {"run", "update"}:
            self._preview(job, summary)
            if summary.problems:
                refuse("; ".join(summary.problems) + ". Nothing was sent")
        if step == "run":
            missing = job.missing_app()
            if missing:
                refuse(f"{self._spec.place}: install: {missing}. Nothing was sent")
        self._workspace.freeze(frozen)
        if step == "run":
            deliveries.write(self._root, self._workspace.root, self._spec.name)

    def _perform(self, job: _core.Broadcast, step: str, summary: BroadcastSummary) -> None:
        steps = {"run": job.run, "update": job.update, "recall": job.recall}
        outcome = json.loads(steps[step](self._tell))
        summary.stopped, summary.failed = outcome["stopped"], outcome["failed"]

    def _tables(self) -> None:
        root = self._workspace.root
        deliveries.write(self._root, root, self._spec.name)
        tenant = self._options.get("tenant_id")
        conversations.remember(self._root, _met(root, tenant))
        conversations.write_table(self._root)

    def _status(self) -> BroadcastSummary:
        """How far it is, from the journal; another process may be writing it."""
        workspace = self._workspace
        if workspace.frozen is None:
            _nothing(self._spec, self._root)
        summary = BroadcastSummary("status", self._spec.name)
        job = _core.Broadcast(workspace.root)
        summary.counts, summary.reasons = _counts(job), _reasons(job)
        try:
            with workspace.alone():
                pass
        except _core.LakeflowTeamsError:
            summary.running = True
        return summary

    def _purge(self, older_than_days: float | None) -> BroadcastSummary:
        """Forgets it: journal, recipients and rows. What was sent stays where it is."""
        frozen = self._workspace.frozen
        if frozen is None:
            _nothing(self._spec, self._root)
        summary = BroadcastSummary("purge", self._spec.name)
        age = datetime.now(timezone.utc).timestamp() - frozen["queued_at"] / 1000
        if older_than_days is not None and age < older_than_days * 86_400:
            summary.stopped = f"it was begun {age / 86_400:.1f} days ago, which is not longer than {older_than_days:g}"
            summary.counts = _counts(_core.Broadcast(self._workspace.root))
            return summary
        with self._workspace.alone():
            summary.counts = _counts(_core.Broadcast(self._workspace.root))
            deliveries.remove(self._root, self._spec.name)
            self._workspace.remove()
        return summary


def days(text: str) -> float:
    """``30d``, ``12h`` or a number of days. Raises :class:`ConfigurationError`."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([dhw]?)", text.strip().lower())
    if not match:
        refuse(f"--older-than: {text!r} is no time such as 30d, 12h or 2w")
    return float(match[1]) * {"h": 1 / 24, "w": 7}.get(match[2], 1)


def _met(folder: Path, tenant: str | None) -> Iterator[conversations.Row]:
    """What a broadcast has learnt of conversations."""
    gone = {"blocked", "not_installed"}
    names = ("recipient_id", "kind", "state", "conversation_id", "service_url", "sent_at", "attempts")
    now = int(datetime.now(timezone.utc).timestamp() * 1000)
    for batch in deliveries.rows(folder):
        for row in batch.select(list(names)).to_pylist():
            seen = _milliseconds(row["sent_at"]) or now
            if row["conversation_id"]:
                known = (row["conversation_id"], row["service_url"], tenant)
                yield conversations.Row(row["recipient_id"], row["kind"], *known, installed=True, last_seen=seen)
            elif row["state"] in gone:
                known = (None, row["service_url"], tenant)
                yield conversations.Row(row["recipient_id"], row["kind"], *known, installed=False, last_seen=now)


def _counts(job: _core.Broadcast) -> dict[str, int]:
    counts: dict[str, int] = json.loads(job.states())["states"]
    return counts


def _reasons(job: _core.Broadcast) -> dict[str, int]:
    reasons: dict[str, int] = json.loads(job.states())["reasons"]
    return reasons


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)
