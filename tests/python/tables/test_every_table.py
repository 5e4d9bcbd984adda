"""What holds for every table there is: the raw item on request, and what a refusal does."""

from __future__ import annotations

import json
import re

import pyarrow as pa
import pytest

from lakeflow_teams import GraphEmulator, NotFoundError, PermissionDeniedError, TeamsClient, _core

INFO = {info["name"]: info for info in _core.tables()}
#: A refused conversation is left out and reported; the rest of these tables is none the worse.
SKIPPED = {name for name, info in INFO.items() if info["reading"] in ("channel_messages", "chats", "chat_messages")}
#: Times that are written in one form, whatever form they come in.
CURSORS = {"lastModifiedDateTime", "lastUpdatedDateTime"}
#: One request for the tenant: there is nothing that could be left out.
WHOLE = {name for name, info in INFO.items() if "{id}" not in info["endpoint"]}


@pytest.fixture(scope="module")
def tenant():
    """A tenant in which every table has rows."""
    with GraphEmulator(teams=8, channels_per_team=3, messages_per_channel=12, users=8, chats=6, seed=7) as emulator:
        emulator.mutate(deleted_teams=2)
        yield emulator


@pytest.fixture
def refusing(tenant):
    """Refuses what it is told with what it is told."""

    def refuse(table, status):
        paths = re.findall(r"GET ([^ ,;?]+)", INFO[table]["endpoint"])
        # Where `/teams` is refused the groups that have a team are listed instead.
        for path in [*paths, "/groups"] if table == "teams" else paths:
            tenant.fault(path=path, status=status)
        return TeamsClient({**tenant.options, "retry_timeout_seconds": "0"})

    yield refuse
    tenant.clear_faults()


def everything(table):
    """The options that discover all that a table can hold."""
    found = re.findall(r"fetch_all_\w+", INFO[table]["required_options"])
    return dict.fromkeys(["fetch_all_groups"] if "fetch_all_groups" in found else found, "true")


@pytest.mark.parametrize("table", INFO)
def test_the_raw_item_is_there_on_request(tenant, table):
    rows = pa.table(TeamsClient(tenant.options).read(table, **everything(table), include_raw="true")).to_pylist()
    same = 0
    for row in rows:
        raw = json.loads(row.pop("_raw"))
        if raw.get("id") == row.get("message_id"):
            # Of what is shown in a message the item is the message.
            row.pop("id", None)
            same += 1
        for name in (row.keys() & raw.keys()) - CURSORS:
            if isinstance(row[name], str | bool | int) and type(raw[name]) is type(row[name]):
                assert raw[name] == row[name], (table, name)
                same += 1
    assert same


@pytest.mark.parametrize("table", INFO)
def test_a_refusal_names_the_permission_and_is_skipped_where_that_loses_nothing(refusing, table):
    client = refusing(table, 403)
    with pytest.raises(PermissionDeniedError) as failure:
        list(client.read(table, **everything(table)))
    assert any(permission in str(failure.value) for permission in INFO[table]["permissions"])
    options = {**everything(table), "on_forbidden": "skip"}
    if table not in SKIPPED:
        with pytest.raises(PermissionDeniedError):
            list(client.read(table, **options))
        return
    assert sum(len(batch) for batch in client.read(table, **options)) == 0
    assert client.report.skipped
    assert {skip["status"] for skip in client.report.skipped} == {403}


@pytest.mark.parametrize("table", INFO)
def test_what_is_not_found_is_left_out_and_reported(refusing, table):
    client = refusing(table, 404)
    if table in WHOLE | {"teams", "deleted_team_messages"}:
        with pytest.raises(NotFoundError):
            list(client.read(table, **everything(table)))
        return
    assert sum(len(batch) for batch in client.read(table, **everything(table))) == 0
    assert client.report.skipped
