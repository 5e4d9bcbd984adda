"""Containers that exist already: what `check` can see of them, and what a run does where they changed meanwhile."""

from __future__ import annotations

import pytest

from lakeflow_teams import GraphEmulator, LakeflowTeamsError, import_messages
from support.history import History, people, plan


@pytest.fixture
def graph():
    with GraphEmulator(teams=2, channels_per_team=3, messages_per_channel=2, users=8, chats=1, seed=5) as emulator:
        yield emulator


@pytest.fixture
def channels(graph):
    """The standard channels of the team that has most of them."""
    teams: dict[str, list] = {}
    for row in graph.truth("channels"):
        if row["membershipType"] == "standard":
            teams.setdefault(row["team_id"], []).append(row)
    return max(teams.values(), key=len)


def into(graph, tmp_path, team, ids, name="source"):
    """A plan that goes into existing channels of a team."""
    history = History(people(graph), channels=len(ids), messages=40)
    source = history.write(tmp_path / name)
    mapping = {one: {"existing_id": existing} for one, existing in zip(history.channels, ids, strict=True)}
    return plan(tmp_path, source, team={"team_id": team}, channels=mapping)


def posts(graph):
    return [name for name in graph.request_counts() if name.startswith(("POST /teams", "POST /chats"))]


def test_check_names_what_takes_no_import(graph, channels, tmp_path):
    team = channels[0]["team_id"]
    first = into(graph, tmp_path, team, [channels[0]["id"]])
    assert import_messages(first, tmp_path / "one", dict(graph.options)).exit_code == 0
    other = into(graph, tmp_path, team, [channels[0]["id"], "19:nowhere@thread.tacv2", channels[1]["id"]])
    graph.clear_requests()
    checked = import_messages(other, tmp_path / "two", dict(graph.options), step="check")
    assert checked.exit_code == 3
    assert ["is in migration mode already" in (one.problem or "") for one in checked.containers] == [True, False, False]
    assert "is not in the tenant" in checked.containers[1].problem
    assert checked.containers[2].problem is None
    with pytest.raises(LakeflowTeamsError, match="is in migration mode already"):
        import_messages(other, tmp_path / "two", dict(graph.options))
    assert posts(graph) == []


def test_its_own_session_is_no_problem(graph, channels, tmp_path):
    path = into(graph, tmp_path, channels[0]["team_id"], [channels[0]["id"]])
    import_messages(path, tmp_path / "lake", dict(graph.options))
    assert import_messages(path, tmp_path / "lake", dict(graph.options), step="check").problems == []


def test_one_that_is_not_there_stops_no_other(graph, channels, tmp_path):
    path = into(graph, tmp_path, channels[0]["team_id"], ["19:nowhere@thread.tacv2", channels[1]["id"]])
    ran = import_messages(path, tmp_path / "lake", dict(graph.options))
    assert ran.exit_code == 3
    assert [one.posted for one in ran.containers] == [0, 40]
    assert [one["container"] for one in ran.stopped] == [ran.containers[0].source_id]


def test_one_that_somebody_completes_meanwhile_is_opened_again(graph, channels, tmp_path):
    path, target = into(graph, tmp_path, channels[0]["team_id"], [channels[0]["id"]]), tmp_path / "lake"
    graph.fault(path="/messages", method="POST", kind="status", status=403, skip=3, times=20)
    assert import_messages(path, target, dict(graph.options)).exit_code == 3
    graph.clear_faults()
    complete(graph, channels[0])
    first = import_messages(path, target, dict(graph.options))
    assert first.exit_code == 3
    assert "somebody completed it" in first.stopped[0]["reason"]
    again = import_messages(path, target, dict(graph.options))
    assert (again.exit_code, again.counts["posted"]) == (0, 40), again


def complete(graph, channel):
    """Completes a channel, as an administrator's script of the same application does."""
    import json
    from urllib.parse import quote, urlencode
    from urllib.request import Request, urlopen

    options = dict(graph.options)
    form = {"client_id": options["client_id"], "client_secret": options["client_secret"], "grant_type": "client_credentials"}
    url = f"{options['authority_host']}/{options['tenant_id']}/oauth2/v2.0/token"
    form["scope"] = "https://graph.microsoft.com/.default"
    token = json.load(urlopen(Request(url, urlencode(form).encode())))["access_token"]
    path = f"/v1.0/teams/{channel['team_id']}/channels/{quote(channel['id'])}/completeMigration"
    request = Request(graph.url + path, b"", {"Authorization": f"Bearer {token}"}, method="POST")
    assert urlopen(request).status == 204
