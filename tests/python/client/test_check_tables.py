"""The permission check over every table: what suffices, what is missing, and that a read agrees with it."""

from __future__ import annotations

import re

import pytest

from lakeflow_teams import GraphEmulator, TeamsClient, _core

INFO = {info["name"]: info for info in _core.tables()}
EACH = [(name, permission) for name, info in INFO.items() for permission in info["permissions"]]
PREFERRED = {"teams", "channel_messages", "chat_messages"}
#: What one of a table's permissions does for another.
STAND_INS = {("teams", "Team.ReadBasic.All"): "TeamSettings.Read.All"}
#: Held by applications that have nothing to do with Teams.
OTHER = "Application.Read.All"


@pytest.fixture(scope="module")
def tenant():
    """A tenant that holds something of everything."""
    with GraphEmulator(teams=8, channels_per_team=3, messages_per_channel=2, users=8, chats=6, seed=7) as emulator:
        emulator.mutate(deleted_teams=2)
        yield emulator


def check(tenant, table, roles=None):
    if roles is not None:
        tenant.set(roles=[*roles, OTHER])
    return TeamsClient({**tenant.options, "retry_timeout_seconds": "0"}).check(table)


@pytest.fixture
def whole(tenant):
    """The same with every permission, whatever a test has taken away."""
    tenant.set(roles=sorted({permission for _, permission in EACH}))
    return tenant


@pytest.mark.parametrize("table", INFO)
def test_the_declared_endpoint_is_asked_at_something_that_is_there(whole, table):
    whole.clear_requests()
    result = check(whole, table)
    assert result.ok
    assert {row.status for row in result.rows} == {"granted"}
    assert {row.permission for row in result.rows} == set(INFO[table]["permissions"])
    assert not result.notes
    asked = whole.request_counts()
    declared = re.findall(r"GET ([^ ,;?]+)", INFO[table]["endpoint"])
    # Of two ways to messages the first is asked; of teams the list.
    path = declared[0] if INFO[table]["reading"] in PREFERRED else declared[-1]
    assert any(name.split(" ")[-1].split("(")[0] == path for name in asked), (path, asked)
    assert sum(asked.values()) <= 8


@pytest.mark.parametrize("table", INFO)
def test_the_declared_permissions_are_enough_and_one_less_is_named_exactly(tenant, table):
    declared = INFO[table]["permissions"]
    assert check(tenant, table, declared).ok
    for permission in declared:
        result = check(tenant, table, [name for name in declared if name != permission])
        if (table, permission) in STAND_INS:
            assert result.ok, permission
            found = {row.detail for row in result.rows if row.permission == permission}
            assert found == {f"by {STAND_INS[table, permission]}"}
        else:
            assert result.missing == (permission,), result.rows
            assert not result.ok
