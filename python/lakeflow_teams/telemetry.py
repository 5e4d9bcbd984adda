"""OpenTelemetry, where it is installed (extra ``telemetry``): a span per reading, and metrics from the core's report.

Only the API is used: without an SDK, or where none is configured, everything here does nothing. ``ingest_local`` and the
command line report by themselves; around other reads::

    with telemetry.reading(client, ["messages"]):
        client.read("messages", fetch_all_teams=True, fetch_all_channels=True).to_arrow()

Names and attributes are in ``docs/observability.md``. No attribute holds a name or an id of a person, team or channel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from lakeflow_teams import _core
from lakeflow_teams.results.report import Report

if TYPE_CHECKING:
    from lakeflow_teams.client import TeamsClient
    from lakeflow_teams.results.summary import DestinationSummary

_SCOPE = "lakeflow_teams"

#: Counters: what they count, and in which unit.
COUNTERS = {
    "requests": ("{request}", "Requests to Microsoft Graph, repeated ones included, by endpoint."),
    "retries": ("{request}", "Requests that were repeated, by endpoint."),
    "throttled": ("{response}", "Answers that asked for a pause, by endpoint."),
    "errors": ("{request}", "Requests that failed for good, by endpoint."),
    "wait": ("s", "Seconds waited, by reason; added up over requests side by side."),
    "received": ("By", "Bytes that came over the wire."),
    "rows.read": ("{row}", "Rows read, by table."),
    "rows.changed": ("{row}", "Rows of a destination that were added, changed or removed, by destination and kind."),
    "scopes.skipped": ("{scope}", "Teams, channels, users or chats that were left out."),
    "notifications": ("{notification}", "Change notifications that were taken in, by what became of them."),
    "notifications.lost": ("{row}", "Rows that only polling found, by the reason of the poll."),
}
#: From the arrival of a notification to its commit.
LAG = ("notifications.lag", "s", "Seconds from the arrival of a notification to the commit of its row.")


class Reports(Protocol):
    """What has the core's report as JSON text."""

    def report(self) -> str:
        """The report since it was made."""


class Reading:
    """One reading under way. Metrics are what happened since the last :meth:`flush`."""

    def __init__(self, source: Reports) -> None:
        self._source = source
        self._seen = Report.parse(source.report())

    def flush(self) -> None:
        """Adds what the report gained since the last time."""
        counters = _counters()
        if not counters:
            return
        now, before = Report.parse(self._source.report()), self._seen
        self._seen = now
        for name in ("requests", "retries", "throttled", "errors"):
            for endpoint, counts in _by_endpoint(now).items():
                gained = counts[name] - _by_endpoint(before).get(endpoint, {}).get(name, 0)
                _add(counters[name], gained, {"endpoint": endpoint})
        _add(counters["wait"], now.throttled_seconds - before.throttled_seconds, {"reason": "throttled"})
        _add(counters["wait"], now.planned_seconds - before.planned_seconds, {"reason": "planned"})
        _add(counters["received"], now.bytes - before.bytes, {})
        _add(counters["scopes.skipped"], now.skipped_count - before.skipped_count, {})
        for table, rows in now.rows.items():
            _add(counters["rows.read"], rows - before.rows.get(table, 0), {"table": table})


@contextmanager
def reading(client: TeamsClient | _core.Client, tables: Sequence[str]) -> Iterator[Reading]:
    """A span ``lakeflow_teams.read`` around reading ``tables``; an error inside ends it as one.

    The metrics are those of the whole client: read one thing at a time with it.
    """
    core = client if isinstance(client, _core.Client) else client._core  # noqa: SLF001
    under_way = Reading(core)
    with _span("read", {"tables": list(tables)}):
        try:
            yield under_way
        finally:
            under_way.flush()


@contextmanager
def run(connection_name: str) -> Iterator[None]:
    """A span ``lakeflow_teams.ingest`` around a whole run."""
    with _span("ingest", {"connection_name": connection_name}):
        yield


def committed(lines: Sequence[DestinationSummary]) -> None:
    """Counts what a reading changed in its destinations."""
    counters = _counters()
    for line in lines if counters else ():
        for kind in ("inserts", "updates", "deletes"):
            attributes = {"destination": line.destination, "kind": kind}
            _add(counters["rows.changed"], getattr(line, kind), attributes)


def notified(outcomes: Mapping[str, int], lag_seconds: float | None) -> None:
    """Counts notifications of a listener, and how long the oldest of them took to its table."""
    counters = _counters()
    for outcome, count in outcomes.items() if counters else ():
        _add(counters["notifications"], count, {"outcome": outcome})
    histogram = _lag()
    if histogram is not None and lag_seconds is not None:
        histogram.record(lag_seconds)


def lost(reason: str, rows: int) -> None:
    """Counts rows that no notification had brought."""
    counters = _counters()
    if counters:
        _add(counters["notifications.lost"], rows, {"reason": reason})


@dataclass(frozen=True)
class _Api:
    tracer: Any
    meter: Any


@cache
def _api() -> _Api | None:
    """OpenTelemetry's API; what it returns follows the providers that are configured, also later."""
    try:
        from opentelemetry import metrics, trace
    except ModuleNotFoundError:
        return None
    return _Api(trace.get_tracer(_SCOPE, _core.__version__), metrics.get_meter(_SCOPE, _core.__version__))


@cache
def _counters() -> dict[str, Any]:
    api = _api()
    if api is None:
        return {}
    return {
        name: api.meter.create_counter(f"{_SCOPE}.{name}", unit=unit, description=text)
        for name, (unit, text) in COUNTERS.items()
    }


@cache
def _lag() -> Any:
    api = _api()
    name, unit, text = LAG
    return None if api is None else api.meter.create_histogram(f"{_SCOPE}.{name}", unit=unit, description=text)


def _span(name: str, attributes: Mapping[str, Any]) -> Any:
    api = _api()
    if api is None:
        return nullcontext()
    return api.tracer.start_as_current_span(
        f"{_SCOPE}.{name}", attributes={f"{_SCOPE}.{key}": value for key, value in attributes.items()}
    )


def _by_endpoint(report: Report) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = report.raw.get("endpoints", {})
    return found


def _add(counter: Any, amount: float, attributes: Mapping[str, str]) -> None:
    if amount > 0:
        counter.add(amount, attributes)
