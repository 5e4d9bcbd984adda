"""An export of Slack as a whole: which files it has, in which order its messages come, and what is wrong with it."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakeflow_teams.deliver.sources.model import CONTAINERS, MESSAGES, USERS, SourceError
from lakeflow_teams.deliver.sources.slack import SlackExport
from lakeflow_teams.deliver.sources.slack.content import Content
from support.examples import examples
from support.paths import ROOT
from support.slack_export import ADA, CHANNEL, entries, message, write_large, write_zip


def opened(tmp_path, files, **how):
    return SlackExport(write_zip(tmp_path / "export.zip", files, **how))


def rows(export, containers=None):
    return [row for batch in export.messages(containers) for row in batch.to_pylist()]


def texts(export, containers=None):
    return [row["html"].removeprefix("<p>").removesuffix("</p>") for row in rows(export, containers)]


def test_the_three_tables_have_the_schemas_of_the_model(tmp_path):
    export = opened(tmp_path, entries([message()]))
    assert export.users().schema == USERS
    assert export.containers().schema == CONTAINERS
    assert [batch.schema for batch in export.messages()] == [MESSAGES]


def test_users_with_bots_guests_and_those_who_left(tmp_path):
    others = [
        {"id": "U3", "name": "guest", "is_restricted": True, "profile": {"display_name": "G &amp; T", "email": ""}},
        {"id": "U4", "name": "gone", "deleted": True, "profile": None},
        {"id": "U5", "name": "bot", "is_bot": True, "profile": {"bot_id": "B5", "real_name": "Bot"}},
        {"name": "without an id"},
        "no object",
    ]
    export = opened(tmp_path, entries([], users=[ADA, *others]))
    found = {row["source_id"]: row for row in export.users().to_pylist()}
    assert found["U1"] == {
        "source_id": "U1",
        "email": "ada@contoso.com",
        "display_name": "Ada Lovelace",
        "kind": "person",
        "deleted": False,
        "entra_id": None,
    }
    assert (found["U3"]["display_name"], found["U3"]["email"], found["U3"]["kind"]) == ("G & T", None, "guest")
    assert (found["U4"]["display_name"], found["U4"]["deleted"]) == ("gone", True)
    assert found["U5"]["kind"] == "bot"
    assert [problem.where for problem in export.problems] == ["users.json item 5", "users.json item 6"]


def test_channels_groups_and_dms_become_what_they_are(tmp_path):
    files = entries(
        [],
        channels=[
            CHANNEL | {"topic": {"value": "&lt;news&gt;"}, "purpose": {"value": "all"}},
            {"id": "C2", "name": "old", "is_archived": True},
        ],
        groups=[{"id": "G1", "name": "secret", "created": "1452837318", "members": ["U1", 7, "U1"]}],
        mpims=[{"id": "G2", "name": "mpdm-a--b--c-1", "members": ["U1", "U2", "U3"]}],
        dms=[{"id": "D1", "created": 1, "members": ["U1", "U2"]}, {"id": "D2", "members": ["U1", "U1"]}, {"name": "no id"}],
    )
    export = opened(tmp_path, files)
    found = {row["source_id"]: row for row in export.containers().to_pylist()}
    assert {name: row["kind"] for name, row in found.items()} == {
        "C1": "standard",
        "C2": "standard",
        "G1": "private",
        "G2": "group",
        "D1": "oneOnOne",
        "D2": "oneOnOne",
    }
    assert (found["C1"]["description"], found["C1"]["general"], found["C1"]["creator"]) == ("all\n<news>", True, "U1")
    assert found["C1"]["created"].timestamp() == 1500000000
    assert (found["C2"]["archived"], found["C2"]["general"], found["C2"]["created"]) == (True, False, None)
    assert found["G1"]["created"].timestamp() == 1452837318
    assert found["G1"]["members"] == ["U1"]
    assert (found["G2"]["name"], found["D1"]["name"], found["D1"]["created"]) == (None, None, None)
    assert found["D2"]["members"] == ["U1"]
    assert [problem.where for problem in export.problems] == ["dms.json item 3"]


def test_folders_are_named_after_the_channel_or_the_id(tmp_path):
    files = entries([], groups=[{"id": "G1", "name": "secret"}], dms=[{"id": "D1", "members": ["U1", "U2"]}])
    for folder in ("general", "secret", "D1"):
        files[f"{folder}/2020-09-13.json"] = [message(folder)]
    export = opened(tmp_path, files)
    assert {row["container"]: row["html"] for row in rows(export)} == {
        "C1": "<p>general</p>",
        "G1": "<p>secret</p>",
        "D1": "<p>D1</p>",
    }
    assert texts(export, ["D1"]) == ["D1"]
    assert texts(export, []) == []


def test_a_folder_in_no_list_is_read_as_private_and_named(tmp_path):
    export = opened(tmp_path, entries([]) | {"lost/2020-09-13.json": [message("lost")]})
    assert [(row["source_id"], row["kind"]) for row in export.containers().to_pylist()] == [
        ("C1", "standard"),
        ("lost", "private"),
    ]
    assert texts(export) == ["lost"]
    assert str(export.problems[0]).startswith(
        "lost/: 1 files of messages are in a folder that no list of conversations names"
    )


def test_a_folder_around_the_export_and_names_of_every_script(tmp_path):
    files = entries([], channels=[{"id": "C1", "name": "日本語"}]) | {"日本語/2020-09-13.json": [message("here")]}
    wrapped = {f"Export Sep 2020/{name}": value for name, value in files.items()} | {"__MACOSX/x": b""}
    assert texts(opened(tmp_path, wrapped)) == ["here"]


def test_names_in_utf8_that_do_not_say_so(tmp_path):
    path = write_zip(
        tmp_path / "export.zip",
        entries([], channels=[{"id": "C1", "name": "caf\u00e9"}]) | {"caf\u00e9/2020-09-13.json": [message("here")]},
    )
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(mark)
        while at >= 0:
            flags = struct.unpack_from("<H", data, at + offset)[0]
            struct.pack_into("<H", data, at + offset, flags & ~0x800)
            at = data.find(mark, at + 4)
    path.write_bytes(data)
    assert texts(SlackExport(path)) == ["here"]


def test_the_unpacked_folder_is_read_as_the_zip(tmp_path):
    path = write_zip(tmp_path / "export.zip", entries([message("here")]))
    zipfile.ZipFile(path).extractall(tmp_path / "folder")
    (tmp_path / "secret.json").write_text(json.dumps([message("secret", ts="1600080000.0")]))
    (tmp_path / "folder" / "general" / "2020-09-14.json").symlink_to(tmp_path / "secret.json")
    export = SlackExport(tmp_path / "folder")
    assert texts(export) == ["here"]
    assert export.problems == []


def test_a_grid_has_workspaces_and_what_they_share(tmp_path):
    shared = {"id": "C9", "name": "shared", "members": ["W1"]}
    files = {
        "org_users.json": [{"id": "W1", "profile": {"real_name": "Wo"}}],
        "channels.json": [shared],
        "shared/2020-09-13.json": [message("shared", user="W1")],
    }
    for number, team in enumerate(("north", "south")):
        channel = {"id": f"C{number}", "name": "general", "is_general": True}
        files |= {
            f"teams/{team}/channels.json": [channel, shared],
            f"teams/{team}/users.json": [{"id": "W1", "profile": {"real_name": "never"}}, {"id": f"U{number}"}],
            f"teams/{team}/general/2020-09-13.json": [message(team)],
        }
    files["teams/south/shared/2020-09-14.json"] = [message("later", ts="1600050000.000000")]
    export = opened(tmp_path, files)
    assert [(row["source_id"], row["team"]) for row in export.containers().to_pylist()] == [
        ("C9", None),
        ("C0", "north"),
        ("C1", "south"),
    ]
    assert [row["source_id"] for row in export.users().to_pylist()] == ["W1", "U0", "U1"]
    assert export.users()["display_name"][0].as_py() == "Wo"
    assert texts(export) == ["shared", "later", "north", "south"]
    assert export.problems == []


def test_messages_come_by_time_and_each_once(tmp_path):
    first, second, third = (message(text, ts=f"160000000{n}.000000") for n, text in enumerate("abc"))
    reply = message("reply", ts="1600000005.000000", thread_ts=first["ts"])
    broadcast = reply | {"subtype": "thread_broadcast", "root": first}
    export = opened(tmp_path, entries([]) | {"general/2020-09-13.json": [third, reply, first, second, broadcast]})
    found = rows(export)
    assert [row["html"] for row in found] == ["<p>a</p>", "<p>b</p>", "<p>c</p>", "<p>reply</p>"]
    assert found[3]["parent"] == first["ts"]
    assert "reply was also sent to the channel" in found[3]["notes"]
    assert rows(export) == found


def test_a_day_of_another_time_zone_and_a_message_in_the_wrong_file(tmp_path):
    """The workspace is 13 hours before UTC: what was written first stands in the later file."""
    files = entries([])
    files["general/2020-09-13.json"] = [message("one", ts="1599955200.000000"), message("three", ts="1599996800.000000")]
    files["general/2020-09-14.json"] = [message("two", ts="1599994800.000000")]
    files["general/2020-09-20.json"] = [message("lost", ts="1599000000.000000"), message("four", ts="1600560000.000000")]
    export = opened(tmp_path, files)
    assert texts(export) == ["one", "two", "three", "lost", "four"]
    assert [row["notes"] for row in rows(export)][3] == ["stood in the file of another day"]


def test_ts_in_every_form_and_in_none(tmp_path):
    items = [message("a", ts=1600000000), message("b", ts=1600000001.5), message("c", ts="1600000002")]
    bad = [
        message(ts=None),
        message(ts="yesterday"),
        message(ts="-5.0"),
        message(ts=True),
        [],
        None,
        "text",
        7,
    ]
    export = opened(tmp_path, entries([]) | {"general/2020-09-13.json": items + bad})
    assert [row["source_id"] for row in rows(export)] == ["1600000000.000000", "1600000001.500000", "1600000002.000000"]
    assert [problem.where for problem in export.problems] == [f"general/2020-09-13.json item {n}" for n in range(4, 12)]
    rows(export)
    assert len(export.problems) == 8


def test_files_beside_the_days_are_no_messages(tmp_path):
    extra = {
        "general/canvas_in_the_conversation.json": [{"id": "F1"}],
        "canvases.json": [],
        "integration_logs.json": [{"date": "1"}],
    }
    export = opened(tmp_path, entries([message("here")]) | extra)
    assert texts(export) == ["here"]
    assert export.problems == []


# What is broken in one place costs that place.

GOOD = [message(text, ts=f"160000000{n}.000000") for n, text in enumerate(("one", "two", "three"))]


def test_json_that_is_broken_in_one_day_is_named_by_its_line_and_the_rest_is_read(tmp_path):
    text = json.dumps(GOOD, indent=4).replace('"text": "two"', '"text": two')
    line = text[: text.index("two")].count("\n") + 1
    export = opened(tmp_path, entries([message("tomorrow", ts="1600080000.0")]) | {"general/2020-09-13.json": text})
    assert texts(export) == ["one", "three", "tomorrow"]
    rows(export)  # a second reading tells nothing twice
    assert [problem.where for problem in export.problems] == [f"general/2020-09-13.json line {line}"]


def test_json_that_is_cut_keeps_what_came_before(tmp_path):
    text = json.dumps(GOOD)
    cut = text[: text.index('"three"') + 3]
    export = opened(tmp_path, entries([message("tomorrow", ts="1600080000.0")]) | {"general/2020-09-13.json": cut})
    assert texts(export) == ["one", "two", "tomorrow"]
    assert [problem.where for problem in export.problems] == ["general/2020-09-13.json line 1"]


@pytest.mark.parametrize("text", ["", "{}", "null", "nonsense", '{"a": [1]}', b"\xff\xfe\x00", b"\x89PNG", "[" * 100_000])
def test_a_day_that_is_no_list_is_a_problem(tmp_path, text):
    export = opened(tmp_path, entries([message("tomorrow", ts="1600080000.0")]) | {"general/2020-09-13.json": text})
    assert texts(export) == ["tomorrow"]
    assert len(export.problems) == 1
    assert "general/2020-09-13.json" in export.problems[0].where


def test_text_in_other_forms_of_unicode(tmp_path):
    bom = b"\xef\xbb\xbf" + json.dumps([message("b\u00f8", ts="1600000000.0")], ensure_ascii=False).encode()
    half = json.dumps([message("x", ts="1600080000.0")]).replace('"x"', '"\\ud83d"')
    broken = json.dumps([message("y\u00f8", ts="1600170000.0")], ensure_ascii=False).encode("latin-1")
    days = {"general/2020-09-13.json": bom, "general/2020-09-14.json": half, "general/2020-09-15.json": broken}
    assert texts(opened(tmp_path, entries([]) | days)) == ["b\u00f8", "\ufffd", "y\ufffd"]


def test_a_file_larger_than_is_parsed_at_once(tmp_path):
    many = [message("x" * 4000, ts=f"{1600000000 + n}.000000") for n in range(4500)]
    text = json.dumps(many, indent=4).replace(f'"ts": "{1600002000}.000000"', '"ts": ')
    assert len(text) > 16 * 1024 * 1024
    export = opened(tmp_path, entries([]) | {"general/2020-09-13.json": text})
    assert len(rows(export)) == 4499
    assert [problem.where.partition(" line ")[0] for problem in export.problems] == ["general/2020-09-13.json"]
    line = text[: text.index('"ts": \n')].count("\n") + 1
    assert abs(int(export.problems[0].where.partition(" line ")[2]) - line) <= 1


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "it is not a zip"),
        (b"hello", "it is not a zip"),
        (b"PK\x03\x04" + b"x" * 100, "cut or damaged"),
    ],
)
def test_what_is_no_zip_is_refused(tmp_path, data, says):
    (tmp_path / "export.zip").write_bytes(data)
    with pytest.raises(SourceError, match=says) as refused:
        SlackExport(tmp_path / "export.zip")
    assert "export.zip" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_zip_that_is_cut_is_refused_wherever_it_is_cut(tmp_path):
    whole = write_zip(tmp_path / "export.zip", entries(GOOD)).read_bytes()
    for length in range(4, len(whole), 37):
        (tmp_path / "export.zip").write_bytes(whole[:length])
        with pytest.raises(SourceError, match="cut or damaged"):
            SlackExport(tmp_path / "export.zip")


def test_a_path_that_is_not_there_and_a_zip_of_something_else(tmp_path):
    with pytest.raises(SourceError, match="check the path"):
        SlackExport(tmp_path / "nowhere.zip")
    with pytest.raises(SourceError, match="no export of Slack"):
        opened(tmp_path, {"readme.txt": "hello"})
    with pytest.raises(SourceError, match="no export of Slack"):
        SlackExport(tmp_path)


def encrypted(data):
    """Sets the flag of encryption on every entry, which is what a reader sees first."""
    data = bytearray(data)
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(mark)
        while at >= 0:
            data[at + offset] |= 1
            at = data.find(mark, at + 4)
    return bytes(data)


def test_an_encrypted_zip_is_refused(tmp_path):
    path = write_zip(tmp_path / "export.zip", entries(GOOD))
    path.write_bytes(encrypted(path.read_bytes()))
    with pytest.raises(SourceError, match="encrypted; unpack it"):
        SlackExport(path)


def test_paths_that_climb_out_are_named_and_left_out(tmp_path):
    files = entries([message("here")])
    for name in (
        "../general/2020-09-14.json",
        "/etc/2020-09-14.json",
        "general/../../2020-09-14.json",
        "C:\\x\\2020-09-14.json",
    ):
        files[name] = [message("evil", ts="1600080000.0")]
    export = opened(tmp_path, files)
    assert texts(export) == ["here"]
    assert len(export.problems) == 4
    assert all("leads out of the zip" in problem.what for problem in export.problems)


def test_a_damaged_entry_costs_itself(tmp_path):
    files = entries([message("x" * 500, ts="1600000000.0"), message("tomorrow", ts="1600080000.0")])
    path = write_zip(tmp_path / "export.zip", files)
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo("general/2020-09-13.json")
    at = entry.header_offset + 30 + len(entry.filename) + 20
    data[at : at + 10] = b"\x00" * 10
    path.write_bytes(data)
    export = SlackExport(path)
    assert texts(export) == ["tomorrow"]
    assert [problem.where for problem in export.problems] == ["general/2020-09-13.json"]
    assert "damaged" in export.problems[0].what


def resized(data, name, size):
    """The central directory says another size for an entry."""
    data = bytearray(data)
    at = data.rfind(name.encode())
    struct.pack_into("<I", data, at - 46 + 24, size)
    return bytes(data)


def test_an_entry_that_unpacks_to_more_than_it_says_costs_itself(tmp_path):
    path = write_zip(
        tmp_path / "export.zip", entries([message("x" * 5000, ts="1600000000.0"), message("tomorrow", ts="1600080000.0")])
    )
    path.write_bytes(resized(path.read_bytes(), "general/2020-09-13.json", 100))
    export = SlackExport(path)
    assert texts(export) == ["tomorrow"]
    assert "unpacks to another size" in export.problems[0].what


def test_a_bomb_is_not_unpacked(tmp_path):
    path = tmp_path / "export.zip"
    write_zip(path, entries([message("here")]))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("general/2020-09-14.json", "w") as entry:
        for _ in range(80):
            entry.write(b" " * 1_000_000)
    export = SlackExport(path)
    assert texts(export) == ["here"]
    assert "as no chat does" in export.problems[0].what


def test_entries_on_top_of_each_other_are_refused(tmp_path):
    path = write_zip(tmp_path / "export.zip", entries(GOOD))
    data = bytearray(path.read_bytes())
    first, second = data.find(b"PK\x01\x02"), data.find(b"PK\x01\x02", data.find(b"PK\x01\x02") + 4)
    data[second + 42 : second + 46] = data[first + 42 : first + 46]
    path.write_bytes(data)
    with pytest.raises(SourceError, match="on top of each other"):
        SlackExport(path)


def test_an_entry_that_stands_twice_is_named(tmp_path):
    path = write_zip(tmp_path / "export.zip", entries([message("here")]))
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("general/2020-09-13.json", json.dumps([message("again")]))
    export = SlackExport(path)
    assert texts(export) == ["here"]
    assert "twice" in export.problems[0].what


@examples(60)
@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=6))
def test_bytes_that_were_changed_never_crash_a_reader(tmp_path_factory, changes):
    """Whatever a disk or a download did: the zip is refused, or what is broken in it is a problem."""
    path = tmp_path_factory.mktemp("export") / "export.zip"
    data = bytearray(write_zip(path, entries(GOOD)).read_bytes())
    names = zipfile.ZipFile(path).namelist()
    for at, value in changes:
        data[at % len(data)] = value
    path.write_bytes(data)
    try:
        export = SlackExport(path)
    except SourceError:
        return
    same_names = zipfile.ZipFile(path).namelist() == names
    assert len(texts(export)) == 3 or export.problems or not same_names


# Bytes of files.


class Files(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.seen.append((self.path, self.headers.get("Authorization")))
        if "redirect" in self.path:
            self.send_response(302)
            self.send_header("Location", self.path.replace("redirect", "elsewhere"))
            self.end_headers()
            return
        known = self.headers.get("Authorization") == "Bearer xoxb-token" or "t=xoxe" in self.path
        self.send_response(200)
        self.send_header("Content-Type", "image/png" if known else "text/html")
        self.end_headers()
        self.wfile.write(b"bytes" if known else b"<html>log in</html>")

    def log_message(self, *_):
        pass


@pytest.fixture
def slack():
    server = HTTPServer(("127.0.0.1", 0), Files)
    server.seen = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def with_image(tmp_path, url, token=None, hosts=("127.0.0.1",), **more):
    image = {"id": "F1", "name": "a.png", "mimetype": "image/png", "mode": "hosted", "url_private": url}
    export = opened(tmp_path, entries([message("", files=[image])]) | more, indent=None)
    export._content = Content(export._archive, token, hosts)
    return export, rows(export)[0]["images"][0]


def test_a_file_of_the_archive_needs_no_network(tmp_path):
    export, image = with_image(tmp_path, "https://files.slack.com/a.png", **{"__uploads/F1/a.png": b"bytes"})
    assert export.content(image["key"]) == b"bytes"


def test_a_file_is_fetched_with_the_token_or_with_that_of_the_export(tmp_path, slack):
    address = f"http://127.0.0.1:{slack.server_port}/a.png"
    export, image = with_image(tmp_path, address, "xoxb-token")
    assert export.content(image["key"]) == b"bytes"
    export, image = with_image(tmp_path, f"{address}?t=xoxe-1")
    assert export.content(image["key"]) == b"bytes"
    assert slack.seen == [("/a.png", "Bearer xoxb-token"), ("/a.png?t=xoxe-1", None)]
    assert "xoxe" not in str(image)
    assert "xoxb" not in repr(vars(export))


def test_without_a_token_there_is_no_key(tmp_path, slack):
    assert with_image(tmp_path, f"http://127.0.0.1:{slack.server_port}/a.png")[1]["key"] is None


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/a.png",
        "https://files.slack.com.evil.example/a.png",
        "https://evilslack.com/a.png",
        "http://files.slack.com/a.png",
        "http://127.0.0.1/a.png",
        "file:///etc/passwd",
        "https://[/a.png",
        "https://files.slack.com@evil.example/a.png",
    ],
)
def test_a_token_goes_to_slack_only(tmp_path, url):
    assert with_image(tmp_path, url, "xoxb-token", ("slack.com",))[1]["key"] is None


def test_a_login_page_and_a_redirect_are_no_file(tmp_path, slack):
    address = f"http://127.0.0.1:{slack.server_port}"
    for path, token, says in (("/a.png", "wrong", "login page"), ("/redirect.png", "xoxb-token", "answers 302")):
        export, image = with_image(tmp_path, f"{address}{path}", token)
        with pytest.raises(SourceError, match=says) as refused:
            export.content(image["key"])
        assert token not in str(refused.value)
    assert [path for path, _ in slack.seen] == ["/a.png", "/redirect.png"]


def test_the_token_can_come_from_the_environment(tmp_path, monkeypatch):
    path = write_zip(tmp_path / "export.zip", entries([message()]))
    with pytest.raises(SourceError, match="MY_TOKEN is not set"):
        SlackExport(path, token_env="MY_TOKEN")
    monkeypatch.setenv("MY_TOKEN", "xoxb-token")
    assert SlackExport(path, token_env="MY_TOKEN")._content._token == "xoxb-token"
    with pytest.raises(SourceError, match="both given"):
        SlackExport(path, token="xoxb-token", token_env="MY_TOKEN")


def test_keys_of_nothing_are_refused(tmp_path):
    export = opened(tmp_path, entries([message()]))
    for key in ("", "general/2020-09-13.json#F1", "nowhere.json#F1", "../../etc/passwd"):
        with pytest.raises(SourceError):
            export.content(key)


# Size.

COUNTED = """
import re, sys
from pathlib import Path
from lakeflow_teams.deliver.sources.slack import SlackExport
export = SlackExport(sys.argv[1])
count = sum(batch.num_rows for batch in export.messages())
peak = int(re.search(r"VmHWM:\\s+([0-9]+) kB", Path("/proc/self/status").read_text())[1])
print(count, len(export.problems), peak // 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak of a process is read from /proc")
def test_memory_does_not_grow_with_the_export(tmp_path):
    """What is held is two days of a channel: an export of four times the size needs no more, within what a batch varies."""
    peaks = []
    for megabytes in (15, 60):
        written = write_large(tmp_path / "large.zip", megabytes, channels=2)
        command = [sys.executable, "-c", COUNTED, str(tmp_path / "large.zip")]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT / "python", check=True)
        count, problems, peak = map(int, done.stdout.split())
        assert (count, problems) == (written, 0)
        peaks.append(peak)
    assert peaks[1] - peaks[0] < 30, peaks
