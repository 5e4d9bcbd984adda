"""The local lakehouse for people who query: its tables for the views, and a DuckDB database with both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa
from deltalake import DeltaTable

from lakeflow_teams._extras import need
from lakeflow_teams.local.status import status
from lakeflow_teams.local.write.delta import arrow_schema, opened, read
from lakeflow_teams.results.lakehouse import TableStatus
from lakeflow_teams.spec.writing import Way
from lakeflow_teams.store.locate import Target, locate
from lakeflow_teams.views.script import script
from lakeflow_teams.views.tables import Relation, quoted

if TYPE_CHECKING:
    import duckdb
    import polars as pl


def _delta(found: TableStatus) -> str:
    return f"delta.{quoted((found.path,), '`')}"


#: How each dialect names a Delta table by its folder; Polars' SQL names none, and takes frames that are registered.
_REFERENCES: dict[str, Callable[[TableStatus], str]] = {
    "duckdb": lambda found: "delta_scan('{}')".format(found.path.replace("'", "''")),
    "spark": _delta,
    "databricks": _delta,
    "polars-sql": lambda found: quoted((found.table.rsplit(".", 1)[-1],), '"'),
}


def relations(target: Target, dialect: str) -> list[Relation]:
    """The tables of a lakehouse, by their folders. Raises :class:`ConfigurationError` where there are none."""
    name = _REFERENCES.get(dialect, _delta)
    return [_relation(found, table, name(found)) for found, table in _tables(target)]


def connect(target: Target, database: str = ":memory:") -> duckdb.DuckDBPyConnection:
    """A DuckDB database with every table of a lakehouse as it is now, and every view that they suffice for.

    ``database`` is the file to write it to; what it holds of an earlier call is replaced. Tables lie in the schemas that
    they have in the lakehouse, views in the main one. Needs the extra ``notebook``.
    """
    module = need("duckdb", "notebook", "a DuckDB database")
    connection = cast("duckdb.DuckDBPyConnection", module.connect(database))
    found = []
    for stored, table in _tables(target):
        schema, name = stored.table.split(".", 1)[1].rsplit(".", 1)
        reference = quoted((schema, name), '"')
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted((schema,), chr(34))}")
        rows = read(table)
        connection.register("_rows", rows)
        connection.execute(f"CREATE OR REPLACE TABLE {reference} AS SELECT * FROM _rows")
        connection.unregister("_rows")
        found.append(_relation(stored, table, reference))
    made = script("duckdb", found)
    for statement in made.statements.values():
        connection.execute(statement)
    return connection


def polars(target: Target) -> pl.SQLContext[Any]:
    """A context of Polars' SQL with every table and view of a lakehouse, as lazy frames under their names.

    Needs the extra ``notebook``.
    """
    module = need("polars", "notebook", "Polars' SQL")
    context: pl.SQLContext[Any] = module.SQLContext()
    found = []
    for stored, table in _tables(target):
        name = stored.table.rsplit(".", 1)[-1]
        context.register(name, module.DataFrame(read(table)).lazy())
        found.append(_relation(stored, table, quoted((name,), '"')))
    for name, statement in script("polars-sql", found).statements.items():
        context.register(name, context.execute(statement))
    return context


def _tables(target: Target) -> Iterator[tuple[TableStatus, DeltaTable]]:
    root = locate(target)
    for found in status(root).tables:
        table = opened(root.at(found.path)) if found.source_table else None
        if table is not None:
            yield found, table


def _relation(found: TableStatus, table: DeltaTable, reference: str) -> Relation:
    schema = arrow_schema(table)
    times = frozenset(field.name for field in schema if pa.types.is_timestamp(field.type))
    return Relation(str(found.source_table), reference, cast("Way", found.way), frozenset(schema.names), times)
