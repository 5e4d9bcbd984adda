"""The steps of an import: check, run, verify, complete."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from time import monotonic
from typing import Any, Literal

from lakeflow_teams import _core
from lakeflow_teams.deliver import ledger_table, report
from lakeflow_teams.deliver.containers import Containers, containers
from lakeflow_teams.deliver.document import ImportSpec, load
from lakeflow_teams.deliver.hours import hours
from lakeflow_teams.deliver.people import People, directory, people
from lakeflow_teams.deliver.permissions import missing
from lakeflow_teams.deliver.sources.model import MESSAGES, Problem, Source, SourceError
from lakeflow_teams.deliver.sources.registry import open_source
from lakeflow_teams.deliver.summary import STATES, ContainerSummary, ImportSummary
from lakeflow_teams.deliver.workspace import Workspace, fingerprint
from lakeflow_teams.deliver.yaml_file import refuse
from lakeflow_teams.options import as_options
from lakeflow_teams.options.environment import connection_from_environment
from lakeflow_teams.store.folder import Folder
from lakeflow_teams.store.locate import locate

Step = Literal["check", "run", "verify", "complete"]
#: Called with what is posted and refused of each container since the step began: source id, name, both counts.
OnProgress = Callable[[list[tuple[str, str, int, int]]], None]


def import_messages(
    plan: str | PathLike[str] | Mapping[str, Any],
    target: str | PathLike[str],
    connection: Mapping[str, Any] | None = None,
    *,
    credential: object | None = None,
    step: Step = "run",
    on_progress: OnProgress | None = None,
) -> ImportSummary:
    """Runs one step of an import.

    ``plan`` is ``import.yaml`` or the same as a mapping; ``target`` the folder of the lakehouse, which gets the table
    ``main/default/import_messages`` and the state under ``_import``. ``check`` sends nothing that has an effect. ``run``
    makes channels and chats and posts what is not posted yet; ``verify`` reads everything back; ``complete`` ends migration
    mode and adds members. Each may be run again. Raises :class:`ConfigurationError` for what is wrong in the plan, the
    mappings, the source or the connection, before anything is sent.
    """
    if step not in ("check", "run", "verify", "complete"):
        refuse(f"step: {step!r} is not one of check, run, verify, complete")
    begin = monotonic()
    spec = load(plan)
    root = _folder(target)
    given = as_options(connection or {})
    options = connection_from_environment(given, has_credential=credential is not None)
    job = _Job(spec, root, options, credential, on_progress)
    try:
        summary = job.check() if step == "check" else job.go(step)
    except SourceError as error:
        refuse(str(error))
    summary.seconds = round(monotonic() - begin, 3)
    summary.page = str(report.write(summary, root, spec.name))
    return summary


def _folder(target: str | PathLike[str]) -> Path:
    """The folder of the lakehouse. A journal that is on disk before each request needs a disk."""
    if not isinstance(locate(target), Folder):
        refuse(f"target {target}: an import keeps its journal in a folder of this machine; name one")
    return Path(target)


@dataclass
class Mapped:
    """The source with all its mappings."""

    source: Source
    people: People
    containers: Containers
    problems: list[Problem]

    def batches(self) -> Any:
        """The messages of the containers that are not left out, in the model's very types."""
        wanted = [one["source"] for one in self.containers.plan]
        for batch in self.source.messages(wanted):
            yield batch if batch.schema.equals(MESSAGES) else batch.cast(MESSAGES)


def mapped(spec: ImportSpec, client: _core.Client | None) -> Mapped:
    """Opens the source and maps people and containers."""
    problems: list[Problem] = []
    source = open_source(spec.format, spec.source, spec.options)
    who = people(spec, source, directory(client), problems)
    return Mapped(source, who, containers(spec, source, who, _taken(spec, client), problems), problems)


def _taken(spec: ImportSpec, client: _core.Client | None) -> dict[str, list[str]]:
    """The channels' names of the existing team."""
    if client is None or spec.team_id is None:
        return {}
    rows = client.read("channels", {"team_id": spec.team_id}, ["id", "displayName"])
    return {spec.team_id: [row["displayName"] for batch in rows for row in batch.to_pylist()]}


class _Job:
    def __init__(
        self,
        spec: ImportSpec,
        root: Path,
        options: dict[str, str],
        credential: object | None,
        on_progress: OnProgress | None,
    ) -> None:
        self._spec = spec
        self._root = root
        self._options = options
        self._credential = credential
        self._tell = on_progress
        self._workspace = Workspace(root, spec.name)
        self._client = _core.Client(options, credential=credential, strict=True)

    def _plan(self, run: str) -> tuple[Mapped, dict[str, Any]]:
        spec = self._spec
        found = mapped(spec, self._client)
        plan = {
            "run": run,
            "teams": found.containers.teams,
            "containers": found.containers.plan,
            "people": found.people.plan,
            "fallback": found.people.fallback,
            "owner": found.people.owner,
            "images": spec.images,
            "drive": spec.drive,
            "reactions": spec.reactions,
            "rate": spec.rate,
            "since": _microseconds(spec.since),
            "until": _microseconds(spec.until),
            "add_members": spec.add_members,
        }
        return found, plan

    def check(self) -> ImportSummary:
        """What a run would do, without an effect."""
        found, plan = self._plan(self._workspace.run_if_known())
        counts = json.loads(_core.stage_import(json.dumps(plan, ensure_ascii=False), found.batches()))
        summary = ImportSummary("check")
        known = self._known()
        for one, count in zip(plan["containers"], counts, strict=True):
            line = ContainerSummary(one["source"], one["name"], one["kind"], messages=count["messages"])
            before = known.get(one["source"])
            line.posted = min(before["states"]["posted"] if before else 0, count["posts"])
            line.pending, line.skipped, line.refused = count["posts"] - line.posted, count["skipped"], count["refused"]
            line.team = (
                None if one["team"] is None else plan["teams"][one["team"]]["name"] or plan["teams"][one["team"]]["id"]
            )
            line.problem = one["refused"]["reason"] if one["refused"] and not one["refused"]["skipped"] else None
            summary.containers.append(line)
            _add(summary.changed, count["notes"])
            _add(summary.changed, dict.fromkeys(one["notes"], 1))
            _add(summary.left_out, count["reasons"])
            summary.unmapped.update(count["unmapped"])
        self._fill(summary, found)
        summary.hours = hours(summary.containers, self._spec.rate)
        needed = missing(self._client, plan)
        summary.problems += [f"permission {name}: it is not granted; {what}" for name, what in needed.items()]
        if any(one["id"] for one in plan["containers"]):
            self._existing(summary, plan, {source for source, one in known.items() if one["opened"]})
        return summary

    def _existing(self, summary: ImportSummary, plan: dict[str, Any], ours: set[str]) -> None:
        """Names the containers that exist already and take no import. ``ours`` were opened by this one."""
        text = json.dumps(plan, ensure_ascii=False)
        for place, why in _core.existing_containers(text, self._options, credential=self._credential):
            line = summary.containers[place]
            if line.source_id not in ours:
                line.problem = why
                summary.problems.append(f"container {line.source_id}: {why}")

    def _known(self) -> dict[str, Any]:
        """What is known of each container since earlier runs."""
        folder = self._workspace.staged
        return {} if folder is None else {one["source"]: one for one in json.loads(_core.Import(folder).states())}

    def go(self, step: str) -> ImportSummary:
        """A step that talks to Teams."""
        with self._workspace.alone():
            return self._alone(step)

    def _alone(self, step: str) -> ImportSummary:
        summary = ImportSummary(step)
        found: Mapped | None = None
        if step == "run":
            found = self._stage(summary)
        folder = self._workspace.staged
        if folder is None:
            refuse(f"target {self._root}: nothing of this import is there; `import run` comes before `import {step}`")
        source = found.source if found else None
        job = _core.Import(folder, self._options, credential=self._credential, contents=_contents(source))
        try:
            self._step(job, step, summary)
        finally:
            timeline, said, states = job.timeline(), json.loads(job.report()), json.loads(job.states())
            job.close()
            ledger_table.write(self._root)
        self._collect(summary, states, said, timeline)
        return summary

    def _stage(self, summary: ImportSummary) -> Mapped:
        found, plan = self._plan(self._workspace.run)
        needed = missing(self._client, plan)
        if needed:
            text = "; ".join(f"{name} ({what})" for name, what in needed.items())
            raise _core.PermissionDeniedError(f"these permissions are not granted: {text}. Nothing was sent")
        mark = fingerprint(plan, self._spec.source)
        if not self._workspace.is_staged(mark):
            self._workspace.stage(plan, found.batches(), mark)
        self._fill(summary, found)
        return found

    def _step(self, job: _core.Import, step: str, summary: ImportSummary) -> None:
        why_not = job.begin(self._options.get("client_id", ""))
        if why_not:
            raise _core.LakeflowTeamsError(why_not)
        names = [(one["source"], one["name"]) for one in json.loads(job.states())]

        def tell(counts: list[tuple[int, int]]) -> None:
            if self._tell:
                self._tell([(*name, *count) for name, count in zip(names, counts, strict=True)])

        if step == "verify":
            verified = json.loads(job.verify(tell))
            summary.differences = verified["differences"]
            summary.verified = {name: verified[name] for name in ("read", "equal", "images", "found")}
            summary.stopped = [{"container": one, "reason": why} for one, why in verified["unreadable"]]
            return
        if step == "complete":
            open_posts = sum(one["states"]["pending"] + one["states"]["attempting"] for one in json.loads(job.states()))
            if open_posts:
                text = (
                    f"{open_posts:,} messages are not posted yet: `import run` posts them, and then this ends the migration"
                )
                raise _core.LakeflowTeamsError(text)
        outcome = json.loads(job.run(tell) if step == "run" else job.complete(tell))
        summary.stopped = [{"container": one, "reason": why} for one, why in outcome["stopped"]]
        summary.reopened, summary.to_do = outcome["reopened"], outcome["to_do"]

    def _fill(self, summary: ImportSummary, found: Mapped) -> None:
        summary.unmapped.update(found.people.unmapped)
        summary.problems += list(dict.fromkeys(str(problem) for problem in [*found.problems, *found.source.problems]))

    def _collect(self, summary: ImportSummary, states: Any, said: Any, timeline: list[int]) -> None:
        stopped = {one["container"]: one["reason"] for one in summary.stopped}
        for one in states:
            line = ContainerSummary(one["source"], one["name"], one["kind"], one["team"], one["id"], one["messages"])
            for state in STATES:
                setattr(line, state, one["states"][state])
            line.completed = one["completed"]
            line.problem = stopped.get(one["source"])
            summary.containers.append(line)
            _add(summary.changed, one["notes"])
            _add(summary.left_out, one["reasons"])
        summary.hours = hours(summary.containers, self._spec.rate)
        summary.requests, summary.retries = said["requests"], said["retries"]
        summary.throttled_seconds = said["throttled_seconds"]
        summary.posts_per_second = timeline if summary.step == "run" else []


def _contents(source: Source | None) -> Callable[[str], bytes] | None:
    return source.content if source is not None else None


def _add(to: dict[str, int], counts: Mapping[str, int]) -> None:
    for name, count in counts.items():
        to[name] = to.get(name, 0) + count


def _microseconds(moment: Any) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1_000_000)
