"""One run's document: what it did, what the lakehouse holds now, and how earlier runs went; as JSON and as a page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from typing import Any

from lakeflow_teams import _core
from lakeflow_teams._templates import render
from lakeflow_teams.results.lakehouse import TableStatus, size_text
from lakeflow_teams.results.report import describe_skip
from lakeflow_teams.results.summary import RunSummary
from lakeflow_teams.run_report import charts, files
from lakeflow_teams.run_report.volume import SOURCES, volume
from lakeflow_teams.store.location import Location

#: Runs that a page compares itself with.
HISTORY = 20

_ENTRA = "https://login.microsoftonline.com/error?code="
_ENTRA_NUMBER = re.compile(r"AADSTS(\d+)")
#: Microsoft's page about what an error of the class is made of.
_LINKS = {
    "PermissionDeniedError": "https://learn.microsoft.com/graph/permissions-reference",
    "ThrottledError": "https://learn.microsoft.com/graph/throttling-limits",
    "NotFoundError": "https://learn.microsoft.com/graph/errors",
    "ServiceError": "https://learn.microsoft.com/graph/errors",
}


def write(summary: RunSummary, target: Location, tables: Sequence[TableStatus]) -> Location:
    """Writes the run's report into the lakehouse, whose tables are given as they are now, and returns its page."""
    document = compose(summary, target, tables)
    return files.write(target, document["run"], document, html(document))


def compose(summary: RunSummary, target: Location, tables: Sequence[TableStatus]) -> dict[str, Any]:
    """Everything the page shows, as plain values."""
    finished = datetime.now(timezone.utc)
    started = finished - timedelta(seconds=summary.seconds)
    document = {
        "version": 1,
        "run": started.strftime("%Y%m%dT%H%M%S.%f")[:-3] + "Z",
        "connector": _core.__version__,
        "started": _iso(started),
        "finished": _iso(finished),
        **summary.to_dict(),
        "timeline": [asdict(sample) for sample in summary.timeline],
        "tables": [asdict(table) for table in tables],
    }
    earlier = files.earlier(target, HISTORY - 1)
    same = earlier and _counted(earlier[-1]) == _counted(document)
    document["volume"] = earlier[-1]["volume"] if same else volume(target, tables)
    document["history"] = [_short(each) for each in [*earlier, document]]
    return document


def _counted(document: Mapping[str, Any]) -> Any:
    """What the document's volume rests on, which is not counted again while it is the same."""
    names = ("path", "version", "committed", "rows", "bytes")
    tables = [[table[name] for name in names] for table in document["tables"] if table["source_table"] in SOURCES]
    return document["connector"], tables


def html(document: Mapping[str, Any]) -> str:
    """The page. It loads nothing, runs no script, and escapes every value."""
    over_time = charts.rates(document["timeline"])
    days = document["volume"]["days"] if document["volume"] else []
    return render(
        "report.html",
        run=document,
        rows=sum(line["rows"] for line in document["destinations"]),
        stored={table["path"]: table for table in document["tables"]},
        skipped=list(dict.fromkeys(describe_skip(scope) for scope in document["skipped"])),
        requests=charts.columns(over_time, "at", ["requests"], width=charts.NARROW),
        waits=charts.columns(over_time, "at", ["throttled", "planned"], unit=" seconds", width=charts.NARROW),
        days=charts.columns(days, "day", ["messages", "replies"]),
        channels=document["volume"]["channels"] if document["volume"] else [],
        tables=_per_run(document["history"]),
        failures=_failures(document["destinations"]),
        size=size_text,
        minute=_minute,
    )


def _failures(destinations: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each cause once, with the destinations that it ended and where the documentation says more."""
    causes = dict.fromkeys(line["error"] for line in destinations if line["error"])
    return [
        {
            "error": cause,
            "names": [line["destination"] for line in destinations if line["error"] == cause],
            "page": _page_about(cause),
            "link": _link_about(cause),
        }
        for cause in causes
    ]


def _page_about(error: str) -> str:
    kind = error.partition(":")[0]
    known = issubclass(getattr(_core, kind, object), _core.LakeflowTeamsError)
    return f"more in the documentation: errors, {kind}" if known else ""


def _link_about(error: str) -> str:
    """Microsoft's page about an error of its kind, which is followed only where somebody follows it."""
    number = _ENTRA_NUMBER.search(error)
    return f"{_ENTRA}{number[1]}" if number else _LINKS.get(error.partition(":")[0], "")


def _short(document: Mapping[str, Any]) -> dict[str, Any]:
    """What later pages say of a run."""
    names = ("run", "started", "seconds", "requests", "throttled_seconds", "failed")
    rows = {line["destination"]: line["rows"] for line in document["destinations"]}
    return {**{name: document[name] for name in names}, "rows": rows}


def _per_run(history: Sequence[Mapping[str, Any]]) -> list[str]:
    """Every destination of these runs, each once, in the order of the latest run that had it."""
    return list(dict.fromkeys(name for run in reversed(history) for name in run["rows"]))


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _minute(time: str | None) -> str:
    """A time of a day: a page is read long after it was written, so that "5 min ago" would soon be wrong."""
    return (time or "")[:16].replace("T", " ")
