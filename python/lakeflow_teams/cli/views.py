"""``lakeflow-teams views``: SQL views over the tables of a pipeline or of a local lakehouse."""

from __future__ import annotations

from pathlib import Path

import click

from lakeflow_teams import _core
from lakeflow_teams._extras import need
from lakeflow_teams.cli.inputs import load_pipeline
from lakeflow_teams.results import listing
from lakeflow_teams.store.locate import locate
from lakeflow_teams.views.script import DIALECTS, Script, script
from lakeflow_teams.views.tables import of_pipeline, quoted


@click.command()
@click.argument("pipeline", required=False, type=click.Path(path_type=Path))
@click.option("--dialect", default="duckdb", show_default=True, help=f"One of {', '.join(DIALECTS)}.")
@click.option("--target", type=click.Path(), help="Folder of a lakehouse, or its address in a store.")
@click.option("--duckdb", "database", type=click.Path(path_type=Path), help="Write a DuckDB file with tables and views.")
@click.option("--output", type=click.Path(path_type=Path), help="Write the script to a file.")
def views(pipeline: Path | None, dialect: str, target: str | None, database: Path | None, output: Path | None) -> None:
    """Print SQL that creates views: posts, threads, reactions, mentions, files, people, memberships, activity, access.

    The tables are those that PIPELINE (a YAML spec) fills, or with --target those of a local lakehouse, for which the script
    is written to TARGET/_views/DIALECT.sql. Views whose tables are missing are left out, and the script says which.
    """
    if (pipeline is None) == (target is None):
        raise _core.ConfigurationError("views: name a pipeline file, or a local lakehouse with --target")
    if database is not None:
        _database(target, database)
        return
    made = _of_pipeline(pipeline, dialect) if pipeline is not None else _of_lakehouse(str(target), dialect)
    if output is not None:
        output.write_text(made.text(), encoding="utf-8")
        click.echo(f"{output}: {len(made.statements)} views")
    elif target is not None:
        place = locate(target) / "_views" / f"{dialect}.sql"
        place.write(made.text().encode())
        click.echo(f"{place}: {len(made.statements)} views")
    else:
        click.echo(made.text(), nl=False)
        return
    _tell(made)


def _of_pipeline(pipeline: Path, dialect: str) -> Script:
    spec = load_pipeline(pipeline)
    if dialect == "polars-sql":  # which knows names of one part only
        return script(dialect, of_pipeline(spec, '"', parts=1))
    quote = DIALECTS.get(dialect, '"')
    first = spec.tables[0]
    return script(dialect, of_pipeline(spec, quote), place=quoted((first.catalog, first.schema), quote) + ".")


def _of_lakehouse(target: str, dialect: str) -> Script:
    for module in ("deltalake", "pyarrow"):
        need(module, "local", "views --target")
    from lakeflow_teams.local.analysis import relations

    return script(dialect, relations(target, dialect))


def _database(target: str | None, database: Path) -> None:
    if target is None:
        raise _core.ConfigurationError("--duckdb: it is made of a local lakehouse; name one with --target")
    for module in ("deltalake", "pyarrow"):
        need(module, "local", "views --duckdb")
    from lakeflow_teams.local.analysis import connect

    connect(target, str(database)).close()
    click.echo(f"{database}: the tables as they are now, and their views; run this again after the next ingest")


def _tell(made: Script) -> None:
    for name, why in made.left_out.items():
        click.echo(listing.wrapped(f"left out: {name}, {why}"), err=True)
