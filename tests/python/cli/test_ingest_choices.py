"""What a person who runs it every morning expects of ``ingest``: it reads, says what it does, and refuses what looks wrong."""

from __future__ import annotations

import json

import pytest
import yaml

from lakeflow_teams import LakeflowTeamsError, _core, ingest_local
from lakeflow_teams.cli.app import run
from lakeflow_teams.local.choice import Choice
from lakeflow_teams.local.runner import run as run_pipeline
from lakeflow_teams.spec.pipeline import load
from support.lakehouse import differences, entry, pipeline, stored

MESSAGES = pipeline(entry("messages"), entry("message_replies"))


@pytest.fixture
def tenant(options, monkeypatch):
    """The environment reaches the emulated tenant."""
    for name, value in options.items():
        monkeypatch.setenv(f"LAKEFLOW_TEAMS_{name.upper()}", value)


@pytest.fixture
def spec(tmp_path):
    def write(document):
        path = tmp_path / "pipeline.yaml"
        path.write_text(yaml.safe_dump(document))
        return str(path)

    return write


@pytest.fixture
def target(tmp_path):
    return tmp_path / "lakehouse"


def chosen(document, target, options, **choice):
    return run_pipeline(load(document), target, options, choice=Choice(**choice))


def test_an_ingest_right_after_a_change_reads_it(graph, options, target):
    ingest_local(MESSAGES, target, options)
    graph.post("just now")
    done = ingest_local(MESSAGES, target, options)
    assert sum(line.inserts for line in done.destinations) == 1
    assert differences(graph, target, ["messages", "message_replies"]) == []


def test_what_is_not_asked_because_of_an_option_is_named(graph, options, target):
    document = pipeline(entry("messages", min_poll_seconds=600))
    ingest_local(document, target, options)
    graph.post("just now")
    notes = ingest_local(document, target, options).notes
    (note,) = (note for note in notes if "polled" in note)
    assert note.startswith("main.teams.messages: polled")
    assert "min_poll_seconds=600" in note


def test_a_round_whose_rows_change_nothing_counts_for_the_time_between_two(graph, options, target):
    document = pipeline(entry("messages", min_poll_seconds=120))
    ingest_local(document, target, options)
    graph.mutate(edits=1)
    found = []
    for seconds in (130, 130, 60, 130):
        graph.advance(seconds)
        done = ingest_local(document, target, options)
        (line,) = done.destinations
        found.append((line.rows > 0, line.updates, any("polled" in note for note in done.notes)))
    assert found == [(True, 1, False), (True, 0, False), (False, 0, True), (True, 0, False)]


def test_only_what_is_named_is_run(graph, options, target):
    document = pipeline(entry("teams"), entry("channels"), entry("members"))
    done = chosen(document, target, options, only=("members", "main.teams.teams"))
    assert [line.destination for line in done.destinations] == ["main.teams.teams", "main.teams.members"]
    assert "GET /teams/{id}/channels" not in graph.request_counts()


def test_tables_of_one_reading_come_together_and_that_is_said(options, target):
    done = chosen(MESSAGES, target, options, only=("messages",))
    assert [line.destination for line in done.destinations] == ["main.teams.messages", "main.teams.message_replies"]
    assert any("message_replies: filled too" in note for note in done.notes)


@pytest.mark.usefixtures("tenant")
@pytest.mark.parametrize("option", ["--only", "--full-refresh"])
def test_a_misspelt_table_is_a_mistake(graph, spec, target, capfd, option):
    assert run(["ingest", spec(MESSAGES), "--target", str(target), option, "mesages"]) == 2
    assert "did you mean messages?" in capfd.readouterr().err
    assert graph.request_counts() == {}


@pytest.mark.parametrize("scd_type", ["SCD_TYPE_1", "SCD_TYPE_2"])
def test_a_new_column_is_named_and_a_full_refresh_fills_it(graph, options, target, scd_type):
    ingest_local(pipeline(entry("messages", scd_type=scd_type)), target, options)
    with_text = pipeline(entry("messages", scd_type=scd_type, body_text=True))
    rows = stored(target, "messages").num_rows
    notes = ingest_local(with_text, target, options).notes
    (note,) = (note for note in notes if "new, and null" in note)
    assert f"body_text is new, and null in the {rows} rows that were there" in note
    assert "--full-refresh messages" in note
    graph.post("now it has a column")
    chosen(with_text, target, options, full_refresh=("messages",))
    texts = stored(target, "messages")
    assert texts.num_rows == rows + 1
    without = sum(row["body"]["content"] is None for row in graph.truth("messages"))
    assert texts["body_text"].null_count == without < 3
    assert [note for note in ingest_local(with_text, target, options).notes if "new" in note] == []


@pytest.mark.usefixtures("tenant")
def test_a_dry_run_says_what_would_be_done_and_does_nothing(graph, spec, target, capfd):
    path = spec(pipeline(entry("teams"), entry("messages")))
    assert run(["ingest", path, "--target", str(target), "--dry-run"]) == 0
    assert "for the first time" in capfd.readouterr().out
    assert (graph.request_counts(), target.exists()) == ({}, False)
    assert run(["ingest", path, "--target", str(target), "--quiet"]) == 0
    graph.clear_requests()
    assert run(["ingest", path, "--target", str(target), "--dry-run", "--json"]) == 0
    said = {line["destination"]: line["what"] for line in json.loads(capfd.readouterr().out)["destinations"]}
    assert said["main.teams.teams"].startswith("read whole")
    assert said["main.teams.messages"].startswith("changes since 2026-01-15T12:00")
    assert graph.request_counts() == {}


@pytest.mark.usefixtures("tenant")
def test_verbose_says_what_happens(spec, target, caplog):
    assert run(["ingest", spec(pipeline(entry("teams"))), "--target", str(target), "-v"]) == 0
    assert "main.teams.teams: begins" in caplog.text
    assert "rows read" in caplog.text


@pytest.mark.usefixtures("tenant")
def test_one_cause_is_one_error_and_one_login(graph, spec, target, capfd, monkeypatch):
    monkeypatch.setenv("LAKEFLOW_TEAMS_CLIENT_SECRET", "wrong-one")
    assert run(["ingest", spec(pipeline()), "--target", str(target), "--quiet"]) == 1
    (line,) = capfd.readouterr().err.splitlines()
    assert "AADSTS7000215" in line
    assert "(all 6 tables)" in line
    assert graph.request_counts() == {"POST /{tenant}/oauth2/v2.0/token": 1}


@pytest.mark.usefixtures("tenant")
def test_what_is_missing_of_a_credential_is_named_with_its_variable(spec, target, capfd, monkeypatch):
    monkeypatch.delenv("LAKEFLOW_TEAMS_CLIENT_SECRET")
    for command in (["ingest", spec(pipeline()), "--target", str(target)], ["preview", "teams"], ["check"]):
        assert run(command) == 2
        err = capfd.readouterr().err
        assert "client_secret is missing. Set AZURE_CLIENT_SECRET" in err


@pytest.mark.usefixtures("tenant")
def test_a_permission_is_missed_before_its_table_is_read(graph, spec, target, capfd):
    graph.set(roles=["Team.ReadBasic.All", "Channel.ReadBasic.All"])
    assert run(["ingest", spec(pipeline(entry("teams"), entry("members"))), "--target", str(target), "--quiet"]) == 1
    (line,) = capfd.readouterr().err.splitlines()
    assert "the token does not hold TeamMember.Read.All" in line
    assert "main.teams.members" in line
    assert graph.request_counts()["GET /teams/{id}/members"] < len(graph.truth("teams"))
    assert stored(target, "teams").num_rows == len(graph.truth("teams"))


@pytest.mark.usefixtures("tenant")
def test_exit_code_2_promises_that_nothing_was_sent(graph, spec, target, capfd):
    document = pipeline(entry("members", primary_keys=["displayName"]))
    graph.mutate(member_adds=3)
    code = run(["ingest", spec(document), "--target", str(target), "--quiet"])
    assert "ConfigurationError" in capfd.readouterr().err
    assert graph.request_counts() != {}
    assert code == 1


def many(graph):
    """Members of enough teams that a share of them says something."""
    return len(graph.truth("members"))


def test_a_snapshot_that_would_delete_most_of_a_table_fails_with_the_numbers(graph, options, target):
    document = pipeline(entry("members"))
    ingest_local(document, target, options)
    rows = many(graph)
    teams = [row["id"] for row in graph.truth("teams")]
    graph.set(hide_team=teams[:3])
    with pytest.raises(LakeflowTeamsError, match=r"would delete \d+ of \d+ rows \(\d+ %\).*max_delete_percent is 50"):
        ingest_local(document, target, options)
    assert stored(target, "members").num_rows == rows
    done = chosen(document, target, options, max_delete_percent=100)
    assert done.error is None
    assert stored(target, "members").num_rows == many(graph) < rows / 2


def test_the_share_is_an_option(graph, options, target):
    document = pipeline(entry("members", max_delete_percent=10))
    ingest_local(document, target, options)
    graph.set(hide_team=[graph.truth("teams")[0]["id"]])
    with pytest.raises(LakeflowTeamsError, match="max_delete_percent is 10"):
        ingest_local(document, target, options)
    ingest_local(pipeline(entry("members", max_delete_percent=90)), target, options)


def test_a_small_table_may_change_but_not_vanish(graph, options, target):
    document = pipeline(entry("channels"))
    ingest_local(document, target, options)
    teams = [row["id"] for row in graph.truth("teams")]
    graph.set(hide_team=teams[:3])
    ingest_local(document, target, options)
    assert stored(target, "channels").num_rows == len(graph.truth("channels"))
    with pytest.raises(LakeflowTeamsError, match="would delete all 2 rows"):
        ingest_local(pipeline(entry("channels", exclude_team_id=teams)), target, options)


def test_rows_of_a_scope_that_refuses_are_kept_and_called_stale(graph, options, target, capfd):
    document = pipeline(entry("channels", on_forbidden="skip"), entry("members", on_forbidden="skip"))
    ingest_local(document, target, options)
    before = {name: stored(target, name).num_rows for name in ("channels", "members")}
    locked, renamed = (row["id"] for row in graph.truth("teams")[:2])
    graph.set(forbid_team=locked)
    graph.mutate(renamed_channels=1, team_id=renamed)
    done = ingest_local(document, target, options)
    assert {name: stored(target, name).num_rows for name in before} == before
    assert [scope["scope"] for scope in done.skipped] == [f"team {locked}"] * 2
    assert all("are kept as they were, and are stale since" in note for note in done.notes)
    found = done.destinations[0]
    assert found.updates == 1
    since = found.left_out[f"team {locked}"]
    again = ingest_local(document, target, options)
    assert again.destinations[0].left_out == {f"team {locked}": since}
    assert run(["status", "--target", str(target)]) == 0
    assert f"the rows of team {locked} are stale since {since}" in capfd.readouterr().out
    graph.set(allow_team=locked)
    assert ingest_local(document, target, options).destinations[0].left_out == {}


def test_a_locked_team_is_no_missing_permission(graph, options, target):
    locked = graph.truth("teams")[0]["id"]
    graph.set(forbid_team=locked)
    with pytest.raises(_core.PermissionDeniedError) as caught:
        ingest_local(pipeline(entry("members")), target, options)
    said = str(caught.value)
    assert "The token holds TeamMember.Read.All" in said
    assert f"exclude_team_id={locked}" in said
    assert "on_forbidden=skip" in said
    done = ingest_local(pipeline(entry("members", exclude_team_id=locked)), target, options)
    assert done.error is None


@pytest.mark.parametrize("strategy", ["auto", "export", "channels"])
def test_what_is_excluded_is_not_read(graph, options, target, strategy):
    team = graph.truth("teams")[0]["id"]
    channel = next(row["id"] for row in graph.truth("channels") if row["team_id"] != team)
    out = {"exclude_team_id": team, "exclude_channel_id": channel}
    spec = pipeline(
        entry("messages", strategy=strategy, **out), entry("channels", **out), entry("teams", exclude_team_id=team)
    )
    ingest_local(spec, target, options)
    is_in = lambda row: row["team_id"] != team and row["channel_id"] != channel  # noqa: E731
    messages = [row["id"] for row in graph.truth("messages") if is_in(row)]
    assert sorted(stored(target, "messages")["id"].to_pylist()) == sorted(messages)
    assert channel not in stored(target, "channels")["id"].to_pylist()
    assert team not in stored(target, "teams")["id"].to_pylist()
    graph.clear_requests()
    ingest_local(spec, target, options)
    assert not any(team in request["path"] for request in graph.requests())


def test_narrowing_says_what_it_deletes(graph, options, target):
    teams = [row["id"] for row in graph.truth("teams")]
    ingest_local(pipeline(entry("channels"), entry("messages")), target, options)
    narrow = {"fetch_all_teams": None, "team_id": teams[0]}
    done = chosen(pipeline(entry("channels", **narrow), entry("messages", **narrow)), target, options)
    outside = [row for row in graph.truth("channels") if row["team_id"] != teams[0]]
    assert f"main.teams.channels: team_id leaves 3 teams outside; their {len(outside)} rows are to be deleted" in done.notes
    assert any("messages: team_id leaves 3 teams outside" in note and "are not read any more" in note for note in done.notes)
    assert done.destinations[0].deletes == len(outside)


def test_a_key_that_folds_rows_is_refused_for_tables_with_a_cursor(options, target):
    with pytest.raises(_core.ConfigurationError, match="primary_keys"):
        ingest_local(pipeline(entry("messages", primary_keys=["channel_id"])), target, options)


def test_a_server_whose_clock_is_behind_is_named(graph, options, target):
    from lakeflow_teams import GraphEmulator

    ingest_local(pipeline(entry("messages")), target, options)
    with GraphEmulator(
        teams=4, channels_per_team=2, messages_per_channel=15, users=8, chats=6, start="2026-01-14T00:00:00Z"
    ) as other:
        notes = ingest_local(pipeline(entry("messages")), target, dict(other.options)).notes
    assert any("the server's clock (2026-01-14T00:00" in note and "is behind the stored offset" in note for note in notes)
