"""What becomes of a message of Slack: its HTML, and what was changed."""

from __future__ import annotations

import html.parser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lakeflow_teams.deliver.sources.slack import SlackExport
from lakeflow_teams.deliver.sources.slack.body import Directory
from lakeflow_teams.deliver.sources.slack.layout import Conversation, Layout, Person
from lakeflow_teams.deliver.sources.slack.message import Reader
from lakeflow_teams.deliver.sources.slack.values import micros
from support.examples import examples
from support.slack_export import entries, message, write_zip

PEOPLE = {
    "U1": Person("U1", "Ada Lovelace", None, "person", deleted=False, bot_id=None),
    "U2": Person("U2", "Bo <Ek>", None, "person", deleted=True, bot_id=None),
    "U9": Person("U9", "CI", None, "bot", deleted=False, bot_id="B9"),
}
CHANNELS = {"C7": Conversation("C7", "ops", "standard", None)}
READER = Reader(
    Directory(Layout(CHANNELS, PEOPLE)), lambda file, day: f"{day}#{file['id']}" if file.get("id") == "F1" else None
)


def row(item):
    return READER.read(item, micros(item.get("ts")) or 0, "C1", "general/2020-09-13.json")


def html_of(text):
    return row(message(text)).html


def rich(*elements, **message_of):
    return message("never read", blocks=[{"type": "rich_text", "elements": list(elements)}], **message_of)


def section(*elements):
    return {"type": "rich_text_section", "elements": list(elements)}


def said(text, **style):
    return {"type": "text", "text": text, **({"style": style} if style else {})}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "<p>plain</p>"),
        ("", ""),
        ("a &amp; b &lt;c&gt;", "<p>a &amp; b &lt;c&gt;</p>"),
        ("a & b \" '", "<p>a &amp; b \" '</p>"),
        ("&amp;lt;b&amp;gt;", "<p>&amp;lt;b&amp;gt;</p>"),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
        ("one\ntwo", "<p>one<br>two</p>"),
        ("one\n  two   three", "<p>one<br>&nbsp;&nbsp;two&nbsp;&nbsp;&nbsp;three</p>"),
        ("*b* _i_ ~s~", "<p><strong>b</strong> <em>i</em> <s>s</s></p>"),
        ("*_both_*", "<p><strong><em>both</em></strong></p>"),
        ("_*both*_", "<p><em><strong>both</strong></em></p>"),
        ("a*b*c snake_case_name 2~3~4", "<p>a*b*c snake_case_name 2~3~4</p>"),
        ("* not bold * and *not\nbold*", "<p>* not bold * and *not<br>bold*</p>"),
        ("(*b*), *b*.", "<p>(<strong>b</strong>), <strong>b</strong>.</p>"),
        ("`*no* &lt;b&gt;`", "<p><code>*no* &lt;b&gt;</code></p>"),
        ("see ```\na  *b*\n &lt;c&gt;\n``` there", "<p>see </p><pre>a  *b*\n &lt;c&gt;</pre><p> there</p>"),
        ("*bold ```x``` bold*", "<p>*bold </p><pre>x</pre><p> bold*</p>"),
        ("```curl <https://a.b/c|a.b/c> <mailto:x@y.z|x@y.z>```", "<pre>curl a.b/c x@y.z</pre>"),
        ("&gt; one\n&gt; two\nthree", "<blockquote>one<br>two</blockquote><p>three</p>"),
        ("zero\n&gt; one", "<p>zero</p><blockquote>one</blockquote>"),
        ("a\n&gt;&gt;&gt; one\n\n&gt; *two*", "<p>a</p><blockquote>one<br><br>&gt; <strong>two</strong></blockquote>"),
        ("1 &gt; 0", "<p>1 &gt; 0</p>"),
        ("<https://a.b/?x=1&amp;y=2>", '<p><a href="https://a.b/?x=1&amp;y=2">https://a.b/?x=1&amp;y=2</a></p>'),
        ("<https://a.b|the *label*>", '<p><a href="https://a.b">the *label*</a></p>'),
        ("*<https://a.b|x>*", '<p><strong><a href="https://a.b">x</a></strong></p>'),
        ('<https://a.b/"onclick="x|y>', '<p><a href="https://a.b/&quot;onclick=&quot;x">y</a></p>'),
        ("<mailto:a@b.c|a@b.c>", '<p><a href="mailto:a@b.c">a@b.c</a></p>'),
        ("<javascript:alert(1)|click>", "<p>click (javascript:alert(1))</p>"),
        ("<slack://open>", "<p>slack://open</p>"),
        ("<@U1>: hi", '<p><at id="0">Ada Lovelace</at>: hi</p>'),
        ("<@U2|bo> and <@U1>", '<p><at id="0">Bo &lt;Ek&gt;</at> and <at id="1">Ada Lovelace</at></p>'),
        ("<@U77|cy> <@U78>", '<p><at id="0">cy</at> <at id="1">U78</at></p>'),
        ("<#C7|old> <#C8|else> <#C9>", "<p>#ops #else #C9</p>"),
        ("<!here> <!channel|@channel> <!everyone>", "<p>@here @channel @everyone</p>"),
        ("<!subteam^S1|@dev> <!subteam^S2>", "<p>@dev @S2</p>"),
        ("<!date^1600000000^{date}|Sep 13> <!date^1600000000^{date}>", "<p>Sep 13 2020-09-13 12:26 UTC</p>"),
        ("<!date^1600000000^{date}^https://a.b|Sep 13>", '<p><a href="https://a.b">Sep 13</a></p>'),
        (":smile: :+1::skin-tone-3: :party-parrot:", "<p>😄 👍🏼 :party-parrot:</p>"),
        ("10:30:45 a:b:c ::smile::", "<p>10:30:45 a:b:c ::smile::</p>"),
        (":flag-ch: :man-shrugging::skin-tone-6: :simple_smile:", "<p>🇨🇭 🤷🏿‍♂️ 🙂</p>"),
        ("\x00\x0b\ufdd0" + "7\ufdd1 \ud800", "<p>7 \ufffd</p>"),
        ("crlf\r\nhere", "<p>crlf<br>here</p>"),
    ],
)
def test_markup_in_text(text, expected):
    assert html_of(text) == expected


def test_mentions_are_told_beside_the_html():
    found = row(message("<@U1> <@U77|cy>"))
    assert found.mentions == [{"id": 0, "text": "Ada Lovelace", "user": "U1"}, {"id": 1, "text": "cy", "user": "U77"}]


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ([section(said("a <b> & c\n  d"))], "<p>a &lt;b&gt; &amp; c<br>&nbsp;&nbsp;d</p>"),
        (
            [section(said("x", bold=True, italic=True), said(" y", code=True))],
            "<p><strong><em>x</em></strong><code> y</code></p>",
        ),
        ([section(said("x", strike=True, bold=False), said("u", underline=True))], "<p><s>x</s><u>u</u></p>"),
        (
            [
                section(
                    {"type": "link", "url": "https://a.b", "text": "t"},
                    {"type": "link", "url": "https://c.d", "style": {"bold": True}},
                )
            ],
            '<p><a href="https://a.b">t</a><strong><a href="https://c.d">https://c.d</a></strong></p>',
        ),
        ([section({"type": "link", "url": "javascript:x", "text": "t"})], "<p>t (javascript:x)</p>"),
        ([section({"type": "user", "user_id": "U2"}, said(" hi"))], '<p><at id="0">Bo &lt;Ek&gt;</at> hi</p>'),
        ([section({"type": "channel", "channel_id": "C7"}, {"type": "broadcast", "range": "here"})], "<p>#ops@here</p>"),
        ([section({"type": "usergroup", "usergroup_id": "S1"})], "<p>@S1</p>"),
        (
            [section({"type": "emoji", "name": "smile", "unicode": "1f604"}, {"type": "emoji", "name": "tada"})],
            "<p>😄🎉</p>",
        ),
        ([section({"type": "emoji", "name": "+1", "skin_tone": 3, "unicode": "1f44d-1f3fc"})], "<p>👍🏼</p>"),
        (
            [section({"type": "emoji", "name": "partyparrot"}, {"type": "emoji", "name": "x<", "unicode": "zz"})],
            "<p>:partyparrot::x&lt;:</p>",
        ),
        ([section({"type": "date", "timestamp": 1600000000, "format": "{date}", "fallback": "Sep 13"})], "<p>Sep 13</p>"),
        ([section({"type": "date", "timestamp": 1600000000})], "<p>2020-09-13 12:26 UTC</p>"),
        ([section({"type": "color", "value": "#ff0000"})], "<p>#ff0000</p>"),
        ([section({"type": "canvas", "label": "Plan"})], "<p>Plan</p>"),
        ([section(said("a\n")), {"type": "rich_text_quote", "elements": [said("q")]}], "<p>a</p><blockquote>q</blockquote>"),
        (
            [
                {
                    "type": "rich_text_preformatted",
                    "elements": [said("if a < b:\n  c"), {"type": "link", "url": "https://a.b"}],
                }
            ],
            "<pre>if a &lt; b:\n  chttps://a.b</pre>",
        ),
    ],
)
def test_rich_text(elements, expected):
    assert row(rich(*elements)).html == expected


def listed(style, indent, *items, **more):
    return {
        "type": "rich_text_list",
        "style": style,
        "indent": indent,
        "elements": [section(said(item)) for item in items],
        **more,
    }


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        ([listed("bullet", 0, "a", "b")], "<ul><li>a</li><li>b</li></ul>"),
        ([listed("ordered", 0, "a", offset=2)], '<ol start="3"><li>a</li></ol>'),
        (
            [listed("bullet", 0, "a"), listed("ordered", 1, "b", "c"), listed("bullet", 0, "d")],
            "<ul><li>a<ol><li>b</li><li>c</li></ol></li><li>d</li></ul>",
        ),
        ([listed("bullet", 0, "a"), listed("ordered", 0, "b")], "<ul><li>a</li></ul><ol><li>b</li></ol>"),
        ([listed("bullet", 2, "a")], "<ul><li><ul><li><ul><li>a</li></ul></li></ul></li></ul>"),
        ([listed("bullet", 10**9, "a")], "<ul><li>" * 8 + "<ul><li>a" + "</li></ul>" * 9),
        ([listed("bullet", 0), listed("bullet", 0, "a")], "<ul><li>a</li></ul>"),
    ],
)
def test_lists_nest_by_their_indent(lists, expected):
    assert row(rich(*lists)).html == expected


def test_rich_text_wins_over_the_text_and_an_empty_block_does_not():
    assert row(rich(section(said("rich")))).html == "<p>rich</p>"
    assert row(message("text", blocks=[{"type": "rich_text", "elements": []}])).html == "<p>text</p>"


def test_blocks_of_apps_become_text():
    found = row(
        message(
            blocks=[
                {"type": "header", "text": {"type": "plain_text", "text": "Build <1>"}},
                {"type": "divider"},
                {
                    "type": "section",
                    "text": {"type": "mrkdwn", "text": "*red*"},
                    "fields": [{"type": "mrkdwn", "text": "_by_"}],
                    "accessory": {"type": "button", "text": {"type": "plain_text", "text": "Open"}, "url": "https://a.b"},
                },
                {
                    "type": "context",
                    "elements": [
                        {"type": "plain_text", "text": "*now*"},
                        {"type": "image", "image_url": "https://a.b/i.png"},
                    ],
                },
                {"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "OK"}}]},
                {
                    "type": "image",
                    "image_url": "https://a.b/c.png",
                    "alt_text": "chart",
                    "title": {"type": "plain_text", "text": "Chart"},
                },
                {"type": "video", "title": {"type": "plain_text", "text": "Film"}, "title_url": "https://a.b/v"},
                {
                    "type": "table",
                    "rows": [[{"type": "raw_text", "text": "a<"}, {"type": "rich_text", "elements": [section(said("b"))]}]],
                },
                {"type": "brand_new", "text": "later", "blocks": [{"type": "section", "text": "inner"}]},
            ]
        )
    )
    assert found.html == (
        "<p><strong>Build &lt;1&gt;</strong></p><hr><p><strong>red</strong></p><p><em>by</em></p>"
        '<p><a href="https://a.b">Open</a></p><p>*now*</p><p><a href="https://a.b/i.png">image</a></p>'
        '<p><a href="https://a.b/c.png">Chart</a></p><p><a href="https://a.b/v">Film</a></p>'
        "<table><tr><td>a&lt;</td><td><p>b</p></td></tr></table><p>later</p><p>inner</p>"
    )
    assert found.notes == [
        "image elsewhere on the web linked",
        "buttons left out",
        "video linked",
        "element of another kind written as text",
    ]


def test_an_attachment_of_an_app_is_a_quote():
    found = row(
        message(
            "",
            user=None,
            subtype="bot_message",
            bot_id="B1",
            username="jenkins &amp; co",
            attachments=[
                {
                    "fallback": "never",
                    "pretext": "*pre*",
                    "author_name": "ci",
                    "title": "Build",
                    "title_link": "https://ci/1",
                    "text": "<https://a.b|ok>",
                    "fields": [{"title": "State", "value": "_red_", "short": True}],
                    "image_url": "https://a.b/i.png",
                    "footer": "foot",
                    "actions": [{}],
                }
            ],
        )
    )
    assert (found.author, found.author_name) == ("B1", "jenkins & co")
    assert found.html == (
        "<p><strong>pre</strong></p><blockquote><p>ci</p>"
        '<p><strong><a href="https://ci/1">Build</a></strong></p><p><a href="https://a.b">ok</a></p>'
        "<p><strong>State</strong><br><em>red</em></p>"
        '<p><a href="https://a.b/i.png">image</a></p><p>foot</p></blockquote>'
    )
    assert found.notes == ["app card written as text", "buttons left out", "image elsewhere on the web linked"]


def test_what_an_attachment_has_only_as_fallback_is_kept():
    assert (
        row(message("", attachments=[{"fallback": "down &lt;now&gt;"}])).html == "<blockquote>down &lt;now&gt;</blockquote>"
    )


def test_link_previews_and_shared_messages_are_quotes_with_their_links():
    preview = {"from_url": "https://a.b", "service_name": "News", "title": "T", "title_link": "https://a.b", "text": "x"}
    found = row(message("<https://a.b>", attachments=[preview]))
    assert found.notes == ["link preview quoted"]
    assert found.html.endswith(
        '<blockquote><p>News</p><p><strong><a href="https://a.b">T</a></strong></p><p>x</p></blockquote>'
    )
    block = {"type": "rich_text", "elements": [section(said("said"))]}
    shared = {
        "is_msg_unfurl": True,
        "author_name": "Bo",
        "from_url": "https://w.slack.com/archives/C1/p1",
        "message_blocks": [{"team": "T", "message": {"blocks": [block]}}],
        "files": [
            {
                "id": "F1",
                "name": "p.pdf",
                "mimetype": "application/pdf",
                "mode": "hosted",
                "permalink": "https://w.slack.com/p",
            }
        ],
    }
    found = row(message("look", attachments=[shared]))
    assert found.notes == ["shared message quoted"]
    assert "<p>Bo</p><p>said</p>" in found.html
    assert '<a href="https://w.slack.com/archives/C1/p1">shared message</a>' in found.html
    assert [file["name"] for file in found.attachments] == ["p.pdf"]


IMAGE = {
    "id": "F1",
    "title": "a.png",
    "mimetype": "image/png",
    "mode": "hosted",
    "size": 7,
    "original_w": 4,
    "original_h": 3,
}
HOSTED = {
    "url_private": "https://files.slack.com/a.png?t=xoxe-1-secret",
    "permalink": "https://w.slack.com/files/U1/F1/a.png",
}


def test_images_stand_inline_in_the_order_they_came():
    found = row(message("two", files=[IMAGE | HOSTED, IMAGE | {"id": "F2", "original_w": "x"}]))
    assert found.html == (
        '<p>two</p><p><img src="../hostedContents/1/$value" width="4" height="3"></p><p><img src="../hostedContents/2/$value"></p>'
    )
    assert found.images == [
        {
            "id": "1",
            "name": "a.png",
            "content_type": "image/png",
            "url": HOSTED["permalink"],
            "size": 7,
            "key": "general/2020-09-13.json#F1",
        },
        {"id": "2", "name": "a.png", "content_type": "image/png", "url": None, "size": 7, "key": None},
    ]
    assert found.attachments is None


@pytest.mark.parametrize(
    ("file", "url", "note"),
    [
        ({"id": "F1", "name": "a.pdf", "mode": "hosted", **HOSTED}, HOSTED["permalink"], None),
        (
            {"id": "F1", "name": "a", "mode": "external", "is_external": True, "url_private": "https://d.b/a"},
            "https://d.b/a",
            None,
        ),
        (
            {"id": "F1", "mode": "hosted", "url_private": "https://files.slack.com/a?x=1&t=xoxe-2&pub=3"},
            "https://files.slack.com/a?x=1&pub=3",
            None,
        ),
        (
            {"id": "F1", "mode": "hosted", "url_private": "https://files.slack.com/a?t=xoxe-2"},
            "https://files.slack.com/a",
            None,
        ),
        ({"id": "F1", "mode": "hosted", "permalink": "javascript:x"}, None, None),
        ({"id": "F1", "mode": "tombstone"}, None, "file is no longer in Slack"),
        ({"id": "F1", "mode": "hidden_by_limit", **HOSTED}, None, "file is no longer in Slack"),
        ({"name": ""}, None, "file is no longer in Slack"),
        ({"id": "F1", "mode": "space", "title": "Canvas", **HOSTED}, HOSTED["permalink"], "canvas linked, not imported"),
    ],
)
def test_a_file_is_a_link_or_a_name_by_its_mode(file, url, note):
    found = row(message("f", files=[file]))
    assert found.html == "<p>f</p>"
    assert [attachment["url"] for attachment in found.attachments] == [url]
    assert found.notes == ([note] if note else None)
    assert "xoxe" not in str(found)


def test_a_snippet_is_preformatted_as_far_as_the_export_holds_it():
    file = {"id": "F1", "title": "a.py", "mode": "snippet", "preview": "if a < b:\n  c", "lines_more": 3, **HOSTED}
    found = row(message("", files=[file]))
    assert found.html == "<pre>if a &lt; b:\n  c</pre><p>(3 more lines in the file)</p>"
    assert found.notes == ["snippet written as preformatted text"]
    assert len(found.attachments) == 1


def test_uploads_of_old_exports():
    upload = "<@U1> uploaded a file: <https://w.slack.com/f|plan> and commented: see <@U2>"
    file = {"id": "F1", "title": "plan", "mode": "hosted", "mimetype": "application/pdf", **HOSTED}
    assert row(message(upload, subtype="file_share", file=file)).html == '<p>see <at id="0">Bo &lt;Ek&gt;</at></p>'
    bare = row(
        message(upload.partition(" and")[0], subtype="file_share", file=file | {"initial_comment": {"comment": "*hm*"}})
    )
    assert bare.html == "<p><strong>hm</strong></p>"
    assert bare.mentions is None
    assert [attachment["name"] for attachment in bare.attachments] == ["plan"]


def test_a_comment_on_a_file_is_its_authors():
    item = message("<@U2> commented on <@U1>'s file <https://w.slack.com/f|x>: *ok*", user=None, subtype="file_comment")
    found = row(item | {"comment": {"user": "U2", "comment": "*ok*"}, "file": {"id": "F1", "mode": "hosted"} | HOSTED})
    assert (found.author, found.html) == ("U2", "<p><strong>ok</strong></p>")
    assert found.notes == ["comment on a file written as a message"]


def test_me_messages_are_italic():
    assert row(message("waves *hi*", subtype="me_message")).html == "<p><em>waves <strong>hi</strong></em></p>"


def test_a_tombstone_is_a_placeholder_that_keeps_its_replies():
    found = row(message("This message was deleted.", user="USLACKBOT", subtype="tombstone", thread_ts="1600000000.000100"))
    assert (found.skip, found.parent) == (None, None)
    assert found.html == "<p><em>This message was deleted.</em></p>"
    assert found.notes == ["deleted message kept as a placeholder"]


def test_a_huddle_is_of_the_person_who_began_it():
    room = {"created_by": "U2", "date_start": 1600000000, "date_end": 1600000601, "name": "stand<up>"}
    found = row(message("", user="USLACKBOT", subtype="huddle_thread", room=room))
    assert (found.author, found.html) == ("U2", "<p><em>Call, 11 min: stand&lt;up&gt;</em></p>")


@pytest.mark.parametrize(
    ("subtype", "skip"),
    [
        ("channel_join", "system event"),
        ("group_archive", "system event"),
        ("pinned_item", "system event"),
        ("message_deleted", "deleted"),
        ("message_changed", "record of an edit"),
    ],
)
def test_what_nobody_wrote_is_skipped_and_says_why(subtype, skip):
    assert row(message("<@U1> has joined", subtype=subtype)).skip == skip


def test_unknown_subtypes_keep_their_text():
    found = row(message("hello", subtype="of_the_future"))
    assert (found.skip, found.html) == (None, "<p>hello</p>")


@pytest.mark.parametrize(
    ("item", "author"),
    [
        ({"user": "U1"}, ("U1", None)),
        ({"user": "U1", "bot_id": "B1", "username": "x"}, ("U1", None)),
        ({"user": "U9", "bot_id": "B9", "bot_profile": {"name": "Deploy"}}, ("U9", "Deploy")),
        ({"user": "U9", "bot_id": "B9"}, ("U9", "CI")),
        ({"user": None, "bot_id": "B9", "username": "ci"}, ("U9", "ci")),
        ({"user": None, "bot_id": "B5", "bot_profile": {"name": "Five"}}, ("B5", "Five")),
        ({"user": "U8", "user_profile": {"real_name": "Of Elsewhere", "name": "oe"}}, ("U8", "Of Elsewhere")),
        ({"user": "U8"}, ("U8", None)),
        ({"user": "U00"}, (None, None)),
        ({"user": None}, (None, None)),
    ],
)
def test_authors(item, author):
    found = row(message("x") | item)
    assert (found.author, found.author_name) == author


def test_edits_keep_the_last_text_and_its_time():
    assert row(message("last", edited={"user": "U1", "ts": "1600000005.000000"})).edited == 1600000005_000000


def test_threads_name_their_root():
    assert row(message(ts="1600000002.000000", thread_ts="1600000001.000200")).parent == "1600000001.000200"
    assert row(message(ts="1600000001.000200", thread_ts="1600000001.000200")).parent is None
    assert row(message(ts="1600000001.000200")).source_id == "1600000001.000200"


def test_reactions_are_one_for_each_person_and_for_those_only_counted():
    found = row(
        message(
            reactions=[
                {"name": "+1::skin-tone-3", "users": ["U1"], "count": 3},
                {"name": "partyparrot", "users": ["U2"], "count": 1},
            ],
            pinned_to=["C1"],
        )
    )
    assert [(one["reaction"], one["user"]) for one in found.reactions] == [
        ("👍🏼", "U1"),
        ("👍🏼", None),
        ("👍🏼", None),
        (":partyparrot:", "U2"),
    ]
    assert found.notes == ["pin left out", "custom emoji written as its name"]
    many = row(message(reactions=[{"name": "+1", "users": [], "count": 10**9}, {"name": "tada", "count": 1}]))
    assert len(many.reactions) == 250
    assert many.notes == ["reactions beyond 250 left out"]


# What a message may be, by chance: any JSON in the places that are read, and markup in every text.

TEXT = st.text(max_size=30) | st.text(alphabet="*_~`<>|@#!:&;^ \nUC1ahttps/", max_size=60)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["type", "text", "elements", "url", "name"]) | TEXT, inner, max_size=4)
    ),
    max_leaves=12,
)
KEYS = st.sampled_from(
    [
        "type",
        "subtype",
        "user",
        "text",
        "ts",
        "thread_ts",
        "blocks",
        "attachments",
        "files",
        "file",
        "reactions",
        "edited",
        "bot_id",
        "bot_profile",
        "username",
        "comment",
        "room",
        "user_profile",
        "pinned_to",
        "root",
        "icons",
        "replies",
        "elements",
        "style",
        "indent",
        "offset",
        "url",
        "user_id",
        "channel_id",
        "unicode",
        "range",
        "timestamp",
        "fallback",
        "value",
        "title",
        "title_link",
        "fields",
        "image_url",
        "from_url",
        "footer",
        "author_name",
        "pretext",
        "message_blocks",
        "actions",
        "is_msg_unfurl",
        "id",
        "mode",
        "mimetype",
        "original_w",
        "original_h",
        "size",
        "permalink",
        "url_private",
        "preview",
        "lines_more",
        "users",
        "count",
        "name",
        "rows",
        "accessory",
        "call",
        "skin_tone",
        "border",
    ]
)
KINDS = st.sampled_from(
    [
        "rich_text",
        "rich_text_section",
        "rich_text_list",
        "rich_text_quote",
        "rich_text_preformatted",
        "text",
        "link",
        "user",
        "usergroup",
        "channel",
        "emoji",
        "broadcast",
        "date",
        "color",
        "section",
        "header",
        "context",
        "actions",
        "image",
        "video",
        "markdown",
        "call",
        "input",
        "table",
        "divider",
        "mrkdwn",
        "plain_text",
        "file_comment",
        "me_message",
        "tombstone",
        "huddle_thread",
        "thread_broadcast",
        "bot_message",
        "hosted",
        "snippet",
        "image/png",
        "ordered",
        "message",
        "U1",
        "B9",
    ]
)
SHAPES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT | KINDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=40,
)
ALLOWED = {
    "p",
    "br",
    "strong",
    "em",
    "s",
    "u",
    "code",
    "pre",
    "blockquote",
    "ul",
    "ol",
    "li",
    "a",
    "img",
    "at",
    "hr",
    "table",
    "tr",
    "td",
}


class Checked(html.parser.HTMLParser):
    """Fails on whatever Teams does not take, on an attribute that could hold a script, and on tags that do not nest."""

    def __init__(self, found, more=frozenset()):
        super().__init__()
        self.open = []
        self.allowed = ALLOWED | more
        self.feed(found)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        assert tag in self.allowed, tag
        for name, value in attributes:
            assert name in {"a": {"href"}, "img": {"src", "width", "height"}, "at": {"id"}, "ol": {"start"}}.get(tag, ()), (
                name
            )
            if name == "href":
                assert value.lower().startswith(("http://", "https://", "ftp://", "mailto:", "tel:"))
        if tag not in {"br", "img", "hr"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_comment(self, _text):
        raise AssertionError

    handle_decl = handle_pi = unknown_decl = handle_comment


@examples(120)
@given(st.dictionaries(KEYS, SHAPES, max_size=8))
def test_no_shape_of_a_message_stops_the_reader_or_leaves_safe_html(item):
    found = row(item)
    Checked(found.html)
    numbers = [mention["id"] for mention in found.mentions or ()]
    assert numbers == list(range(len(numbers)))
    found.html.encode()


@examples(120)
@given(TEXT)
@example("_~_~")
def test_no_text_leaves_safe_html(text):
    Checked(html_of(text))


@examples(12)
@given(st.lists(st.dictionaries(KEYS, SHAPES, max_size=6) | JSON, max_size=5))
def test_no_day_file_stops_an_export(tmp_path_factory, items):
    """Each item is a row or a problem, whatever it is; and the message after them is read."""
    path = tmp_path_factory.mktemp("export") / "export.zip"
    last = message("last", ts="1699999999.000000")
    export = SlackExport(write_zip(path, entries([]) | {"general/2023-11-14.json": [*items, last]}))
    rows = [one for batch in export.messages() for one in batch.to_pylist()]
    assert rows[-1]["html"] == "<p>last</p>" or any(one["html"] == "<p>last</p>" for one in rows)
    times = {micros(item.get("ts")) for item in items if isinstance(item, dict)} - {None}
    readable = {at for at in times if at < 4_000_000_000_000_000}  # what chance calls the future is far from now
    assert len(rows) == len(readable | {1699999999_000000})
    assert len(export.problems) == sum(
        not isinstance(item, dict) or micros(item.get("ts")) not in readable for item in items
    )
