"""Spans and metrics, collected in memory; their sums are those of the report."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter

import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from lakeflow_teams import LakeflowTeamsError, TeamsClient, ingest_local, telemetry
from support.lakehouse import entry, later, pipeline
from support.paths import ROOT


@pytest.fixture(scope="module")
def collected():
    """Providers are set once in a process."""
    reader, exporter = InMemoryMetricReader(), InMemorySpanExporter()
    metrics.set_meter_provider(MeterProvider([reader]))
    tracer = TracerProvider()
    tracer.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(tracer)
    return reader, exporter


@pytest.fixture
def spans(collected):
    collected[1].clear()
    return collected[1].get_finished_spans


@pytest.fixture
def gained(collected):
    """What the counters gained since the test began, by name and attributes."""
    reader = collected[0]
    before = _totals(reader)
    return lambda: _totals(reader) - before


def _totals(reader):
    found = Counter()
    data = reader.get_metrics_data()
    for resource in data.resource_metrics if data else ():
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                for point in metric.data.data_points:
                    found[(metric.name.removeprefix("lakeflow_teams."), *sorted(point.attributes.items()))] += point.value
    return found


def total(counts, name):
    return sum(value for key, value in counts.items() if key[0] == name)


def test_an_ingest_adds_up_to_its_report(graph, options, tmp_path, spans, gained):
    ingest_local(pipeline(), tmp_path, options)
    later(graph)
    first = gained()
    graph.fault(path="/channels", status=429, times=2, retry_after="0.2")
    done = ingest_local(pipeline(), tmp_path, options)
    now = gained() - first
    by_endpoint = {endpoint: counts["requests"] for endpoint, counts in done.endpoints.items()}
    assert {key[1][1]: value for key, value in now.items() if key[0] == "requests"} == by_endpoint
    assert total(now, "retries") == done.retries == 2
    assert total(now, "throttled") == 2
    assert now["wait", ("reason", "throttled")] == pytest.approx(done.throttled_seconds, abs=0.01)
    assert total(now, "received") == done.bytes
    for line in done.destinations:
        for kind in ("inserts", "updates", "deletes"):
            assert now["rows.changed", ("destination", line.destination), ("kind", kind)] == getattr(line, kind)
    assert total(now, "scopes.skipped") == 0
    *readings, run = [span for span in spans() if span.start_time >= spans()[-1].start_time]
    assert run.name == "lakeflow_teams.ingest"
    assert run.attributes["lakeflow_teams.connection_name"] == "test"
    assert {span.name for span in readings} == {"lakeflow_teams.read"}
    assert ("messages", "message_replies") in {span.attributes["lakeflow_teams.tables"] for span in readings}
    assert all(span.parent.span_id == run.context.span_id for span in readings)


def test_a_reading_that_fails_says_so(graph, options, tmp_path, spans):
    graph.fault(kind="status", status=400, path="/members")
    with pytest.raises(LakeflowTeamsError):
        ingest_local(pipeline(entry("teams"), entry("members")), tmp_path, options)
    status = {span.attributes["lakeflow_teams.tables"]: span.status.is_ok for span in spans() if span.name.endswith("read")}
    assert status == {("teams",): True, ("members",): False}


def test_a_client_can_be_watched_and_skips_count(graph, options, spans, gained):
    team = graph.truth("teams")[0]["id"]
    graph.fault(path=f"/teams/{team}/channels", status=403, times=100_000)
    client = TeamsClient(options)
    with telemetry.reading(client, ["messages"]):
        rows = (
            client.read("messages", fetch_all_teams=True, fetch_all_channels=True, on_forbidden="skip").to_arrow().num_rows
        )
    assert gained()["rows.read", ("table", "messages")] == rows > 0
    assert total(gained(), "scopes.skipped") == client.report.skipped_count >= 1
    (span,) = spans()
    assert span.attributes["lakeflow_teams.tables"] == ("messages",)


def test_nothing_tells_who_or_where(graph, options, tmp_path, spans, gained):
    ingest_local(pipeline(), tmp_path, options)
    shown = repr([(span.attributes, span.events) for span in spans()]) + repr(list(gained()))
    ids = {row["id"] for table in ("teams", "channels", "members", "chats") for row in graph.truth(table)}
    assert not [each for each in ids if each in shown]
    assert options["client_secret"] not in shown


def test_every_name_is_documented():
    text = (ROOT / "docs" / "observability.md").read_text()
    assert set(re.findall(r"^\| `lakeflow_teams\.([\w.]+)` \| (?!`)", text, re.MULTILINE)) == set(telemetry.COUNTERS)


def test_it_is_an_extra():
    probe = (
        "import sys\nsys.modules['opentelemetry'] = None\n"
        "from lakeflow_teams import GraphEmulator, TeamsClient, telemetry\n"
        "with GraphEmulator(teams=1) as graph:\n"
        "    client = TeamsClient(graph.options)\n"
        "    with telemetry.reading(client, ['teams']) as reading:\n"
        "        print(len(list(client.read('teams'))), reading.flush())\n"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True)
    assert done.stdout.split() == ["1", "None"], done.stderr
