"""`images: upload`: the bytes go into a drive, and the message links to them."""

from __future__ import annotations

import re

import pytest

from lakeflow_teams import ConfigurationError, GraphEmulator, import_messages
from support.history import START, TEAM, History, iso, ledger, people, plan, save

DRIVE = "b!library"
PNG = b"\x89PNG" + b"x" * 4_000_000  # more than a message takes


@pytest.fixture
def graph():
    with GraphEmulator(teams=1, users=8, chats=0, seed=5, drives=[DRIVE]) as emulator:
        yield emulator


@pytest.fixture
def source(graph, tmp_path):
    """One message with two images, one of which has no bytes."""
    history = History(people(graph), channels=1, messages=0)
    folder = history.write(tmp_path / "source")
    place = {"team_id": TEAM, "channel_id": history.channels[0]}
    shown = "".join(
        f'<img src="https://graph.microsoft.com/v1.0/x/hostedContents/{one}/$value">' for one in ("aW1n", "bm9u")
    )
    body = {"contentType": "html", "content": f"<p>see</p>{shown}"}
    user = {"user": {"id": people(graph)[0]["id"]}}
    save(folder, "messages", [{**place, "id": "1", "createdDateTime": iso(START), "from": user, "body": body}])
    hosted = {**place, "root_message_id": "1", "message_id": "1", "position": 0, "id": "aW1n", "contentBytes": PNG}
    save(folder, "hosted_contents", [hosted])
    return folder


def posted(graph):
    return next(row["body"]["content"] for row in graph.truth("messages") if row["body"]["content"].startswith("<p>see</p>"))


def test_the_bytes_are_in_the_drive_and_the_message_links_to_them(graph, source, tmp_path):
    path, target = plan(tmp_path, source, images="upload", drive=DRIVE), tmp_path / "lake"
    assert "image uploaded and linked" in import_messages(path, target, dict(graph.options), step="check").changed
    ran = import_messages(path, target, dict(graph.options))
    assert (ran.exit_code, ran.counts["posted"]) == (0, 1)
    ((drive, file, content),) = graph.files()
    assert (drive, content) == (DRIVE, PNG)
    assert re.fullmatch(r"Import [0-9a-f]{12}/[0-9a-f]{16}\.png", file)
    assert f'/{file.replace(" ", "%20")}">image</a>' in posted(graph)
    assert "<img" not in posted(graph)
    (row,) = ledger(target)
    assert row["notes"] == ["image uploaded and linked", "image could not be read from the source, linked"]
    assert import_messages(path, target, dict(graph.options), step="verify").differences == []


def test_an_answer_that_is_lost_uploads_nothing_twice(graph, source, tmp_path):
    graph.fault(path="PUT /drives/{id}/root:/{id}/{id}/content", kind="reset", after=True, times=1)
    ran = import_messages(plan(tmp_path, source, images="upload", drive=DRIVE), tmp_path / "lake", dict(graph.options))
    assert (ran.exit_code, len(graph.files())) == (0, 1)


def test_a_drive_that_is_not_there_costs_the_images_only(graph, source, tmp_path):
    ran = import_messages(plan(tmp_path, source, images="upload", drive="b!other"), tmp_path / "lake", dict(graph.options))
    assert (ran.exit_code, ran.counts["posted"]) == (0, 1)
    assert ran.changed["image could not be uploaded, linked"] == 1
    assert "[image: image]" in posted(graph)


def test_what_it_needs_is_said_before_anything_is_sent(graph, source, tmp_path):
    for more, said in (({}, "images: upload needs `drive`"), ({"drive": "https://x/y"}, "is no drive's id")):
        with pytest.raises(ConfigurationError, match=said):
            import_messages(plan(tmp_path, source, images="upload", **more), tmp_path / "lake", dict(graph.options))
    graph.set(revoke_permission="Files.ReadWrite.All")
    path = plan(tmp_path, source, images="upload", drive=DRIVE)
    checked = import_messages(path, tmp_path / "lake", dict(graph.options), step="check")
    assert any("Files.ReadWrite.All" in problem for problem in checked.problems)
