"""Threads as documents: what is in them, who may read them, which changed, and chunks."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakeflow_teams import ConfigurationError, ingest_local
from lakeflow_teams.local.documents import pieces, thread_documents
from support.views import EVENTS, check_documents, pipeline

TABLES = ("teams", "channels", "members", "channel_members", "shared_channel_members", "messages", "message_replies")


@pytest.fixture
def lake(graph, options, tmp_path):
    ingest_local(pipeline(*TABLES), tmp_path, options)
    return tmp_path


def test_a_document_is_its_thread_in_order(graph, lake):
    check_documents(graph, list(thread_documents(lake)))


def test_a_changed_thread_is_one_new_row(graph, options, lake):
    before = {row["thread_key"]: row for row in thread_documents(lake)}
    newest = max(row["updated_at"] for row in before.values())
    assert list(thread_documents(lake, changed_since=newest)) == []
    done = graph.mutate(**EVENTS)
    graph.advance(3600)
    ingest_local(pipeline(*TABLES), lake, options)
    after = {row["thread_key"]: row for row in thread_documents(lake)}
    changed = list(thread_documents(lake, changed_since=newest))
    texts = ({key: (row["updated_at"], row["markdown"]) for key, row in rows.items()} for rows in (before, after))
    old, new = texts
    assert {row["thread_key"] for row in changed} == {key for key, row in new.items() if row != old.get(key)}
    assert len(changed) == len({row["thread_key"] for row in changed}) > 0
    gone = {f"{one['channel_id']}/{one['id']}" for one in done["deletes"]}
    deleted = {row["thread_key"] for row in changed if row["is_deleted"]}
    assert gone <= deleted
    assert all(row["markdown"] is None and row["participants"] is None for row in changed if row["is_deleted"])


def test_nobody_is_known_to_read_what_has_no_members(graph, options, tmp_path):
    ingest_local(pipeline("messages", "message_replies"), tmp_path, options)
    rows = list(thread_documents(tmp_path))
    assert rows
    assert all(row["reader_ids"] == row["reader_group_ids"] == [] for row in rows)


def test_chunks_fit_and_hold_everything(lake):
    whole = {row["thread_key"]: row for row in thread_documents(lake)}
    chunks = {}
    for row in thread_documents(lake, chunk_characters=300):
        assert row["markdown"] is None or len(row["markdown"]) <= 300
        chunks.setdefault(row["thread_key"], []).append(row)
    assert any(len(group) > 2 for group in chunks.values())
    for key, group in chunks.items():
        assert [row["chunk"] for row in group] == list(range(len(group)))
        if whole[key]["markdown"] is None:
            continue
        assert {row["chunks"] for row in group} == {len(group)}
        title, _, text = whole[key]["markdown"].partition("\n\n")
        assert all(row["markdown"].startswith(f"{title}\n\n") for row in group)
        together = "".join(row["markdown"].removeprefix(f"{title}\n\n") for row in group)
        assert re.sub(r"\s", "", together) == re.sub(r"\s", "", text)


@given(st.text(alphabet="ab. \n*", max_size=200), st.integers(1, 40))
def test_pieces_fit_and_lose_nothing_but_blanks(text, size):
    found = list(pieces(text, size))
    assert all(len(piece) <= size for piece in found)
    assert re.sub(r"\s", "", "".join(found)) == re.sub(r"\s", "", text)


def test_too_small_a_chunk_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="chunk_characters 10: at least 200"):
        list(thread_documents(tmp_path, chunk_characters=10))
