"""The tables that views read: where each is, which columns it has, and which of them are timestamps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakeflow_teams import _core
from lakeflow_teams.spec.writing import Way, keeps_history, way_of

if TYPE_CHECKING:
    from lakeflow_teams.spec.pipeline import PipelineSpec

#: From when and until when a version of a row held, in tables that keep history.
START, END = "__START_AT", "__END_AT"


@dataclass(frozen=True)
class Relation:
    """One table: its source table, how SQL names it, how it was written, and its columns.

    ``timestamps`` are the columns that are known to be timestamps; of others that hold times the views cast the text.
    """

    source: str
    reference: str
    way: Way | None
    columns: frozenset[str]
    timestamps: frozenset[str] = frozenset()


def of_pipeline(spec: PipelineSpec, quote: str, *, parts: int = 3) -> list[Relation]:
    """The destinations of a pipeline; ``quote`` is the sign that names are put between, of which there are ``parts``."""
    infos = {info["name"]: info for info in _core.tables()}
    found = []
    for table in spec.tables:
        way = way_of(infos[table.source_table]["ingestion_type"], table.scd_type)
        fields = _core.schema(table.source_table, table.options).to_dict()["fields"]
        own = (START, END) if way is not None and keeps_history(way) else ()
        found.append(
            Relation(
                table.source_table,
                quoted((table.catalog, table.schema, table.table)[-parts:], quote),
                way,
                frozenset([*(field["name"] for field in fields), *own]),
                frozenset(field["name"] for field in fields if field["type"] == "timestamp"),
            )
        )
    return found


def quoted(parts: Iterable[str], quote: str) -> str:
    """A name of several parts, each between quotes."""
    return ".".join(f"{quote}{part.replace(quote, 2 * quote)}{quote}" for part in parts)


def chosen(relations: Iterable[Relation]) -> dict[str, Relation]:
    """The relation that stands for each source of the views. Tables that keep every version side by side stand for none."""
    found: dict[str, Relation] = {}
    for relation in relations:
        if relation.way == "append":
            continue
        has_history = END in relation.columns
        if has_history:
            found.setdefault(f"{relation.source}_history", relation)
        if not has_history or relation.source not in found:
            found[relation.source] = relation
    return found
