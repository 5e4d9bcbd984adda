"""The way of writing that follows from the kind of table and ``scd_type``, and the names that mistakes are told with."""

from __future__ import annotations

import pytest

from lakeflow_teams import _core
from lakeflow_teams._suggest import did_you_mean
from lakeflow_teams.spec.writing import SCD_TYPES, is_snapshot, keeps_history, needs_sequence, way_of

WAYS = {
    "snapshot": ("snapshot", "snapshot", "snapshot_scd2", None),
    "cdc": ("merge", "merge", "scd2", "append"),
    "cdc_with_deletes": ("merge", "merge", "scd2", "append"),
    "append": ("append", "merge", "scd2", "append"),
}


@pytest.mark.parametrize("ingestion_type", WAYS)
def test_each_kind_of_table_has_its_ways(ingestion_type):
    assert tuple(way_of(ingestion_type, scd_type) for scd_type in (None, *SCD_TYPES)) == WAYS[ingestion_type]


def test_the_kinds_are_those_of_the_tables():
    assert {info["ingestion_type"] for info in _core.tables()} <= set(WAYS)


def test_what_is_asked_of_a_way():
    ways = sorted({way for row in WAYS.values() for way in row if way})
    assert ways == ["append", "merge", "scd2", "snapshot", "snapshot_scd2"]
    assert [is_snapshot(way) for way in ways] == [False, False, False, True, True]
    assert [keeps_history(way) for way in ways] == [False, False, True, False, True]
    assert [needs_sequence(way) for way in ways] == [False, True, True, False, False]


@pytest.mark.parametrize(
    ("word", "end"),
    [
        ("mesages", "; did you mean messages?"),
        ("DISPLAYNAME", "; did you mean displayName?"),
        ("xyz", "; known are displayName, messages"),
    ],
)
def test_the_nearest_name_is_offered_whatever_its_case(word, end):
    known = ("displayName", "messages")
    assert did_you_mean(word, known, otherwise="; known are displayName, messages") == end


def test_a_name_is_offered_as_it_is_written_there():
    assert did_you_mean("tenantid", ["tenant_id"], show=str.upper) == "; did you mean TENANT_ID?"
    assert did_you_mean("xyz", ["tenant_id"]) == ""
