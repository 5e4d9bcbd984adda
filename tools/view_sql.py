"""The SQL of the views in each dialect, made of their one definition in ``tools/view_definitions``.

``tools/view_sql.py FOLDER`` writes a file for each dialect; ``make reference`` does so where the package has them. What
transpiles is sqlglot, which the package itself does not need.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import sqlglot
from sqlglot import exp

from view_definitions.sources import SOURCES, TEXT, TIME

DEFINITIONS = Path(__file__).parent / "view_definitions"
#: Dialect to sqlglot's name for it. Polars' SQL is closest to DuckDB's.
DIALECTS = {"duckdb": "duckdb", "databricks": "databricks", "spark": "spark", "polars-sql": "duckdb"}

#: In the order in which they are made: a view comes after those that it reads.
VIEWS = (
    "v_posts",
    "v_threads",
    "v_reactions",
    "v_mentions",
    "v_files",
    "v_membership_history",
    "v_people",
    "v_activity_daily",
    "v_access",
    "v_thread_documents",
)
#: What a dialect has no words for.
BEYOND = {"polars-sql": {"v_thread_documents": "which joins texts in order, and Polars' SQL cannot"}}

_SPARK = {
    # Services write times of the year 1 or 1970 where there is none.
    "KNOWN_TIME": "CASE WHEN TRY_CAST({0} AS TIMESTAMP) >= TIMESTAMP '1970-01-02 00:00:00Z' "
    "THEN TRY_CAST({0} AS TIMESTAMP) END",
    # Whatever the session's time zone is.
    "UTC_DAY": "CAST(TO_UTC_TIMESTAMP({0}, CURRENT_TIMEZONE()) AS DATE)",
    "SECONDS_BETWEEN": "CAST(FLOOR((UNIX_MICROS({1}) - UNIX_MICROS({0})) / 1000000) AS BIGINT)",
    "UTC_MINUTE": "DATE_FORMAT(TO_UTC_TIMESTAMP({0}, CURRENT_TIMEZONE()), 'yyyy-MM-dd HH:mm')",
    "JOINED": "ARRAY_JOIN(TRANSFORM(ARRAY_SORT(COLLECT_LIST(STRUCT({1} AS a, {2} AS b, {0} AS c))), x -> x.c), "
    "REPEAT(CHR(10), 2))",
    "SORTED_SET": "ARRAY_SORT(COLLECT_SET({0}))",
    "NO_TEXTS": "CAST(ARRAY() AS ARRAY<STRING>)",
    "PARAGRAPH": "REPEAT(CHR(10), 2)",
}
_DUCKDB = {
    "KNOWN_TIME": "CASE WHEN TRY_CAST({0} AS TIMESTAMPTZ) >= TIMESTAMPTZ '1970-01-02 00:00:00+00' "
    "THEN TRY_CAST({0} AS TIMESTAMPTZ) END",
    "UTC_DAY": "CAST({0} AT TIME ZONE 'UTC' AS DATE)",
    "SECONDS_BETWEEN": "(EPOCH_US({1}) - EPOCH_US({0})) // 1000000",
    "UTC_MINUTE": "STRFTIME({0} AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M')",
    "JOINED": "STRING_AGG({0}, REPEAT(CHR(10), 2) ORDER BY {1}, {2})",
    "SORTED_SET": "LIST_SORT(LIST(DISTINCT {0}) FILTER (WHERE NOT {0} IS NULL))",
    "NO_TEXTS": "CAST([] AS VARCHAR[])",
    "PARAGRAPH": "REPEAT(CHR(10), 2)",
}
_POLARS = {**_DUCKDB, "SECONDS_BETWEEN": "CAST(FLOOR((CAST({1} AS BIGINT) - CAST({0} AS BIGINT)) / 1000000.0) AS BIGINT)"}
#: What no library knows of the dialects: functions of the definitions.
FUNCTIONS = {"duckdb": _DUCKDB, "databricks": _SPARK, "spark": _SPARK, "polars-sql": _POLARS}


def render(dialect: str) -> dict[str, Any]:
    """Everything that the package needs of one dialect."""
    return {
        "sources": {
            table: {name: _column(dialect, *column) for name, column in columns.items()}
            for table, columns in SOURCES.items()
        },
        "views": {name: _view(dialect, name) for name in VIEWS if name not in BEYOND.get(dialect, {})},
        "beyond": BEYOND.get(dialect, {}),
    }


def _column(dialect: str, choices: str | tuple[str, ...], kind: str) -> dict[str, Any]:
    texts = (choices,) if isinstance(choices, str) else choices
    return {
        "choices": [_choice(dialect, text, kind) for text in texts],
        "missing": _sql(dialect, sqlglot.parse_one(f"CAST(NULL AS {kind})", read="duckdb")),
    }


def _choice(dialect: str, text: str, kind: str) -> dict[str, Any]:
    expression = sqlglot.parse_one(text, read="duckdb")
    # The first part of a path is the column, whatever sqlglot takes it for.
    needs = dict.fromkeys(column.parts[0].name for column in expression.find_all(exp.Column))
    choice: dict[str, Any] = {"needs": list(needs), "sql": _sql(dialect, expression)}
    if kind == TIME:
        choice["from_text"] = _sql(dialect, sqlglot.parse_one(f"KNOWN_TIME({text})", read="duckdb"))
    return choice


def _view(dialect: str, name: str) -> dict[str, Any]:
    text = (DEFINITIONS / f"{name}.sql").read_text(encoding="utf-8")
    about, needs, *more = re.findall(r"^-- (.*)$", text, re.MULTILINE)
    optional = {name for line in more for name in line.removeprefix("optional: ").split(", ")}
    text = text.replace("{posts}", (DEFINITIONS / "_posts.sql").read_text(encoding="utf-8"))
    expression = sqlglot.parse_one(text, read="duckdb")
    for node in expression.walk():
        node.pop_comments()
    tables = dict.fromkeys(table.name for table in expression.find_all(exp.Table))
    columns = [column.alias_or_name for column in expression.selects]
    with_ = expression.args.pop("with_", None) or expression.args.pop("with", None)
    ctes = [] if with_ is None else with_.expressions
    return {
        "about": about,
        "needs": _needs(needs.removeprefix("needs: ")),
        "tables": [table.removeprefix("src_") for table in tables if table.startswith("src_")],
        "views": [table for table in tables if table in VIEWS and table not in optional],
        "optional_views": {name: _nothing(dialect, name) for name in sorted(optional)},
        "columns": columns,
        "ctes": [_sql(dialect, cte, pretty=True) for cte in ctes],
        "select": _sql(dialect, expression, pretty=True),
    }


def _nothing(dialect: str, view: str) -> str:
    """A query with a view's columns and no row."""
    text = (DEFINITIONS / f"{view}.sql").read_text(encoding="utf-8")
    names = [column.alias_or_name for column in sqlglot.parse_one(text, read="duckdb").selects]
    nulls = ", ".join(f"CAST(NULL AS {TIME if name.endswith('_from') else TEXT}) AS {name}" for name in names)
    return _sql(dialect, sqlglot.parse_one(f"SELECT {nulls} WHERE 1 = 0", read="duckdb"))


def _needs(text: str) -> list[list[str]]:
    """Ways to have enough: the view is left out where the pipeline has no whole one of them."""
    return [re.split(r" and ", way.strip()) for way in re.split(r",? or ", text)]


def _sql(dialect: str, expression: exp.Expression, *, pretty: bool = False) -> str:
    changed = expression.copy().transform(lambda node: _function(dialect, node))
    return changed.sql(dialect=DIALECTS[dialect], pretty=pretty, max_text_width=120)


def _function(dialect: str, node: exp.Expression) -> exp.Expression:
    if not isinstance(node, exp.Anonymous) or node.name.upper() not in FUNCTIONS[dialect]:
        return node
    arguments = [_sql(dialect, argument) for argument in node.expressions]
    text = FUNCTIONS[dialect][node.name.upper()].format(*arguments)
    return sqlglot.parse_one(text, read=DIALECTS[dialect])


def write(folder: Path) -> None:
    """Writes every dialect."""
    folder.mkdir(parents=True, exist_ok=True)
    for dialect in DIALECTS:
        text = json.dumps(render(dialect), indent=1, ensure_ascii=False)
        (folder / f"{dialect}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
