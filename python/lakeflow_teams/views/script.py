"""Statements that create the views, in one dialect, over the tables that there are."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from lakeflow_teams import _core
from lakeflow_teams._suggest import did_you_mean
from lakeflow_teams.views.tables import END, Relation, chosen

#: Dialect to the sign that quotes its names.
DIALECTS = {"duckdb": '"', "databricks": "`", "spark": "`", "polars-sql": '"'}

_HISTORY = "_history"


@dataclass
class Script:
    """``statements`` create the views in their order; ``left_out`` says of the others what they lack."""

    dialect: str
    statements: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """The whole as a SQL script."""
        lacking = [f"-- left out: {name}, {why}" for name, why in self.left_out.items()]
        head = [
            f"-- Views over the tables of Microsoft Teams, for {self.dialect}. Made by `lakeflow-teams views`.",
            *lacking,
        ]
        return "\n\n".join(["\n".join(head), *(f"{statement};" for statement in self.statements.values())]) + "\n"


def script(dialect: str, relations: Iterable[Relation], *, place: str = "") -> Script:
    """The views that the tables suffice for. ``place`` is what stands before a view's name, such as ``catalog.schema.``.

    Raises :class:`ConfigurationError` for a dialect that there is not.
    """
    if dialect not in DIALECTS:
        hint = did_you_mean(dialect, DIALECTS, otherwise=f"; there are {', '.join(DIALECTS)}")
        raise _core.ConfigurationError(f"dialect {dialect!r} is not known{hint}")
    made, writer = _made(dialect), _Writer(dialect, chosen(relations), place)
    result = Script(dialect)
    result.left_out.update(made["beyond"])
    for name, view in made["views"].items():
        why = _lack(view, writer.found, result)
        if why:
            result.left_out[name] = why
        else:
            missing = {name: query for name, query in view["optional_views"].items() if name in result.left_out}
            result.statements[name] = writer.statement(name, view, missing)
    return result


def columns() -> dict[str, list[str]]:
    """The columns of each view."""
    return {name: view["columns"] for name, view in _made("duckdb")["views"].items()}


def about() -> dict[str, str]:
    """What each view holds, in a sentence."""
    return {name: view["about"] for name, view in _made("duckdb")["views"].items()}


@cache
def _made(dialect: str) -> dict[str, Any]:
    text = files("lakeflow_teams.views").joinpath("sql", f"{dialect}.json").read_text(encoding="utf-8")
    made: dict[str, Any] = json.loads(text)
    return made


def _lack(view: Mapping[str, Any], found: Mapping[str, Relation], result: Script) -> str | None:
    missing = [name for name in view["views"] if name in result.left_out]
    if missing:
        return f"which reads {', '.join(missing)}"
    if any(all(table in found for table in way) for way in view["needs"]):
        return None
    ways = (" and ".join(map(_named, way)) for way in view["needs"])
    return f"which needs the {'table' if len(view['needs'][0]) == 1 else 'tables'} {', or '.join(ways)}"


def _named(source: str) -> str:
    if source.endswith(_HISTORY):
        return f"{source.removesuffix(_HISTORY)} with scd_type SCD_TYPE_2"
    return source


@dataclass(frozen=True)
class _Writer:
    """Writes statements in one dialect over the tables that were found."""

    dialect: str
    found: Mapping[str, Relation]
    place: str

    def statement(self, name: str, view: Mapping[str, Any], missing: Mapping[str, str]) -> str:
        """``missing`` are views that it can do without, and the queries that stand in for them."""

        def named(match: re.Match[str]) -> str:
            return f"({missing[match[1]]})" if match[1] in missing else self.place + match[1]

        ctes = [f"src_{table} AS (\n{self._source(table)}\n)" for table in view["tables"]]
        query = (f"WITH {', '.join([*ctes, *view['ctes']])}\n" if ctes or view["ctes"] else "") + view["select"]
        return _HEADS[self.dialect](self.place + name, view["about"]) + re.sub(r"\b(v_[a-z_]+)\b", named, query)

    def _source(self, table: str) -> str:
        relation, columns = self.found.get(table), _made(self.dialect)["sources"][table]
        parts = ",\n".join(f"  {_expression(column, relation)} AS {name}" for name, column in columns.items())
        if relation is None:
            return f"  SELECT\n{parts}\n  WHERE 1 = 0"
        quote = DIALECTS[self.dialect]
        is_current = END in relation.columns and not table.endswith(_HISTORY)
        only = f"\n  WHERE {quote}{END}{quote} IS NULL" if is_current else ""
        return f"  SELECT\n{parts}\n  FROM {relation.reference}{only}"


def _expression(column: Mapping[str, Any], relation: Relation | None) -> str:
    for choice in column["choices"] if relation else ():
        if relation is not None and all(name in relation.columns for name in choice["needs"]):
            is_text = not all(name in relation.timestamps for name in choice["needs"])
            text: str = choice["from_text"] if is_text and "from_text" in choice else choice["sql"]
            return text
    missing: str = column["missing"]
    return missing


def _spark_head(name: str, about: str) -> str:
    quoted = about.replace("\\", "\\\\").replace("'", "\\'")
    return f"CREATE OR REPLACE VIEW {name} COMMENT '{quoted}' AS\n"


#: How a statement begins. Polars has no views: its queries are named by the line above them.
_HEADS: dict[str, Callable[[str, str], str]] = {
    "duckdb": lambda name, about: f"-- {about}\nCREATE OR REPLACE VIEW {name} AS\n",
    "databricks": _spark_head,
    "spark": _spark_head,
    "polars-sql": lambda name, about: f"-- {name}: {about}\n",
}
