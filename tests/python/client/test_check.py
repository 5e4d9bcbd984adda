"""The permission check against the emulated tenant: what is granted, what is not, and what to do about it."""

from __future__ import annotations

import json
import re
import time
from types import SimpleNamespace

import pytest
import yaml

from lakeflow_teams import ConfigurationError, GraphEmulator, TeamsClient, _core
from lakeflow_teams.cli.app import run
from lakeflow_teams.options import allow_list
from support.lakehouse import entry, pipeline

TABLES = [info["name"] for info in _core.tables()]


def client(graph, **options):
    return TeamsClient({**graph.options, "retry_timeout_seconds": "0", **options})


def of(result, table):
    return {row.permission: row for row in result.rows if row.table == table}


def test_all_is_granted_and_each_table_costs_next_to_nothing(graph):
    graph.clear_requests()
    result = client(graph).check()
    assert result.ok
    assert result.missing == ()
    assert {row.table for row in result.rows} == set(TABLES)
    assert {row.status for row in result.rows} == {"granted"}
    for info in _core.tables():
        assert set(of(result, info["name"])) == set(info["permissions"])
    counts = graph.request_counts()
    assert sum(counts.values()) <= 2 * len(TABLES) + 1
    assert counts["POST /{tenant}/oauth2/v2.0/token"] == 1
    assert f"with {len(result.roles)} application permissions" in result.authentication


def test_a_missing_permission_is_named_exactly(graph):
    held = set(client(graph).check().roles)
    graph.set(roles=sorted(held - {"ChannelMessage.Read.All", "TeamMember.Read.All"}))
    result = client(graph).check(["teams", "members", "messages"])
    assert not result.ok
    assert set(result.missing) == {"ChannelMessage.Read.All", "TeamMember.Read.All"}
    assert of(result, "members")["TeamMember.Read.All"].status == "missing"
    assert "ChannelMessage.Read.All" in of(result, "messages")["ChannelMessage.Read.All"].detail
    assert {row.status for row in of(result, "teams").values()} == {"granted"}


def test_wider_permissions_stand_in(graph):
    graph.set(roles=["Directory.Read.All", "ChannelSettings.Read.All", "Chat.ReadWrite.All"])
    result = client(graph).check(["channels", "users", "groups", "chats", "chat_messages"])
    assert result.ok
    assert of(result, "users")["User.Read.All"].detail == "by Directory.Read.All"
    assert of(result, "chats")["Chat.Read.All"].detail == "by Chat.ReadWrite.All"


def test_a_team_that_consents_for_itself_counts_when_it_is_named(graph):
    team = graph.truth("teams")[0]["id"]
    graph.set(roles=["Channel.ReadBasic.All"], rsc_team_ids=[team])
    named = client(graph).check("messages", team_id=team, strategy="channels")
    assert named.ok
    assert of(named, "messages")["ChannelMessage.Read.All"].detail == "by consent given to what was named"
    assert "Team.ReadBasic.All" not in of(named, "messages")
    assert not client(graph).check("messages", strategy="channels").ok


def test_named_teams_that_refuse_and_discovered_ones():
    with GraphEmulator(teams=2, missing_teams=0, forbidden_teams=2) as graph:
        first = sorted(row["id"] for row in graph.truth("teams"))
        forbidden = graph.unreadable_teams()
        assert client(graph).check("channels", team_id=first).ok
        result = client(graph).check("channels", team_id=[*first, forbidden[0]])
        row = of(result, "channels")[""]
        assert row.status == "unreachable"
        assert forbidden[0] in row.detail
        assert "The token holds the permission" in row.detail
        assert client(graph).check("channels", fetch_all_teams=True).ok
        missing = client(graph).check("members", team_id="11111111-2222-4333-8444-555555555555")
        assert "404" in of(missing, "members")[""].detail


def test_an_export_that_is_not_offered(graph):
    graph.set(export_refused=501)
    forced = client(graph).check(["messages", "chat_messages"], strategy="export")
    assert {row.status for row in forced.rows if not row.permission} == {"prerequisite missing"}
    assert "strategy=export" in of(forced, "messages")[""].detail
    free = client(graph).check(["messages", "chat_messages"])
    assert free.ok
    assert any("501" in note for note in free.notes)


def test_an_opaque_token_is_no_error(graph):
    graph.set(opaque_tokens=True)
    result = client(graph).check(["channels", "messages"])
    assert result.ok
    assert result.roles is None
    assert {row.status for row in result.rows} == {"granted"}
    teams = of(client(graph).check("teams"), "teams")
    assert (teams["Team.ReadBasic.All"].status, teams["TeamSettings.Read.All"].status) == ("granted", "unknown")
    graph.set(roles=["Team.ReadBasic.All", "Channel.ReadBasic.All"])
    result = client(graph).check(["channels", "messages"])
    assert not result.ok
    assert result.missing == ("ChannelMessage.Read.All",)


def test_what_the_server_says_is_worth_more_than_a_guess(graph):
    graph.fault(path="/members", status=403, message="Team is archived.")
    for opaque in (False, True):
        graph.set(opaque_tokens=opaque)
        result = client(graph).check("members", fetch_all_teams=True)
        assert result.missing == ()
        row = of(result, "members")[""]
        assert row.status == "unreachable"
        assert row.detail.count("have an owner restore it") == 1
        assert "Grant the application permission" not in row.detail
        assert "look for access policies" not in row.detail
    graph.set(opaque_tokens=False)
    graph.clear_faults()
    graph.fault(path="/getAllTranscripts", status=403, message="No application access policy found for this app.")
    row = of(client(graph).check("online_meeting_transcripts", fetch_all_users=True), "online_meeting_transcripts")[""]
    assert row.status == "prerequisite missing"
    assert row.detail.count("New-CsApplicationAccessPolicy") == 1
    assert "The permission is granted; what is needed" not in row.detail


def test_a_401_of_one_thing_is_no_missing_permission(graph):
    graph.fault(kind="service_principal_disabled", path="/members")
    for opaque in (False, True):
        graph.set(opaque_tokens=opaque)
        result = client(graph).check("members", fetch_all_teams=True)
        assert result.missing == ()
        row = of(result, "members")[""]
        assert row.status == "unreachable"
        assert row.detail.count("disabled for this user or tenant") == 1


def test_one_user_who_is_refused_says_nothing_of_the_others(graph):
    # A new token is tried too.
    graph.fault(kind="service_principal_disabled", path="GET /users/{id}/chats", times=2)
    result = client(graph).check("chat_messages", fetch_all_users=True, strategy="channels")
    assert result.ok, result
    assert {row.status for row in result.rows} == {"granted"}


class Credential:
    """A credential object whose token cannot be read."""

    def get_token(self, *_scopes, **_more):
        return SimpleNamespace(token="opaque", expires_on=int(time.time()) + 3600)


def test_a_refused_secret_and_a_host_that_is_not_there(graph):
    wrong = client(graph, client_secret="not~the~secret").check("teams")
    assert not wrong.ok
    assert not wrong.authenticated
    assert "AADSTS7000215" in wrong.authentication
    assert "client_secret is wrong" in wrong.authentication
    assert {row.status for row in wrong.rows} == {"unknown", "unreachable"}
    away = TeamsClient(graph_base_url="http://127.0.0.1:9", retry_timeout_seconds=0, credential=Credential()).check("teams")
    assert away.authenticated
    assert "the credential's identity by a credential object" in away.authentication
    assert of(away, "teams")[""].status == "unreachable"
    assert "Check graph_base_url" in of(away, "teams")[""].detail
    graph.fault(path="/members", status=503)
    down = client(graph).check(["channels", "members"])
    assert {row.table for row in down.rows if row.status == "unreachable"} == {"members"}
    assert "503" in of(down, "members")[""].detail


def test_an_empty_tenant_has_nothing_to_ask_for():
    with GraphEmulator(teams=0, users=0, chats=0, missing_teams=0) as graph:
        result = client(graph).check(["channels", "messages"])
        assert result.ok
        assert set(result.notes) == {f"{table}: there is no team to ask for" for table in ("channels", "messages")}


def test_it_looks_well_and_holds_no_secret(graph):
    secret = graph.options["client_secret"]
    graph.set(roles=["Team.ReadBasic.All"])
    results = [client(graph).check(), client(graph, client_secret="marked~secret").check()]
    for result in results:
        shown = repr(result) + result._repr_html_() + json.dumps(result.to_dict())
        assert secret not in shown
        assert "marked" not in shown
        assert "eyJ" not in shown
    assert "<table>" in results[0]._repr_html_()
    assert re.search(r"ChannelMessage\.Read\.All +missing", repr(results[0]))
    assert results[0].allow_list == allow_list()


def test_wrong_input_is_told_before_any_request(graph):
    reader = client(graph)
    graph.clear_requests()
    for table, options in [("mesages", {}), ("messages", {"tema_id": "x"}), ("messages", {"top": "many"})]:
        with pytest.raises(ConfigurationError):
            reader.check(table, **options)
    assert graph.requests() == []


@pytest.fixture
def tenant(options, monkeypatch):
    for name, value in options.items():
        monkeypatch.setenv(f"LAKEFLOW_TEAMS_{name.upper()}", value)


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "pipeline.yaml"
    path.write_text(yaml.safe_dump(pipeline()))
    return str(path)


@pytest.mark.usefixtures("tenant")
def test_the_command_checks_a_pipeline(graph, spec, capfd):
    assert run(["check", spec]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    assert out.startswith("Signed in as application")
    assert allow_list() in out
    assert "\x1b" not in out
    graph.set(roles=["Team.ReadBasic.All"])
    assert run(["check", spec, "--json"]) == 1
    found = json.loads(capfd.readouterr().out)
    assert found["ok"] is False
    assert "Chat.Read.All" in found["missing"]
    assert {row["table"] for row in found["rows"]} == {item["table"]["source_table"] for item in pipeline()["objects"]}
    assert run(["check", "-t", "teams", "-t", "channels"]) == 1
    out = capfd.readouterr().out
    assert "Grant with admin consent: TeamSettings.Read.All, Channel.ReadBasic.All" in out


@pytest.mark.usefixtures("tenant")
def test_the_command_and_wrong_input(spec, tmp_path, capfd, monkeypatch):
    incomplete = tmp_path / "incomplete.yaml"
    incomplete.write_text(yaml.safe_dump(pipeline(entry("channels", fetch_all_teams=None))))
    for arguments, said in [
        (["check", spec, "-t", "teams"], "not both"),
        (["check", "-t", "mesages"], "did you mean"),
        (["check", str(incomplete)], "fetch_all_teams"),
        (["check", str(tmp_path / "no.yaml")], "cannot be read"),
    ]:
        assert run(arguments) == 2
        out, err = capfd.readouterr()
        assert said in err
        assert out == ""
    monkeypatch.setenv("LAKEFLOW_TEAMS_CLIENT_SECRET", "marked~secret")
    assert run(["check", "-t", "teams"]) == 1
    out, err = capfd.readouterr()
    assert "AADSTS7000215" in out
    assert "marked" not in out + err
