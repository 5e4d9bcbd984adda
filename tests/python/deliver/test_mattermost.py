"""A bulk export of Mattermost: its posts in order, Markdown as Teams takes it, and what is wrong in one line."""

from __future__ import annotations

import json
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliver.test_slack_messages import JSON, SHAPES, Checked
from lakeflow_teams.deliver.sources.identity import hashed_id
from lakeflow_teams.deliver.sources.mattermost import MattermostExport
from lakeflow_teams.deliver.sources.mattermost.markdown import Body, markdown
from lakeflow_teams.deliver.sources.model import CONTAINERS, MESSAGES, USERS, SourceError
from support.examples import examples

AT = 1614850200000
PEOPLE = {"ada": "Ada Lovelace", "bo.ek": "Bo <Ek>"}
HEAD = [
    {"type": "version", "version": 1},
    {"type": "role", "role": {}},
    {"type": "emoji", "emoji": {"name": "parrot", "image": "x.png"}},
    {"type": "team", "team": {"name": "core", "display_name": "Core Team", "type": "O"}},
    {
        "type": "channel",
        "channel": {
            "team": "core",
            "name": "town-square",
            "display_name": "Town Square",
            "type": "O",
            "purpose": "all",
            "header": "h",
        },
    },
    {"type": "channel", "channel": {"team": "core", "name": "ops", "display_name": "Ops", "type": "P"}},
    {
        "type": "user",
        "user": {
            "username": "ada",
            "email": "ada@contoso.com",
            "first_name": "Ada",
            "last_name": "Lovelace",
            "roles": "system_user",
            "teams": [{"name": "core", "channels": [{"name": "ops"}, {"name": "town-square"}]}],
        },
    },
    {"type": "user", "user": {"username": "bo.ek", "nickname": "Bo", "roles": "system_guest", "delete_at": 5}},
    {"type": "bot", "bot": {"username": "ci", "display_name": "CI", "owner": "ada"}},
]


def post(message="hi", at=AT, user="ada", channel="ops", **more):
    return {
        "type": "post",
        "post": {"team": "core", "channel": channel, "user": user, "message": message, "create_at": at, **more},
    }


def direct(message, members, at=AT, user="ada"):
    return {
        "type": "direct_post",
        "direct_post": {"channel_members": members, "user": user, "message": message, "create_at": at},
    }


def lines(*items):
    return "".join((item if isinstance(item, str) else json.dumps(item)) + "\n" for item in items)


def opened(tmp_path, *items, files=(), head=HEAD):
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("import.jsonl", lines(*head, *items))
        for name in files:
            archive.writestr(f"data/{name}", b"bytes")
    return MattermostExport(path)


def rows(export, containers=None):
    return [row for batch in export.messages(containers) for row in batch.to_pylist()]


def test_the_three_tables(tmp_path):
    export = opened(
        tmp_path, post("two", AT + 1), post("one", AT), direct("dm", ["bo.ek", "ada"]), post("sq", channel="town-square")
    )
    assert export.users().schema == USERS
    users = {row["source_id"]: row for row in export.users().to_pylist()}
    assert (users["ada"]["display_name"], users["ada"]["email"], users["ada"]["kind"]) == (
        "Ada Lovelace",
        "ada@contoso.com",
        "person",
    )
    assert (users["bo.ek"]["display_name"], users["bo.ek"]["kind"], users["bo.ek"]["deleted"]) == ("Bo", "guest", True)
    assert users["ci"]["kind"] == "bot"
    assert export.containers().schema == CONTAINERS
    containers = {row["source_id"]: row for row in export.containers().to_pylist()}
    assert list(containers) == ["core/town-square", "core/ops", "ada,bo.ek"]
    assert (containers["core/town-square"]["general"], containers["core/town-square"]["description"]) == (True, "all\nh")
    assert (containers["core/ops"]["kind"], containers["core/ops"]["team"], containers["core/ops"]["name"]) == (
        "private",
        "Core Team",
        "Ops",
    )
    assert containers["core/ops"]["members"] == ["ada"]
    assert (containers["ada,bo.ek"]["kind"], containers["ada,bo.ek"]["members"]) == ("oneOnOne", ["ada", "bo.ek"])
    assert all(batch.schema == MESSAGES for batch in export.messages())
    assert [row["html"] for row in rows(export, ["core/ops"])] == ["<p>one</p>", "<p>two</p>"]
    assert rows(export) == rows(export)
    assert export.problems == []


def test_direct_channels_by_the_number_of_their_members(tmp_path):
    export = opened(
        tmp_path,
        {"type": "direct_channel", "direct_channel": {"members": ["ada", "bo.ek", "ci"]}},
        direct("note", ["ada", "ada"]),
        direct("group", ["ci", "ada", "bo.ek"]),
    )
    assert [(row["source_id"], row["kind"], row["members"]) for row in export.containers().to_pylist()][2:] == [
        ("ada,bo.ek,ci", "group", ["ada", "bo.ek", "ci"]),
        ("ada", "oneOnOne", ["ada"]),
    ]
    assert len(rows(export)) == 2


def test_ids_are_the_documented_hash_and_replies_name_their_root(tmp_path):
    replies = [
        {"user": "bo.ek", "message": "re", "create_at": AT + 5},
        {"user": "ada", "message": "early", "create_at": AT - 5},
    ]
    export = opened(tmp_path, post("root", replies=replies))
    root = hashed_id("core/ops", "ada", AT * 1000, "root")
    assert [(row["html"], row["parent"]) for row in rows(export)] == [
        ("<p>early</p>", root),
        ("<p>root</p>", None),
        ("<p>re</p>", root),
    ]
    assert rows(export)[1]["source_id"] == root


def test_what_a_post_has_beside_its_text(tmp_path):
    more = {
        "edit_at": AT + 9,
        "is_pinned": True,
        "reactions": [{"user": "bo.ek", "emoji_name": "+1", "create_at": AT + 1}, {"user": "ada", "emoji_name": "corp"}],
        "attachments": [
            {"path": "20210304/a.png"},
            {"path": "20210304/b.pdf"},
            {"path": "gone.txt"},
            {"path": "../../etc/passwd"},
        ],
    }
    export = opened(tmp_path, post("x", **more), files=["20210304/a.png", "20210304/b.pdf"])
    row = rows(export)[0]
    assert row["html"] == '<p>x</p><p><img src="../hostedContents/1/$value"></p>'
    assert row["edited"].timestamp() * 1000 == AT + 9
    assert [(one["reaction"], one["user"], one["created"] is not None) for one in row["reactions"]] == [
        ("👍", "bo.ek", True),
        (":corp:", "ada", False),
    ]
    assert [(one["name"], one["key"], one["content_type"]) for one in row["images"]] == [
        ("a.png", "data/20210304/a.png", "image/png")
    ]
    assert [(one["name"], one["key"]) for one in row["attachments"]] == [
        ("b.pdf", "data/20210304/b.pdf"),
        ("gone.txt", None),
        ("passwd", None),
    ]
    assert row["notes"] == ["file is not in the export", "pin left out", "custom emoji written as its name"]
    assert export.content("data/20210304/a.png") == b"bytes"
    with pytest.raises(SourceError):
        export.content("data/none")


def test_events_cards_and_other_authors(tmp_path):
    card = {
        "pretext": "*pre*",
        "author_name": "ci<",
        "title": "Build",
        "title_link": "https://ci/1",
        "text": "**red**",
        "fields": [{"title": "State", "value": 7}],
        "image_url": "https://a.b/i.png",
        "footer": "f",
        "actions": [{}],
    }
    export = opened(
        tmp_path,
        post("ada joined", at=AT, type="system_join_channel"),
        post(
            "", at=AT + 1, user="ci", type="slack_attachment", props={"attachments": [card], "override_username": "Jenkins"}
        ),
        post("waves", at=AT + 2, type="me", user="who"),
        post("call", at=AT + 3, type="custom_calls"),
    )
    event, app, me, call = rows(export)
    assert event["skip"] == "system event"
    assert (app["author"], app["author_name"]) == ("ci", "Jenkins")
    assert app["html"] == (
        "<p><em>pre</em></p><blockquote><p>ci&lt;</p>"
        '<p><strong><a href="https://ci/1">Build</a></strong></p><p><strong>red</strong></p>'
        '<p><strong>State</strong></p><p>7</p><p><a href="https://a.b/i.png">image</a></p><p>f</p></blockquote>'
    )
    assert app["notes"] == ["app card written as text", "buttons left out", "image elsewhere on the web linked"]
    assert (me["html"], me["author"], me["author_name"]) == ("<p><em>waves</em></p>", "who", "who")
    assert call["notes"] == ["post of a plugin written as text"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("plain\ntext", "<p>plain<br>text</p>"),
        ("**b** _i_ ~~s~~ `c<`", "<p><strong>b</strong> <em>i</em> <s>s</s> <code>c&lt;</code></p>"),
        ("one\n**two**", "<p>one<br><strong>two</strong></p>"),
        ("# H\n\ntext", "<h1>H</h1><p>text</p>"),
        ("> q\n\n- a\n- b", "<blockquote><p>q</p></blockquote><ul><li>a</li><li>b</li></ul>"),
        ("3. a\n4. b", '<ol start="3"><li>a</li><li>b</li></ol>'),
        ("```python\nif a < b:\n  c\n```", "<pre>if a &lt; b:\n  c</pre>"),
        (
            "|a|b|\n|-|-:|\n|1|2|",
            "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table>",
        ),
        ("[x](https://a.b) [y](javascript:z)", '<p><a href="https://a.b">x</a> [y](javascript:z)</p>'),
        (
            "see https://a.b/c?d=e&f. (http://g.h)",
            '<p>see <a href="https://a.b/c?d=e&amp;f">https://a.b/c?d=e&amp;f</a>. (<a href="http://g.h">http://g.h</a>)</p>',
        ),
        ("[https://a.b](https://c.d) @ada", '<p><a href="https://c.d">https://a.b</a> <at id="0">Ada Lovelace</at></p>'),
        ("![alt](https://a.b/i.png)", '<p><a href="https://a.b/i.png">alt</a></p>'),
        ("<b>x</b> <script>y</script>", "<p>&lt;b&gt;x&lt;/b&gt; &lt;script&gt;y&lt;/script&gt;</p>"),
        (
            "@ada, @bo.ek. @nobody @all a@ada",
            '<p><at id="0">Ada Lovelace</at>, <at id="1">Bo &lt;Ek&gt;</at>. @nobody @all a@ada</p>',
        ),
        (":+1: :smile: :corp: 10:30:45 `:+1: @ada`", "<p>👍 😄 :corp: 10:30:45 <code>:+1: @ada</code></p>"),
        ("***", "<hr>"),
        ("a\x00\ud800**b**", "<p>a\ufffd<strong>b</strong></p>"),
    ],
)
def test_markdown(text, expected):
    assert markdown(text, Body(PEOPLE)) == expected


def test_bad_lines_are_named_and_cost_themselves(tmp_path):
    export = opened(
        tmp_path,
        "{broken",
        "[1]",
        post(at=None),
        post(at=-1),
        post(at=32503680000000),
        post("root", at=AT, replies=[{"user": "ada", "message": "x"}]),
        post("lost", channel="unknown", at=AT + 1),
        {"type": "hologram", "hologram": {}},
        {"type": "user", "user": {"email": "x"}},
        post("root", at=AT),
        post("last", at=AT + 2),
    )
    assert [row["html"] for row in rows(export, ["core/ops"])] == ["<p>root</p>", "<p>last</p>", "<p>hi</p>"]
    assert [row["html"] for row in rows(export, ["core/unknown"])] == ["<p>lost</p>"]
    first = len(HEAD) + 1
    assert sorted(problem.where for problem in export.problems) == sorted(
        [f"import.jsonl line {first + n}" for n in (0, 1, 2, 3, 4, 5, 7, 8, 9)] + ["channel core/unknown"]
    )
    assert "reply 1: create_at" in next(
        problem.what for problem in export.problems if problem.where.endswith(f" {first + 5}")
    )
    assert {row["source_id"]: row["kind"] for row in export.containers().to_pylist()}["core/unknown"] == "private"


def test_the_lines_alone_and_the_unpacked_folder(tmp_path):
    (tmp_path / "data" / "x").mkdir(parents=True)
    (tmp_path / "data" / "x" / "a.png").write_bytes(b"png")
    (tmp_path / "bulk.jsonl").write_text(lines(*HEAD, post("x", attachments=[{"path": "x/a.png"}])))
    for path in (tmp_path / "bulk.jsonl", tmp_path):
        export = MattermostExport(path)
        assert export.content(rows(export)[0]["images"][0]["key"]) == b"png"


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("x.jsonl", b'{"type": "post"}\n', "no bulk export of Mattermost"),
        ("x.jsonl", b"", "no bulk export of Mattermost"),
        ("x.jsonl", b"\x00\xff", "no bulk export of Mattermost"),
        ("x.zip", b"PK\x03\x04cut", "cut or damaged"),
        ("x.zip", b"text", "not a zip"),
    ],
)
def test_what_is_no_export_is_refused(tmp_path, name, data, says):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SourceError, match=says):
        MattermostExport(tmp_path / name)


def test_a_zip_without_or_with_two_files_of_lines_is_refused(tmp_path):
    for names in ((), ("a.jsonl", "b.jsonl")):
        with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
            for name in names:
                archive.writestr(name, "{}")
        with pytest.raises(SourceError, match="one file of JSON lines"):
            MattermostExport(tmp_path / "x.zip")


KEYS = st.sampled_from(
    [
        "team",
        "channel",
        "user",
        "message",
        "create_at",
        "props",
        "type",
        "replies",
        "reactions",
        "attachments",
        "edit_at",
        "name",
        "username",
        "members",
        "channel_members",
        "teams",
        "channels",
        "display_name",
        "emoji_name",
        "path",
        "text",
        "fields",
        "title",
        "override_username",
    ]
)
MORE_TAGS = {"h1", "h2", "h3", "h4", "h5", "h6", "thead", "tbody", "th"}
TYPES = st.sampled_from(["post", "direct_post", "user", "team", "channel", "direct_channel", "bot", "emoji", "x"])
TIMES = st.integers(-5, 2 * AT) | st.just(str(AT)) | JSON


@examples(20)
@given(st.lists(st.tuples(TYPES, st.dictionaries(KEYS, SHAPES, max_size=6) | JSON, TIMES), max_size=5))
def test_no_shape_of_a_line_stops_the_export(tmp_path_factory, items):
    given_lines = [
        {"type": kind, kind: (item | {"create_at": at}) if isinstance(item, dict) else item} for kind, item, at in items
    ]
    export = opened(tmp_path_factory.mktemp("export"), *given_lines, post("last", at=AT + 7))
    found = rows(export)
    assert "<p>last</p>" in [row["html"] for row in found]
    for row in found:
        Checked(row["html"], MORE_TAGS)
    export.users()
    export.containers()


@examples(100)
@given(st.text(alphabet="*_~`#>|[]()!@:<&\\- \n1.ab/htps\t", max_size=80))
def test_no_markdown_leaves_safe_html(text):
    found = markdown(text, Body(PEOPLE))
    Checked(found, MORE_TAGS)
