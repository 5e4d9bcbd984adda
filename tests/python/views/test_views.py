"""Views of a local lakehouse, on DuckDB and on Polars, equal to the tenant's truth; and what happens where tables are missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lakeflow_teams import ConfigurationError, ingest_local
from lakeflow_teams.cli.app import run
from lakeflow_teams.local import analysis
from lakeflow_teams.spec.pipeline import parse
from lakeflow_teams.views import DIALECTS, of_pipeline, script
from support.quick import quick
from support.recipes import COOKBOOK, check_recipes
from support.views import EVENTS, author, check, pipeline, posts


def on_duckdb(target):
    connection = analysis.connect(target)
    return lambda sql: connection.sql(sql).to_arrow_table().to_pylist()


def on_polars(target):
    context = analysis.polars(target)
    return lambda sql: context.execute(sql).collect().to_dicts()


# The views of Polars take timestamps only.
@pytest.mark.parametrize(
    ("engine", "timestamps"), quick([(on_duckdb, "text")], (on_polars, "timestamp"), (on_duckdb, "timestamp"))
)
def test_every_view_is_the_tenants_truth(graph, options, tmp_path, engine, timestamps):
    spec = pipeline(timestamps=timestamps)
    ingest_local(spec, tmp_path, options)
    check(graph, engine(tmp_path))
    graph.mutate(**EVENTS)
    graph.advance(3600)
    ingest_local(spec, tmp_path, options)
    check(graph, engine(tmp_path))


def test_who_left_is_who_is_no_member_any_more(graph, options, tmp_path):
    spec = pipeline("teams", "members")
    ingest_local(spec, tmp_path, options)
    before = {(row["team_id"], row["userId"]) for row in graph.truth("members")}
    graph.mutate(member_removes=4)
    ingest_local(spec, tmp_path, options)
    now = {(row["team_id"], row["userId"]) for row in graph.truth("members")}
    query = on_duckdb(tmp_path)
    gone = query("SELECT team_id, user_id FROM v_membership_history WHERE left_at IS NOT NULL")
    assert {(row["team_id"], row["user_id"]) for row in gone} == before - now
    assert len(gone) == len(before - now) > 0
    here = query("SELECT team_id, user_id FROM v_membership_history WHERE is_current")
    assert {(row["team_id"], row["user_id"]) for row in here} == now


def test_a_role_that_changed_is_no_leaving(graph, options, tmp_path):
    spec = pipeline("teams", "members")
    ingest_local(spec, tmp_path, options)
    connection = analysis.connect(tmp_path)
    connection.execute(
        """INSERT INTO teams.members BY NAME SELECT * REPLACE (__START_AT + INTERVAL 1 HOUR AS __START_AT, ['owner'] AS roles)
        FROM teams.members WHERE id IN (SELECT min(id) FROM teams.members WHERE len(roles) = 0)"""
    )
    connection.execute(
        """UPDATE teams.members SET __END_AT = __START_AT + INTERVAL 1 HOUR
        WHERE len(roles) = 0 AND id IN (SELECT min(id) FROM teams.members WHERE len(roles) = 0)"""
    )
    rows = connection.execute(
        "SELECT role, is_current, left_at FROM v_membership_history WHERE valid_to IS NOT NULL"
    ).fetchall()
    assert rows == [("member", False, None)]


@pytest.mark.parametrize("missing", ["members", "channel_members", "shared_channel_members", "channels", "chat_members"])
def test_access_fails_closed(graph, options, tmp_path, missing):
    tables = ("teams", "channels", "members", "channel_members", "shared_channel_members", "chat_members")
    ingest_local(pipeline(*(table for table in tables if table != missing), scd_type="SCD_TYPE_1"), tmp_path, options)
    everything = tmp_path / "all"
    ingest_local(pipeline(*tables, scd_type="SCD_TYPE_1"), everything, options)
    ask = "SELECT conversation_key, entra_id FROM v_access WHERE principal_kind = 'user'"
    some, whole = ({tuple(row.values()) for row in on_duckdb(target)(ask)} for target in (tmp_path, everything))
    assert some < whole


def test_a_channel_of_an_unknown_kind_is_seen_by_nobody(graph, options, tmp_path):
    ingest_local(pipeline("channels", "members", "channel_members"), tmp_path, options)
    connection = analysis.connect(tmp_path)
    connection.execute("UPDATE teams.channels SET membershipType = 'unknownFutureValue'")
    assert connection.execute("SELECT count(*) FROM v_access").fetchall() == [(0,)]


def test_views_without_their_tables_are_left_out_by_name(graph, options, tmp_path):
    ingest_local(pipeline("messages"), tmp_path, options)
    made = script("duckdb", analysis.relations(tmp_path, "duckdb"))
    assert made.left_out == {
        "v_membership_history": "which needs the table members with scd_type SCD_TYPE_2",
        "v_access": "which needs the tables channels and members, or channels and channel_members, or channels and "
        "shared_channel_members, or chat_members",
    }
    query = on_duckdb(tmp_path)
    roots = [post for post in posts(graph).values() if not post["is_reply"] and post.get("channel_id")]
    assert len(query("SELECT * FROM v_posts")) == len(roots)
    assert {row["replies"] for row in query("SELECT * FROM v_threads")} == {0}
    alone = script("duckdb", [])
    assert not alone.statements
    assert "-- left out: v_posts, which needs the table messages, or chat_messages" in alone.text()


def test_tables_that_keep_every_version_stand_for_none(graph, options, tmp_path):
    ingest_local(pipeline("messages", scd_type="APPEND_ONLY"), tmp_path, options)
    assert "v_posts" in script("duckdb", analysis.relations(tmp_path, "duckdb")).left_out


def test_plain_text_is_had_without_body_text_too(graph, options, tmp_path):
    ingest_local(pipeline("messages", body_text=False), tmp_path, options)
    texts = [row["text"] for row in on_duckdb(tmp_path)("SELECT text FROM v_posts WHERE text IS NOT NULL")]
    assert any(texts)
    assert not any(re.search("<(p|div|at|attachment|img)\\b|&nbsp;", text) for text in texts)


@pytest.mark.parametrize("file", COOKBOOK, ids=lambda file: file.stem)
def test_a_recipe_is_one_statement_without_a_cast_or_a_quoted_name(file):
    sql = "\n".join(line for line in file.read_text().splitlines() if not line.startswith("--"))
    assert sql.strip().count(";") == 1
    assert sql.strip().endswith(";")
    assert not re.search(r'cast|::|"|`', sql, re.IGNORECASE)


def test_the_recipes_answer_what_the_tenant_holds(graph, options, tmp_path):
    ingest_local(pipeline(), tmp_path, options)
    graph.mutate(**EVENTS)
    graph.advance(3600)
    ingest_local(pipeline(), tmp_path, options)
    check_recipes(graph, on_duckdb(tmp_path))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_command_prints_a_script_for_a_pipeline(dialect, tmp_path, capsys):
    import yaml

    file = tmp_path / "pipeline.yaml"
    file.write_text(yaml.safe_dump(pipeline()))
    assert run(["views", str(file), "--dialect", dialect]) == 0
    printed = capsys.readouterr().out
    assert printed == script_of(dialect)
    for view in ("v_posts", "v_access", "v_membership_history"):
        assert view in printed


def script_of(dialect):
    spec = parse(pipeline(), Path())
    if dialect == "polars-sql":
        return script(dialect, of_pipeline(spec, '"', parts=1)).text()
    quote = DIALECTS[dialect]
    place = f"{quote}main{quote}.{quote}teams{quote}."
    return script(dialect, of_pipeline(spec, quote), place=place).text()


def test_the_command_writes_a_script_and_a_database_for_a_lakehouse(graph, options, tmp_path, capsys):
    import duckdb

    lake = tmp_path / "it's a lake"
    ingest_local(pipeline("messages", "message_replies"), lake, options)
    assert run(["views", "--target", str(lake)]) == 0
    written = (lake / "_views" / "duckdb.sql").read_text()
    assert f"delta_scan('{str(lake).replace(chr(39), chr(39) * 2)}/main/teams/messages')" in written
    assert "left out: v_access" in capsys.readouterr().err
    file = tmp_path / "lake.duckdb"
    for _ in range(2):
        assert run(["views", "--target", str(lake), "--duckdb", str(file)]) == 0
    with duckdb.connect(str(file), read_only=True) as connection:
        found = connection.execute("SELECT author_id, count(*) FROM v_posts GROUP BY author_id").fetchall()
    truth = {}
    for post in posts(graph).values():
        if post.get("channel_id"):
            truth[author(post)] = truth.get(author(post), 0) + 1
    assert dict(found) == truth


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["views"], "name a pipeline file, or a local lakehouse with --target"),
        (["views", "--target", "nowhere"], "there is no Delta table in nowhere"),
        (["views", "x.yaml", "--duckdb", "y"], "--duckdb: it is made of a local lakehouse"),
    ],
)
def test_a_mistake_is_one_line(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == 2
    assert message in capsys.readouterr().err


def test_an_unknown_dialect_names_the_nearest(capsys, tmp_path, graph, options):
    with pytest.raises(ConfigurationError, match="did you mean databricks"):
        script("databrick", [])
