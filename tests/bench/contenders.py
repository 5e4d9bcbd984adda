"""One contender per process: ``python contenders.py NAME '{"options": ..., ...}'`` prints its figures as JSON.

Imports and the token are outside the timing; reading, parsing and building tables are inside.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
import types
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from urllib.request import urlopen

import lakehouse

Job = dict[str, Any]
ROOTS_AND_REPLIES = ["messages", "message_replies"]
WHOLE = {"fetch_all_teams": "true", "fetch_all_channels": "true", "fetch_all_messages": "true"}


def _token(options: dict[str, str]) -> str:
    form = {
        "client_id": options["client_id"],
        "client_secret": options["client_secret"],
        "scope": "https://graph.microsoft.com/.default",
        "grant_type": "client_credentials",
    }
    with urlopen(
        f"{options['authority_host']}/{options['tenant_id']}/oauth2/v2.0/token", urlencode(form).encode()
    ) as answer:
        return json.load(answer)["access_token"]


def _resident_mb() -> float:
    """Memory of this process now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def _cpu_seconds() -> float:
    """Of this process and of those that it started and that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


# The connector ------------------------------------------------------------------------------------------------------


def connector(job: Job) -> Callable[[], dict[str, Any]]:
    """Arrow batches drained in Python. ``pause`` sleeps after each batch; ``every`` samples memory by rows."""
    from lakeflow_teams import _core

    client = _core.Client({"rate_limits": "off", **job["options"]})
    tables = job.get("tables", ROOTS_AND_REPLIES)

    def run() -> dict[str, Any]:
        rows, pause, every, curve, first = 0, job.get("pause", 0), job.get("every", 0), [], None
        started = time.perf_counter()
        for _, batch in client.read_many(tables, {**WHOLE, **job.get("table_options", {})}):
            first = first or time.perf_counter() - started
            if every and (rows + batch.num_rows) // every > rows // every:
                curve.append([rows + batch.num_rows, _resident_mb()])
            rows += batch.num_rows
            if pause:
                time.sleep(pause)
        report = json.loads(client.report())
        kept = {name: report.get(name) for name in ("requests", "throttled", "planned_seconds", "throttled_seconds")}
        return {"rows": rows, "first_batch": first, "curve": curve, "report": kept}

    return run


def incremental(job: Job) -> Callable[[], dict[str, Any]]:
    """Rounds of the incremental read, from the offset in a file to the next."""
    from lakeflow_teams import _core

    client = _core.Client({"rate_limits": "off", **job["options"]})
    place = Path(job["offset_file"])
    offset = place.read_text() if place.exists() else None

    def run() -> dict[str, Any]:
        rows, now = 0, offset
        while True:
            batch = client.micro_batch(ROOTS_AND_REPLIES, WHOLE, now)
            rows, now = rows + batch.num_rows, batch.offset
            if batch.finished:
                break
        place.write_text(now)
        return {"rows": rows}

    return run


# What a careful engineer writes -------------------------------------------------------------------------------------


def careful(job: Job) -> Callable[[], dict[str, Any]]:  # noqa: C901 (a whole client, as a person writes it)
    """Pooled sessions, the largest pages, replies expanded, orjson, threads, and Arrow tables of the same columns."""
    import orjson
    import pyarrow as pa
    import requests
    from requests.adapters import HTTPAdapter

    from lakeflow_teams import _core

    base = job["options"]["graph_base_url"] + "/v1.0"
    session = requests.Session()
    session.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=16))
    session.headers["Authorization"] = "Bearer " + _token(job["options"])
    session.trust_env = False
    client = _core.Client(job["options"])
    schemas = {table: pa.schema(client.schema(table, WHOLE)) for table in ROOTS_AND_REPLIES}
    as_text = ("channelIdentity", "policyViolation", "eventDetail", "messageHistory")

    def pages(url: str | None) -> Iterator[list[dict[str, Any]]]:
        while url:
            answer = session.get(url, timeout=60)
            answer.raise_for_status()
            page = orjson.loads(answer.content)
            yield page["value"]
            url = page.get("@odata.nextLink")

    def row(item: dict[str, Any], **derived: str) -> dict[str, Any]:
        for name in as_text:
            if item.get(name) is not None:
                item[name] = orjson.dumps(item[name]).decode()
        item.update(derived)
        return item

    def channel(team: str, channel: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        roots: list[dict[str, Any]] = []
        replies: list[dict[str, Any]] = []
        for page in pages(f"{base}/teams/{team}/channels/{quote(channel)}/messages?$top=50&$expand=replies"):
            for item in page:
                more = pages(item.pop("replies@odata.nextLink", None))
                chain = [*item.pop("replies", []), *(reply for page in more for reply in page)]
                replies += [row(reply, team_id=team, channel_id=channel, parent_message_id=item["id"]) for reply in chain]
                roots.append(row(item, team_id=team, channel_id=channel))
        return roots, replies

    def run() -> dict[str, Any]:
        rows = 0
        waiting: dict[str, list[dict[str, Any]]] = {table: [] for table in ROOTS_AND_REPLIES}

        def close(table: str) -> int:
            batch = pa.RecordBatch.from_pylist(waiting[table], schema=schemas[table])
            waiting[table].clear()
            return batch.num_rows

        teams = [team["id"] for page in pages(f"{base}/teams?$select=id") for team in page]
        with ThreadPoolExecutor(16) as pool:
            channels = pool.map(
                lambda team: [one["id"] for page in pages(f"{base}/teams/{team}/channels") for one in page], teams
            )
            pairs = [(team, one) for team, own in zip(teams, channels, strict=True) for one in own]
            for found in pool.map(lambda pair: channel(*pair), pairs):
                for table, more in zip(ROOTS_AND_REPLIES, found, strict=True):
                    waiting[table] += more
                    rows += close(table) if len(waiting[table]) >= 10_000 else 0
        return {"rows": rows + sum(close(table) for table in ROOTS_AND_REPLIES)}

    return run


# General tools ------------------------------------------------------------------------------------------------------


def dlt(job: Job) -> Callable[[], dict[str, Any]]:
    """dlt's rest_api source over the same export, extraction only: normalising and loading would come on top."""
    import logging

    from dlt.sources.rest_api import rest_api_resources

    logging.disable(logging.WARNING)
    paginator = {"type": "json_link", "next_url_path": "['@odata.nextLink']"}
    config = {
        "client": {
            "base_url": job["options"]["graph_base_url"] + "/v1.0/",
            "auth": {"type": "bearer", "token": _token(job["options"])},
            "paginator": paginator,
        },
        "resource_defaults": {"endpoint": {"data_selector": "value"}},
        "resources": [
            {"name": "teams", "endpoint": {"path": "teams"}},
            {
                "name": "messages",
                "endpoint": {"path": "teams/{resources.teams.id}/channels/getAllMessages", "params": {"$top": 50}},
            },
        ],
    }

    def run() -> dict[str, Any]:
        messages = next(one for one in rest_api_resources(config) if one.name == "messages")
        return {"rows": sum(1 for _ in messages)}

    return run


def msgraph(job: Job) -> Callable[[], dict[str, Any]]:
    """msgraph-sdk with a hand-written loop: every channel of every team, replies expanded, nextLinks followed."""
    from kiota_abstractions.authentication import AuthenticationProvider
    from kiota_abstractions.base_request_configuration import RequestConfiguration
    from msgraph import GraphRequestAdapter, GraphServiceClient
    from msgraph.generated.teams.item.channels.item.messages.messages_request_builder import MessagesRequestBuilder

    token = _token(job["options"])

    class Bearer(AuthenticationProvider):
        async def authenticate_request(self, request: Any, additional_authentication_context: Any = None) -> None:
            request.headers.add("Authorization", f"Bearer {token}")

    adapter = GraphRequestAdapter(Bearer())
    adapter.base_url = job["options"]["graph_base_url"] + "/v1.0"
    client = GraphServiceClient(request_adapter=adapter)
    query = MessagesRequestBuilder.MessagesRequestBuilderGetQueryParameters(top=50, expand=["replies"])
    configuration = RequestConfiguration(query_parameters=query)

    async def channel(team: str, channel: str) -> int:
        messages = client.teams.by_team_id(team).channels.by_channel_id(channel).messages
        rows = 0
        try:
            page = await messages.get(request_configuration=configuration)
            while page:
                rows += sum(1 + len(message.replies or []) for message in page.value)
                page = await messages.with_url(page.odata_next_link).get() if page.odata_next_link else None
        except ValueError:
            # It cannot read every time that Graph sends; what it has read until then counts.
            return rows
        return rows

    async def read() -> int:
        teams = (await client.teams.get()).value
        lists = [
            (team.id, one.id) for team in teams for one in (await client.teams.by_team_id(team.id).channels.get()).value
        ]
        return sum(await asyncio.gather(*(channel(*pair) for pair in lists)))

    return lambda: {"rows": asyncio.run(read())}


# The connector that this one replaces ---------------------------------------------------------------------------------


def incumbent(job: Job) -> Callable[[], dict[str, Any]]:
    """The source in a file outside this repository, pointed at the emulator, one table after the other.

    ``arrow`` makes record batches of its rows; ``offset_file`` holds where the last run ended.
    """
    import pyarrow as pa

    text = Path(job["source"]).read_text()
    for public, own in (
        ("https://graph.microsoft.com", "graph_base_url"),
        ("https://login.microsoftonline.com", "authority_host"),
    ):
        text = text.replace(public, job["options"][own])
    module = types.ModuleType("incumbent")
    sys.modules["incumbent"] = module
    exec(compile(text, job["source"], "exec"), module.__dict__)
    found = next(value for value in vars(module).values() if isinstance(value, type) and hasattr(value, "read_table"))
    source = found(job["options"])
    place = Path(job["offset_file"]) if "offset_file" in job else None
    offsets = json.loads(place.read_text()) if place and place.exists() else {}

    def run() -> dict[str, Any]:
        rows = 0
        for table in job.get("tables", ROOTS_AND_REPLIES):
            records, offsets[table] = source.read_table(table, offsets.get(table, {}), {**WHOLE, "top": "50"})
            found = list(records)
            if job.get("arrow") and found:
                pa.RecordBatch.from_pylist(found)
            rows += len(found)
        if place:
            place.write_text(json.dumps(offsets))
        return {"rows": rows}

    return run


CONTENDERS = {
    one.__name__: one
    for one in (
        connector,
        incremental,
        careful,
        dlt,
        msgraph,
        incumbent,
        lakehouse.ingest,
        lakehouse.thrown_away,
        lakehouse.appends,
        lakehouse.dlt_merge,
    )
}


def main() -> None:
    run = CONTENDERS[sys.argv[1]](json.loads(sys.argv[2]))
    before, started = _cpu_seconds(), time.perf_counter()
    result = run()
    result["wall"], result["cpu"] = time.perf_counter() - started, _cpu_seconds() - before
    result["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(result))


if __name__ == "__main__":
    main()
