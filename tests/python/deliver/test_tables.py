"""Tables of any system: in every format the same messages, and whatever is wrong in one row costs that row."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import deltalake
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliver.test_mattermost import MORE_TAGS
from deliver.test_slack_messages import JSON, Checked
from lakeflow_teams.deliver.sources import in_order
from lakeflow_teams.deliver.sources.identity import hashed_id
from lakeflow_teams.deliver.sources.model import CONTAINERS, MESSAGES, USERS, SourceError
from lakeflow_teams.deliver.sources.tables import Tables
from lakeflow_teams.deliver.sources.tables.fast import in_form
from lakeflow_teams.deliver.sources.tables.message import COLUMNS
from support.examples import examples
from support.paths import ROOT

AT = datetime(2021, 3, 4, 9, 30, tzinfo=timezone.utc)
USER_ROWS = [{"source_id": "ada", "email": "ada@contoso.com", "display_name": "Ada", "kind": "person", "deleted": False}]
CONTAINER_ROWS = [
    {"source_id": "ops", "name": "Ops", "kind": "private", "members": ["ada", "bo"], "created": AT},
    {"source_id": "dm", "kind": "oneOnOne", "members": ["ada"]},
]
MESSAGE_ROWS = [
    {
        "container": "ops",
        "source_id": "2",
        "parent": "1",
        "author": "ada",
        "created": AT + timedelta(seconds=1),
        "html": "<p>two &amp; &lt;</p>",
    },
    {"container": "ops", "source_id": "1", "author": "ada", "created": AT, "html": "<p>one<br>1</p>", "importance": "high"},
    {
        "container": "dm",
        "source_id": "3",
        "author": "ada",
        "created": AT,
        "html": '<at id="0">Ada</at> <img src="../hostedContents/1/$value">',
        "mentions": [{"id": 0, "text": "Ada", "user": "ada"}],
        "images": [{"id": "1", "key": "files/a.png", "name": "a.png", "content_type": "image/png", "size": 3, "url": None}],
        "attachments": [{"name": "b.pdf", "url": "https://a.b", "content_type": None, "size": None, "key": None}],
        "reactions": [{"reaction": "👍", "user": "ada", "created": AT}],
        "notes": ["from elsewhere"],
    },
]
SCHEMAS = {"users": USERS, "containers": CONTAINERS, "messages": MESSAGES}
ROWS = {"users": USER_ROWS, "containers": CONTAINER_ROWS, "messages": MESSAGE_ROWS}


def as_text(row):
    return {
        name: json.dumps(value, default=str)
        if isinstance(value, list)
        else value.isoformat()
        if isinstance(value, datetime)
        else value
        for name, value in row.items()
    }


def write(folder, kind, rows=ROWS):
    for name, given_rows in rows.items():
        table = pa.Table.from_pylist(given_rows, SCHEMAS[name])
        if kind == "parquet":
            pq.write_table(table, folder / f"{name}.parquet")
        elif kind == "parquet folder":
            (folder / name).mkdir()
            for index in range(table.num_rows):
                pq.write_table(table.slice(index, 1), folder / name / f"{index}.parquet")
        elif kind == "delta":
            deltalake.write_deltalake(folder / name, table)
        elif kind == "jsonl":
            (folder / f"{name}.jsonl").write_text("".join(json.dumps(as_json(row)) + "\n" for row in given_rows))
        else:
            pyarrow.csv.write_csv(
                pa.Table.from_pylist(
                    [as_text(row | dict.fromkeys(set(SCHEMAS[name].names) - set(row))) for row in given_rows]
                ),
                folder / f"{name}.csv",
            )
    return folder


def as_json(row):
    return json.loads(json.dumps(row, default=lambda value: value.isoformat()))


def read(source, containers=None):
    return [row for batch in source.messages(containers) for row in batch.to_pylist()]


@pytest.mark.parametrize("kind", ["parquet", "parquet folder", "delta", "jsonl", "csv"])
def test_every_format_gives_the_same_rows_sorted(tmp_path, kind):
    source = Tables(write(tmp_path, kind))
    assert source.users().schema == USERS
    assert source.containers().schema == CONTAINERS
    assert all(batch.schema == MESSAGES for batch in source.messages())
    expected = pa.Table.from_pylist([MESSAGE_ROWS[2], MESSAGE_ROWS[1], MESSAGE_ROWS[0]], MESSAGES).to_pylist()
    assert read(source) == expected
    assert read(source) == expected
    assert read(source, ["ops"]) == expected[1:]
    assert source.users().to_pylist() == pa.Table.from_pylist(USER_ROWS, USERS).to_pylist()
    containers = {row["source_id"]: row for row in source.containers().to_pylist()}
    assert (containers["ops"]["kind"], containers["ops"]["members"], containers["ops"]["created"]) == (
        "private",
        ["ada", "bo"],
        AT,
    )
    assert containers["dm"]["members"] == ["ada"]
    assert source.problems == []


def messages_of(tmp_path, text, **options):
    (tmp_path / "messages.csv").write_text(text)
    return Tables(tmp_path, **options)


def test_messages_alone_are_enough(tmp_path):
    source = messages_of(
        tmp_path,
        "container,created,author,author_name,text\n"
        "ops,2021-03-04T09:30:00Z,ada@contoso.com,Ada,hello <b> & you\n"
        'ops,2021-03-04T10:30:00+01:00,bo,,"one\ntwo"\n',
    )
    rows = read(source)
    assert [row["html"] for row in rows] == ["<p>hello &lt;b&gt; &amp; you</p>", "<p>one<br>two</p>"]
    assert [row["created"] for row in rows] == [AT, AT]
    assert rows[0]["source_id"] == hashed_id("ops", "ada@contoso.com", 1614850200000000, "hello <b> & you")
    assert source.users().to_pylist()[0] | {"x": 1} == {
        "source_id": "ada@contoso.com",
        "email": "ada@contoso.com",
        "display_name": "Ada",
        "kind": None,
        "deleted": None,
        "entra_id": None,
        "x": 1,
    }
    assert [(row["source_id"], row["kind"]) for row in source.containers().to_pylist()] == [("ops", "standard")]
    assert Tables(tmp_path / "messages.csv").users() == source.users()


def test_the_hash_is_the_documented_one():
    documented = "797bc5ba83fd2348aa0a7c209c63cc9f"
    assert hashed_id("general", "ada@contoso.com", 1614850200000000, "Good morning") == documented
    assert documented in (ROOT / "docs" / "import-tables.md").read_text()


@pytest.mark.parametrize(
    ("created", "micros"),
    [
        ("2021-03-04T09:30:00Z", 1614850200_000000),
        ("2021-03-04 09:30:00.123456789 UTC", 1614850200_123456),
        ("2021-03-04T09:30+0000", 1614850200_000000),
        ("2021-03-04T00:30:00,5-09:00", 1614850200_500000),
        ("1614850200", 1614850200_000000),
        ("1614850200.25", 1614850200_250000),
        ("1614850200123", 1614850200_123000),
        ("1614850200123456", 1614850200_123456),
        ("0", 0),
    ],
)
def test_times_in_every_form(tmp_path, created, micros):
    source = messages_of(tmp_path, f'container,created,text\nops,"{created}",x\n')
    assert [round(row["created"].timestamp() * 1_000_000) for row in read(source)] == [micros]


@pytest.mark.parametrize(
    ("created", "what"),
    [
        ("", "created is empty"),
        ("2021-03-04T09:30:00", "created has no time zone"),
        ("2021-03-04", "created has no time zone"),
        ("2021-02-31T00:00:00Z", "created '2021-02-31T00:00:00Z' is no time"),
        ("yesterday", "created 'yesterday' is no time"),
    ],
)
def test_a_bad_time_costs_its_row_and_is_named_by_its_line(tmp_path, created, what):
    source = messages_of(tmp_path, f'container,created,text\n\nops,"{created}",x\nops,1614850200,good\n')
    assert [row["html"] for row in read(source)] == ["<p>good</p>"]
    assert [(problem.where, problem.what) for problem in source.problems] == [("messages.csv line 3", what)]
    assert source.problems[0].remedy


@pytest.mark.parametrize(
    ("created", "what"),
    [
        ("1969-12-31T23:59:59Z", "created is before 1970"),
        ("-5", "created is before 1970"),
        ("2999-01-01T00:00:00Z", "created is in the future"),
        ("99999999999999999", "created is in the future"),
    ],
)
def test_a_time_that_teams_cannot_hold_is_named_by_its_line_and_left_to_be_refused(tmp_path, created, what):
    source = messages_of(tmp_path, f'container,created,text\n\nops,"{created}",x\nops,1614850200,good\n')
    assert sorted(row["html"] for row in read(source)) == ["<p>good</p>", "<p>x</p>"]
    assert [(problem.where, problem.what) for problem in source.problems] == [("messages.csv line 3", what)]


def test_a_time_zone_can_be_given(tmp_path):
    text = "container,created,text\nops,2021-03-04T10:30:00,x\nops,2021-07-04T11:30:00,x\nops,2021-03-04T09:30:00Z,y\n"
    rows = read(messages_of(tmp_path, text, timezone="Europe/Zurich"))
    assert [row["created"].isoformat()[:16] for row in rows] == ["2021-03-04T09:30", "2021-03-04T09:30", "2021-07-04T09:30"]
    with pytest.raises(SourceError, match="no such time zone"):
        Tables(tmp_path, timezone="Mars/Olympus")


def test_a_typed_column_without_a_time_zone_is_refused_at_once(tmp_path):
    pq.write_table(
        pa.table({"container": ["ops"], "created": [datetime(2021, 3, 4)], "html": ["x"]}), tmp_path / "messages.parquet"
    )
    with pytest.raises(SourceError, match="created has no time zone"):
        Tables(tmp_path)
    assert len(read(Tables(tmp_path, timezone="UTC"))) == 1


@pytest.mark.parametrize("separator", [";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_csv_of_a_spreadsheet(tmp_path, separator, encoding):
    text = f"container{separator}created{separator}text\nops{separator}2021-03-04T09:30:00Z{separator}größe, a\n"
    (tmp_path / "messages.csv").write_text(text, encoding=encoding)
    assert [row["html"] for row in read(Tables(tmp_path))] == ["<p>größe, a</p>"]


def test_authors_and_containers_in_no_table_are_named_once_and_their_messages_kept(tmp_path):
    (tmp_path / "users.csv").write_text("source_id\nada\n")
    (tmp_path / "containers.csv").write_text("source_id,kind,members\nops,group,ada;bo\n")
    source = messages_of(
        tmp_path,
        "container,source_id,created,author,author_name,text\nops,1,1,ada,,x\nops,2,2,bo,Bo,x\nops,3,3,bo,,x\nelse,4,4,ada,,x\nelse,5,5,ada,,x\n",
    )
    assert len(read(source)) == 5
    assert [(problem.where, problem.what) for problem in source.problems] == [
        ("messages.csv line 3", "author bo is not in the table of users"),
        ("messages.csv line 5", "container else is not in the table of containers"),
    ]
    assert {row["source_id"]: row["kind"] for row in source.containers().to_pylist()} == {"ops": "group", "else": "standard"}


def test_two_rows_for_one_are_named_and_the_first_counts(tmp_path):
    (tmp_path / "users.csv").write_text("source_id,email\nada,a@b.c\nada,x@y.z\n,\n")
    source = messages_of(
        tmp_path, "container,source_id,created,author,text\nops,1,9,ada,later\nops,1,5,ada,first\nelse,1,7,ada,other\n"
    )
    assert [row["html"] for row in read(source)] == ["<p>other</p>", "<p>first</p>"]
    assert source.users()["email"].to_pylist() == ["a@b.c"]
    assert [(problem.where, problem.what) for problem in source.problems] == [
        ("users.csv line 3", "source_id ada is there twice"),
        ("messages.csv line 2", "source_id 1 stands in another row of container ops too"),
    ]
    read(source)
    assert len(source.problems) == 2


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ('{"container": null, "created": 1}', "container is empty"),
        ('{"container": ["x"], "created": 1}', "container is no text"),
        ('{"container": "ops", "created": 1, "importance": "higher"}', "importance 'higher' is not known"),
        ('{"container": "ops", "created": 1, "mentions": [{"text": "x"}]}', "a mention has no id"),
        ('{"container": "ops", "created": 1, "mentions": ["x"]}', "mentions is no list of objects"),
        ('{"container": "ops", "created": 1, "images": {"id": 1}}', "images is no list"),
        ('{"container": "ops", "created": 1, "images": [{"name": "x"}]}', "one of images has no id"),
        ('{"container": "ops", "created": 1, "attachments": [{"size": "big"}]}', "size is no whole number"),
        ('{"container": "ops", "created": true}', "created is no time"),
        ('{"container": "ops", "created": {}}', "created is no time"),
        ("[1]", "it is no JSON object"),
        ("{broken", "it is no JSON (Expecting property name enclosed in double quotes)"),
    ],
)
def test_a_bad_line_of_json_costs_itself(tmp_path, line, what):
    good = '{"container": "ops", "created": 1614850200, "text": "good", "author": 7}'
    (tmp_path / "messages.jsonl").write_text(f"\ufeff{good}\n{line}\n\n{good.replace('good', 'last')}")
    source = Tables(tmp_path)
    assert [(row["html"], row["author"]) for row in read(source)] == [("<p>good</p>", "7"), ("<p>last</p>", "7")]
    assert [(problem.where, problem.what) for problem in source.problems] == [("messages.jsonl line 2", what)]


VALUES = (
    JSON
    | st.integers(0, 2 * 10**9)
    | st.lists(st.dictionaries(st.sampled_from(["id", "text", "user", "reaction", "created", "size"]), JSON), max_size=2)
)


@examples(50)
@given(st.lists(st.dictionaries(st.sampled_from(COLUMNS), VALUES, max_size=8), max_size=6))
def test_no_shape_of_a_row_stops_the_tables(tmp_path_factory, given_rows):
    """Each row is a message or a problem."""
    folder = tmp_path_factory.mktemp("tables")
    last = {"container": "ops", "source_id": "last", "created": 1614850200, "text": "last"}
    (folder / "messages.jsonl").write_text("".join(json.dumps(row) + "\n" for row in [*given_rows, last]))
    source = Tables(folder)
    found = read(source)
    assert "<p>last</p>" in [row["html"] for row in found]
    assert len(found) + len(source.problems) == len(given_rows) + 1
    for row in found:
        Checked(row["html"], MORE_TAGS)
    source.users()
    source.containers()


def test_one_bad_row_of_parquet_is_named_by_its_number(tmp_path):
    rows = [*MESSAGE_ROWS, MESSAGE_ROWS[0] | {"source_id": "9", "importance": "great"}]
    source = Tables(write(tmp_path, "parquet", {"messages": rows}))
    assert len(read(source)) == 3
    assert [(problem.where, problem.what) for problem in source.problems] == [
        ("messages.parquet row 4", "importance 'great' is not known")
    ]


def test_html_is_reduced_to_what_teams_takes(tmp_path):
    html = '<p onclick="x">a<script>alert(1)</script><b>b</p><a href="javascript:x">c</a><img src="https://a.b/i.png" alt="i"><made-up>d<i>e'
    rows = [MESSAGE_ROWS[1] | {"html": html}, MESSAGE_ROWS[0]]
    found = read(Tables(write(tmp_path, "parquet", {"messages": rows})))
    assert found[0]["html"] == '<p>a<b>b</b></p><a>c</a><a href="https://a.b/i.png">i</a>d<i>e</i>'
    assert found[0]["notes"] == ["HTML that Teams does not take left out"]
    assert found[1]["notes"] is None


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "there is no table of messages"),
        ({"messages.csv": "container,text\n"}, "no column created"),
        ({"messages.csv": "container,created,txt\n"}, "did you mean text?"),
        ({"messages.csv": ""}, "no header"),
        ({"messages.parquet": "no parquet"}, "cannot be read as Parquet"),
        ({"messages.csv": "container,created\n", "messages.jsonl": ""}, "more than once (messages.csv, messages.jsonl)"),
        ({"messages.csv": "container,created\n", "users.csv": "email\n"}, "no column source_id"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, files, says):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(SourceError) as refused:
        Tables(tmp_path)
    assert says in str(refused.value)


def test_files_lie_below_the_tables(tmp_path):
    (tmp_path / "secret").write_bytes(b"no")
    folder = tmp_path / "tables"
    (folder / "files").mkdir(parents=True)
    (folder / "files" / "a.png").write_bytes(b"png")
    source = Tables(write(folder, "parquet"))
    assert source.content("files/a.png") == b"png"
    for key in ("../secret", "/etc/passwd", "files/none.png"):
        with pytest.raises(SourceError):
            source.content(key)


@examples(20)
@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 20), st.text("xy", max_size=3)), min_size=30, max_size=80),
    st.integers(1, 15),
    st.integers(1, 5),
)
def test_sorting_with_any_runs_and_blocks_is_sorting(rows, run_rows, block_rows):
    """The merge of small runs in small blocks gives what one sort gives: by container and time, then by place."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(in_order, "_RUN_BYTES", 0)
        patched.setattr(in_order, "_BLOCK_ROWS", block_rows)
        patched.setattr(in_order, "_block_rows", lambda _part: block_rows)
        ordered = in_order.InOrder()
        places = list(range(len(rows)))
        for at in range(0, len(rows), run_rows):
            part = [
                {"container": one, "source_id": "x", "created": time, "html": text}
                for one, time, text in rows[at : at + run_rows]
            ]
            ordered.add(pa.RecordBatch.from_pylist(part, MESSAGES), places[at : at + run_rows])
        found = [
            (row["container"], row[in_order.PLACE])
            for container in ordered.finish()
            for table in ordered.messages(container)
            for row in table.to_pylist()
        ]
    assert found == [
        (one[0], place)
        for one, place in sorted(zip(rows, places, strict=True), key=lambda pair: (pair[0][0], pair[0][1], pair[1]))
    ]


def test_batches_in_the_form_of_the_model_are_taken_as_they_are():
    batch = pa.RecordBatch.from_pylist(MESSAGE_ROWS, MESSAGES)
    now = 2**60
    assert in_form(batch, now).equals(batch)
    assert in_form(pa.record_batch([pa.array(["x"], pa.large_string())], names=["html"]), now) is None
    for name, value in (
        ("html", "<b onclick='x'>"),
        ("html", "a\x00"),
        ("author_name", "\ufffe"),
        ("importance", "low"),
        ("source_id", ""),
    ):
        assert in_form(pa.RecordBatch.from_pylist([MESSAGE_ROWS[0] | {name: value}], MESSAGES), now) is None, name
    assert in_form(batch, 1) is None


def test_memory_does_not_grow_with_the_tables(tmp_path):
    """300 MB of messages in one container, in no order, are read within 64 MB of Arrow memory beyond two runs."""
    schema = pa.schema(
        [
            ("container", pa.string()),
            ("source_id", pa.string()),
            ("created", pa.timestamp("us", "UTC")),
            ("html", pa.string()),
        ]
    )
    with pq.ParquetWriter(tmp_path / "messages.parquet", schema, compression="zstd") as writer:
        for number in range(75):
            ids = [f"{number}-{row}" for row in range(4000)]
            times = [(row * 7919 + number) % 1_000_003 * 1_000_000 for row in range(4000)]
            writer.write_table(
                pa.table(
                    [["ops"] * 4000, ids, pa.array(times, pa.timestamp("us", "UTC")), ["x" * 1000] * 4000], schema=schema
                )
            )
    before = pa.total_allocated_bytes()
    source = Tables(tmp_path)
    count, last, peak = 0, 0, 0
    for batch in source.messages():
        times = batch.column("created").cast(pa.int64())
        assert last <= times[0].as_py() <= times[-1].as_py()
        last = times[-1].as_py()
        count += batch.num_rows
        peak = max(peak, pa.total_allocated_bytes() - before)
    assert count == 300_000
    assert peak < 200_000_000
