"""An import from its plan to the proof: check, run, verify, complete."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from lakeflow_teams import ConfigurationError, GraphEmulator, LakeflowTeamsError, import_messages
from support.history import START, TEAM, History, iso, ledger, people, plan, save, standing


@pytest.fixture
def graph():
    with GraphEmulator(teams=2, channels_per_team=1, messages_per_channel=2, users=8, chats=2, seed=5) as emulator:
        yield emulator


@pytest.fixture
def history(graph):
    return History(people(graph))


@pytest.fixture
def ready(graph, history, tmp_path):
    """A plan and a target."""
    return plan(tmp_path, history.write(tmp_path / "source")), tmp_path / "lake"


def test_what_stands_in_teams_is_the_source(graph, history, ready):
    path, target = ready
    options = dict(graph.options)
    checked = import_messages(path, target, options, step="check")
    assert checked.counts == {"posted": 0, "pending": 120, "attempting": 0, "refused": 0, "skipped": 0}
    assert checked.exit_code == 0
    assert not [name for name in graph.request_counts() if name.startswith("POST") and "token" not in name]

    progress = []
    ran = import_messages(path, target, options, on_progress=progress.append)
    assert (ran.exit_code, ran.counts["posted"]) == (0, 120), ran
    assert standing(graph) == history.planned()
    assert sum(one[2] for one in progress[-1]) == 120

    rows = ledger(target)
    assert Counter(row["state"] for row in rows) == {"posted": 120}
    assert all(row["attempts"] == 1 and row["teams_id"] for row in rows)
    assert {row["container"] for row in rows} == set(history.channels)

    again = import_messages(path, target, options)
    assert (again.exit_code, again.counts["posted"]) == (0, 120)
    assert standing(graph) == history.planned(), "a second run adds nothing"

    verified = import_messages(path, target, options, step="verify")
    assert (verified.exit_code, verified.differences) == (0, [])
    assert verified.verified == {"read": 120, "equal": 120, "images": 0, "found": 0}

    completed = import_messages(path, target, options, step="complete")
    assert (completed.exit_code, completed.to_do, completed.stopped) == (0, [], [])
    team = next(row["id"] for row in graph.truth("teams") if row["displayName"] == "Imported")
    channels = [row for row in graph.truth("channels") if row["team_id"] == team]
    assert {row["migrationMode"] for row in channels} == {"completed"}
    assert not any("[import" in (row["description"] or "") for row in channels), "the mark is taken out"
    assert import_messages(path, target, options, step="complete").exit_code == 0, "completing again is no error"
    assert import_messages(path, target, options, step="verify").exit_code == 0


@pytest.mark.parametrize("kind", ["reset", "status", "garbage_json"])
def test_an_answer_that_is_lost_after_the_effect_doubles_nothing(graph, history, ready, kind):
    path, target = ready
    for place in ("POST /teams/{id}/channels/{id}/messages", "POST /teams/{id}/channels/{id}/messages/{id}/replies"):
        graph.fault(path=place, kind=kind, status=504, after=True, probability=0.3, seed=3)
    ran = import_messages(path, target, dict(graph.options))
    assert (ran.exit_code, ran.counts["posted"]) == (0, 120), ran
    assert standing(graph) == history.planned()
    graph.clear_faults()
    assert import_messages(path, target, dict(graph.options), step="verify").differences == []


@pytest.mark.parametrize("name", ["POST /teams", "POST /teams/{id}/channels"])
@pytest.mark.parametrize("kind", ["reset", "status"])
def test_a_team_or_channel_whose_answer_is_lost_is_found_and_not_made_twice(graph, history, ready, name, kind):
    path, target = ready
    graph.fault(path=name, kind=kind, status=504, after=True, times=1)
    ran = import_messages(path, target, dict(graph.options))
    assert (ran.exit_code, ran.stopped) == (0, [])
    assert standing(graph) == history.planned()
    assert len([row for row in graph.truth("teams") if row["displayName"] == "Imported"]) == 1
    team = next(row["id"] for row in graph.truth("teams") if row["displayName"] == "Imported")
    names = Counter(row["displayName"] for row in graph.truth("channels") if row["team_id"] == team)
    assert max(names.values()) == 1


def test_one_bad_message_stops_no_other(graph, history, ready):
    path, target = ready
    graph.fault(path="/messages", method="POST", kind="status", status=400, code="BadRequest", message="no", skip=5, times=3)
    ran = import_messages(path, target, dict(graph.options))
    assert ran.exit_code == 3
    assert (ran.counts["posted"], ran.counts["refused"]) == (117, 3)
    assert sum(ran.counts.values()) == 120
    refused = [row for row in ledger(target) if row["state"] == "refused"]
    assert {(row["code"], row["reason"]) for row in refused} == {("BadRequest", "no")}


def test_a_team_that_refuses_images_and_reactions_gets_links_and_text(graph, tmp_path):
    users = people(graph)
    history = History(users, channels=1, messages=0)
    source = history.write(tmp_path / "source")
    image = '<p>see <img src="https://graph.microsoft.com/v1.0/x/hostedContents/aW1n/$value"></p>'
    at = [START + 1000 * n for n in range(3)]
    reaction = {"reactionType": "👍", "createdDateTime": iso(at[0]), "user": {"user": {"id": users[1]["id"]}}}
    mention = {"id": 0, "mentionText": "Bo", "mentioned": {"user": {"id": users[1]["id"], "displayName": "Bo"}}}
    common = {"team_id": TEAM, "channel_id": history.channels[0], "from": {"user": {"id": users[0]["id"]}}}
    save(
        source,
        "messages",
        [
            {**common, "id": "1", "createdDateTime": iso(at[0]), "body": {"contentType": "html", "content": image}},
            {
                **common,
                "id": "2",
                "createdDateTime": iso(at[1]),
                "body": {"contentType": "html", "content": '<p><at id="0">Bo</at></p>'},
                "reactions": [reaction],
                "mentions": [mention],
                "subject": "S",
                "importance": "high",
            },
            {**common, "id": "3", "createdDateTime": iso(at[2]), "body": {"contentType": "text", "content": "a < b\nc"}},
        ],
    )
    save(
        source,
        "hosted_contents",
        [
            {
                **{key: common[key] for key in ("team_id", "channel_id")},
                "root_message_id": "1",
                "message_id": "1",
                "position": 0,
                "id": "aW1n",
                "contentBytes": b"\x89PNG",
            }
        ],
    )
    path = plan(tmp_path, source)
    whole = import_messages(path, tmp_path / "whole", dict(graph.options))
    assert (whole.exit_code, whole.changed) == (0, {})
    rows = sorted((row for row in graph.truth("messages") if row["body"]["content"].startswith("<p>see")), key=str)
    assert len(rows) == 1
    assert "/hostedContents/" in rows[0]["body"]["content"]
    verified = import_messages(path, tmp_path / "whole", dict(graph.options), step="verify")
    assert (verified.differences, verified.verified["images"]) == ([], 1)
    named = next(row for row in graph.truth("messages") if row["subject"] == "S")
    assert (named["reactions"][0]["reactionType"], named["mentions"][0]["mentionText"], named["importance"]) == (
        "👍",
        "Bo",
        "high",
    )
    assert "a &lt; b<br>c" in [row["body"]["content"] for row in graph.truth("messages")]

    graph.set(images_refused=True, reactions_refused=True)
    less = import_messages(plan(tmp_path, source, team={"name": "Less"}), tmp_path / "less", dict(graph.options))
    assert (less.exit_code, less.counts["posted"]) == (0, 3)
    assert any("image linked" in note for note in less.changed)
    assert any("reactions left out" in note for note in less.changed)
    assert import_messages(path, tmp_path / "less", dict(graph.options), step="verify").differences == []


def test_authors_without_an_account_write_through_the_fallback_author(graph, history, ready, tmp_path):
    path, target = ready
    users = people(graph)
    gone = history.rows[0]["author"]
    save(
        tmp_path / "source",
        "users",
        [{"id": one["id"], "displayName": one["displayName"]} for one in users if one["id"] != gone],
    )
    rows = [row for row in history.rows if row["author"] == gone]
    graph.set(hide_user=gone)
    without = import_messages(path, target, dict(graph.options), step="check")
    assert (without.exit_code, without.counts["refused"]) == (3, len(rows))
    fallback = next(one["id"] for one in users if one["id"] != gone)
    path = plan(tmp_path, tmp_path / "source", fallback_author=fallback)
    ran = import_messages(path, target, dict(graph.options))
    assert ran.exit_code == 0
    assert ran.changed["author replaced by the fallback author"] == len(rows)
    replaced = [one for one in standing(graph) if "Originally by somebody" in one[3]]
    assert len(replaced) == len(rows)
    assert {one[2] for one in replaced} == {fallback}


def test_an_author_whom_teams_refuses_is_replaced_and_the_message_keeps_the_rest(graph, tmp_path):
    users = people(graph)
    history = History(users, channels=1, messages=0)
    source = history.write(tmp_path / "source")
    reaction = {"reactionType": "👍", "createdDateTime": iso(START), "user": {"user": {"id": users[2]["id"]}}}
    row = {"team_id": TEAM, "channel_id": history.channels[0], "from": {"user": {"id": users[1]["id"]}}, "subject": "S"}
    body = {"contentType": "html", "content": "<p>hi</p>"}
    save(source, "messages", [{**row, "id": "1", "createdDateTime": iso(START), "body": body, "reactions": [reaction]}])
    graph.set(refused_author_ids=[users[1]["id"]])
    path, target = plan(tmp_path, source, fallback_author=users[0]["id"]), tmp_path / "lake"
    # The answer of the fallback author's post is lost, and it cannot be read in this run.
    graph.fault(path="POST /teams/{id}/channels/{id}/messages", kind="reset", after=True, skip=2, times=1)
    graph.fault(path="GET /teams/{id}/channels/{id}/messages", kind="status", status=200, body='{"value": []}')
    assert import_messages(path, target, dict(graph.options)).exit_code == 3
    graph.clear_faults()
    ran = import_messages(path, target, dict(graph.options))
    assert (ran.exit_code, ran.counts["posted"]) == (0, 1), ran
    assert ran.changed == {"author is refused by Teams, replaced by the fallback author": 1}
    (posted,) = [one for one in graph.truth("messages") if one["subject"] == "S"]
    assert (posted["from"]["user"]["id"], len(posted["reactions"])) == (users[0]["id"], 1)
    assert posted["body"]["content"].startswith("<p><em>Originally by ")
    (row,) = ledger(target)
    assert row["author_id"] == users[0]["id"]
    assert import_messages(path, target, dict(graph.options), step="verify").differences == []


def test_a_session_that_the_tenant_does_not_tell_of_is_known_to_the_run(graph, history, ready):
    """startMigration's answer is lost, and the channel has no migrationMode: what was sent says that it is ours."""
    path, target = ready
    graph.set(migration_mode_shown=False)
    channel = next(row for row in graph.truth("channels") if row["displayName"] == "General")
    channels = {history.channels[0]: {"existing_id": channel["id"]}, **dict.fromkeys(history.channels[1:], "skip")}
    content = {**json.loads(path.read_text()), "team": {"team_id": channel["team_id"]}, "channels": channels}
    path.write_text(json.dumps(content))
    graph.fault(path="POST /teams/{id}/channels/{id}/startMigration", kind="reset", after=True, times=1)
    ran = import_messages(path, target, dict(graph.options))
    assert (ran.exit_code, ran.counts["posted"]) == (0, 30), ran


def test_only_the_application_that_began_goes_on(graph, history, ready):
    path, target = ready
    import_messages(path, target, dict(graph.options))
    graph.set(more_client_ids=["second"])
    graph.clear_requests()
    with pytest.raises(LakeflowTeamsError, match="begun by the application"):
        import_messages(path, target, {**graph.options, "client_id": "second"}, step="verify")
    assert not [name for name in graph.request_counts() if name.startswith("POST /teams")]


def test_a_session_of_somebody_else_is_refused_before_anything_is_sent(graph, history, ready, tmp_path):
    path, target = ready
    ran = import_messages(path, target, dict(graph.options))
    existing = ran.containers[0]
    channels = {history.channels[0]: {"existing_id": existing.teams_id}, **dict.fromkeys(history.channels[1:], "skip")}
    other = plan(tmp_path, tmp_path / "source", team={"team_id": existing.team}, channels=channels)
    graph.clear_requests()
    with pytest.raises(LakeflowTeamsError, match="is in migration mode already"):
        import_messages(other, tmp_path / "other", dict(graph.options))
    assert not [name for name in graph.request_counts() if name.startswith("POST /teams")]


def test_a_completed_channel_takes_more(graph, history, ready, tmp_path):
    path, target = ready
    more = History(people(graph), messages=34)
    import_messages(path, target, dict(graph.options))
    import_messages(path, target, dict(graph.options), step="complete")
    more.write(tmp_path / "source")
    again = import_messages(path, target, dict(graph.options))
    assert (again.exit_code, again.counts["posted"]) == (0, 136)
    assert sorted(again.reopened) == sorted(history.channels)
    assert standing(graph) == more.planned()
    assert import_messages(path, target, dict(graph.options), step="verify").differences == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"souce": 1}, "souce: there is no such key; did you mean source?"),
        ({"images": "inlined"}, "did you mean inline?"),
        ({"rate": 9}, "rate: 9 is not a number"),
        ({"fallback_author": "ada"}, "neither the object id of a user nor an e-mail"),
        ({"fallback_author": "nobody@elsewhere.example"}, "there is no such user"),
        ({"team": {"team_id": "x"}}, "is no team's id"),
        ({"since": "yesterday"}, "is no ISO 8601 time"),
        ({"source": {"path": "nowhere", "format": "lakehouse"}}, "there is no such file or folder"),
        ({"source": {"path": ".", "format": "lakehouse"}}, "there is no table messages"),
        ({"users": "none.csv"}, "it cannot be read"),
    ],
)
def test_a_mistake_in_the_plan_is_one_line_before_anything_is_sent(graph, ready, tmp_path, change, said):
    path, target = ready
    content = {**json.loads(path.read_text()), **change}
    path.write_text(json.dumps(content))
    with pytest.raises(ConfigurationError, match=re.escape(said)) as raised:
        import_messages(path, target, dict(graph.options))
    assert "\n" not in str(raised.value)
    assert not [name for name in graph.request_counts() if name.startswith("POST /teams")]


def test_doubled_keys_are_refused_by_line(graph, ready, tmp_path):
    path, target = ready
    path.write_text("source: a\nteam: b\nsource: c\n")
    with pytest.raises(ConfigurationError, match="line 3: source stands there twice"):
        import_messages(path, target, dict(graph.options))


def test_a_missing_permission_is_named_before_anything_is_sent(graph, ready):
    path, target = ready
    graph.set(revoke_permission="Teamwork.Migrate.All")
    checked = import_messages(path, target, dict(graph.options), step="check")
    assert any("Teamwork.Migrate.All" in problem for problem in checked.problems)
    with pytest.raises(LakeflowTeamsError, match=r"Teamwork\.Migrate\.All"):
        import_messages(path, target, dict(graph.options))
    assert not [name for name in graph.request_counts() if name.startswith("POST /teams")]
