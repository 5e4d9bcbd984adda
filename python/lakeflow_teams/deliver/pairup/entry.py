"""The steps of a pair-up: check, run, status.

A round is formed once per week or month and told by a broadcast of its own, ``<name> <round>``, whose ledger keeps anybody
from being told twice. What was formed stands as soon as that broadcast has begun; a later run of the week goes on with it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any, Literal

from lakeflow_teams.deliver.broadcast import deliveries
from lakeflow_teams.deliver.broadcast.audience import Audience
from lakeflow_teams.deliver.broadcast.document import BroadcastSpec
from lakeflow_teams.deliver.broadcast.entry import Job, OnProgress, target_folder
from lakeflow_teams.deliver.broadcast.recipients import resolve
from lakeflow_teams.deliver.broadcast.summary import BroadcastSummary
from lakeflow_teams.deliver.broadcast.workspace import Workspace
from lakeflow_teams.deliver.pairup import history
from lakeflow_teams.deliver.pairup.document import PairUpSpec, load
from lakeflow_teams.deliver.pairup.grouping import form, repeats
from lakeflow_teams.deliver.pairup.invitation import card, invitations
from lakeflow_teams.deliver.pairup.pauses import paused
from lakeflow_teams.deliver.pairup.period import round_of
from lakeflow_teams.deliver.pairup.rounds import Person, Round, Rounds, write_invitations
from lakeflow_teams.deliver.pairup.summary import PairUpSummary
from lakeflow_teams.deliver.yaml_file import refuse
from lakeflow_teams.options import as_options
from lakeflow_teams.options.environment import connection_from_environment

Step = Literal["check", "run", "status"]


def pairup(
    plan: str | PathLike[str] | Mapping[str, Any],
    target: str | PathLike[str],
    connection: Mapping[str, Any] | None = None,
    *,
    step: Step = "run",
    credential: object | None = None,
    at: datetime | None = None,
    retry_failed: bool = False,
    on_progress: OnProgress | None = None,
) -> PairUpSummary:
    """Runs one step of a pair-up.

    ``plan`` is ``pairup.yaml`` or the same as a mapping; ``target`` the folder of the lakehouse, which gets the table
    ``main/default/pairups`` and the state under ``_pairup``. ``check`` says who would be grouped and sends nothing. ``run``
    forms the groups of the week or month once, and sends each person a card that names the others; again it goes on, and
    never starts over. ``status`` tells how far the last round is. ``at`` is the moment whose week or month it is, by default
    now; ``retry_failed`` and ``on_progress`` are those of :func:`broadcast`. Raises :class:`ConfigurationError` for what is
    wrong in the plan, the card or the connection, before anything is sent.
    """
    begin = monotonic()
    job = _Job(load(plan), target_folder(target), connection, credential, on_progress)
    moment = at or datetime.now(timezone.utc)
    if step == "check":
        summary = job.check(moment)
    elif step == "run":
        summary = job.run(moment, retry_failed=retry_failed)
    elif step == "status":
        summary = job.status()
    else:
        refuse(f"step: {step!r} is not one of check, run, status")
    summary.seconds = round(monotonic() - begin, 3)
    return summary


class _Job:
    def __init__(
        self,
        spec: PairUpSpec,
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
        self._rounds = Rounds(root, spec.name)

    def check(self, moment: datetime) -> PairUpSummary:
        """What a run would do; nothing is sent, and nothing is written to the target."""
        name = self._round_of(moment)
        if self._has_begun(name):
            formed = self._rounds.load(name)
            summary = self._summary("check", formed)
            told: BroadcastSummary | None = self._broadcast(name, self._rounds.invitations(name), summary).step("check")
        else:
            with TemporaryDirectory(prefix="pairup-") as folder:
                formed = self._form(name, moment, Path(folder))
                summary = self._summary("check", formed)
                table = Path(folder) / f"{name}.jsonl"
                write_invitations(table, self._invitations(formed))
                told = self._broadcast(name, table, summary).step("check") if formed.groups else None
        return self._told(summary, formed, told)

    def run(self, moment: datetime, *, retry_failed: bool) -> PairUpSummary:
        """Forms the round if it is a new one, and tells everybody who was not told yet."""
        with self._rounds.alone():
            name = self._round_of(moment)
            formed = self._rounds.load(name) if self._has_begun(name) else self._begin(name, moment)
            summary = self._summary("run", formed)
            if not formed.groups:
                self._write(formed)
                return self._told(summary, formed, None)
            job = self._broadcast(name, self._rounds.invitations(name), summary)
            if not retry_failed and self._is_through(name, job):
                return self._told(summary, formed, job.step("status"))
            try:
                return self._told(summary, formed, job.step("run", retry_failed=retry_failed))
            finally:
                self._write(formed)

    def _begin(self, name: str, moment: datetime) -> Round:
        self._catch_up(name)
        with TemporaryDirectory(prefix="pairup-") as folder:
            formed = self._form(name, moment, Path(folder))
        self._rounds.keep(formed, self._invitations(formed))
        return formed

    def _is_through(self, name: str, job: Job) -> bool:
        """Whether nothing is left to do, so that a run that is started each hour asks nothing and writes nothing."""
        if not self._has_begun(name) or name not in history.told(self._root, self._spec.name):
            return False
        left = {"queued", "throttled", "attempting"} | ({"unknown"} if self._spec.on_unknown != "skip" else set())
        return not left.intersection(job.step("status").counts)

    def status(self) -> PairUpSummary:
        """How far the last round is, from the journal; another process may be writing it."""
        names = self._rounds.names()
        if not names:
            refuse(f"target {self._root}: the pair-up {self._spec.name!r} had no round yet; `pairup run` comes first")
        formed = self._rounds.load(names[-1])
        summary = self._summary("status", formed)
        told = None
        if self._has_begun(formed.name):
            told = self._broadcast(formed.name, self._rounds.invitations(formed.name), summary).step("status")
            summary.running = told.running
        return self._told(summary, formed, told)

    def _round_of(self, moment: datetime) -> str:
        return round_of(self._spec.every, moment, self._spec.timezone)

    @property
    def _options(self) -> dict[str, str]:
        return connection_from_environment(as_options(self._connection or {}), has_credential=self._credential is not None)

    def _workspace(self, name: str) -> Workspace:
        return Workspace(self._root, self._title(name))

    def _title(self, name: str) -> str:
        """What the broadcast of a round is called."""
        return f"{self._spec.name} {name}"

    def _has_begun(self, name: str) -> bool:
        """Whether the groups of a round stand: its broadcast is frozen, so that somebody may have been told."""
        return self._workspace(name).frozen is not None

    def _form(self, name: str, moment: datetime, scratch: Path) -> Round:
        spec = self._spec
        resolve(spec.audience, self._options, scratch, credential=self._credential)
        away = paused(self._root, spec.name)
        people = [self._placed(one, away) for one in _people(scratch / "recipients.jsonl")]
        if not people:
            refuse(f"{spec.place}: recipients: nobody was found")
        met = history.met(self._root, spec.name, before=name)
        there = [one.id for one in people if one.state == "queued"]
        groups = form(there, spec.size, met, name=spec.name, round_=name)
        if not groups:
            people = [_unmatched(one) for one in people]
        return Round(
            name=name,
            formed_at=int(moment.timestamp() * 1000),
            people=tuple(people),
            groups=tuple(map(tuple, groups)),
            repeats=repeats(groups, met),
        )

    def _placed(self, one: Person, away: set[str]) -> Person:
        if one.state == "queued" and one.id in away:
            return Person(one.id, one.name, one.user_principal_name, "paused", "they pause")
        return one

    def _invitations(self, formed: Round) -> Iterator[dict[str, Any]]:
        return invitations(formed, self._spec.name, self._options.get("cloud", "global"))

    def _broadcast(self, name: str, table: Path, summary: PairUpSummary) -> Job:
        """The broadcast of a round. Once it has begun its card stays what it was."""
        spec = self._spec
        frozen = self._workspace(name).frozen
        wanted = spec.card or card()
        if frozen and frozen["card"] != wanted:
            summary.warnings.append(
                f"{spec.card_place}: another card than {name} began with; it counts from the next round on"
            )
        told = BroadcastSpec(
            name=self._title(name),
            audience=Audience(
                table=table,
                include_guests=spec.audience.include_guests,
                include_unlicensed=spec.audience.include_unlicensed,
            ),
            card=frozen["card"] if frozen else wanted,
            card_place=frozen["card_place"] if frozen else spec.card_place,
            summary=spec.summary or spec.name,
            install=spec.install,
            app=spec.app,
            on_unknown=spec.on_unknown,
            max_failures=spec.max_failures,
            card_signing_key_file=spec.card_signing_key_file,
            place=spec.place,
        )
        return Job(told, self._root, self._connection, self._credential, self._tell)

    def _summary(self, step: str, formed: Round) -> PairUpSummary:
        return PairUpSummary(step, self._spec.name, formed.name, groups=len(formed.groups), repeats=formed.repeats)

    def _told(self, summary: PairUpSummary, formed: Round, told: BroadcastSummary | None) -> PairUpSummary:
        grouped = {one for group in formed.groups for one in group}
        counts = Counter(person.state for person in formed.people if person.id not in grouped)
        counts.update(told.counts if told else {"queued": len(grouped)})
        summary.counts = {state: count for state, count in sorted(counts.items()) if count}
        if told:
            summary.reasons, summary.problems = told.reasons, told.problems
            summary.warnings += told.warnings
            summary.stopped, summary.failed, summary.minutes = told.stopped, told.failed, told.minutes
        return summary

    def _write(self, formed: Round) -> None:
        workspace = self._workspace(formed.name)
        outcomes = _outcomes(workspace.root) if workspace.frozen else {}
        history.write(self._root, self._spec.name, formed, outcomes)

    def _catch_up(self, name: str) -> None:
        """A killed run may have left its round out of the table, or without what became of it."""
        earlier = [one for one in self._rounds.names() if one != name and self._has_begun(one)]
        known = history.told(self._root, self._spec.name)
        for one in earlier:
            if one not in known:
                self._write(self._rounds.load(one))


def _people(recipients: Path) -> Iterator[Person]:
    with recipients.open(encoding="utf-8") as lines:
        for line in lines:
            one = json.loads(line)
            parts = {key: one.get(key) for key in ("name", "user_principal_name")}
            yield Person(one["id"], **parts, state=one.get("state", "queued"), why=one.get("why", ""))


def _unmatched(one: Person) -> Person:
    why = "nobody else is there"
    return Person(one.id, one.name, one.user_principal_name, "unmatched", why) if one.state == "queued" else one


def _outcomes(folder: Path) -> dict[str, history.Outcome]:
    names = ("recipient_id", "state", "error_code", "error", "sent_at")
    found = {}
    for batch in deliveries.rows(folder):
        for row in batch.select(list(names)).to_pylist():
            found[row["recipient_id"]] = (row["state"], row["error_code"], row["error"], row["sent_at"])
    return found
