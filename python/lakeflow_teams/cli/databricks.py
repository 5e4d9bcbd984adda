"""``lakeflow-teams databricks``: an asset bundle that runs a pipeline spec on Databricks."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import click

from lakeflow_teams import _core
from lakeflow_teams._extras import need
from lakeflow_teams._templates import render
from lakeflow_teams.cli.output import print_json
from lakeflow_teams.options import allow_list
from lakeflow_teams.spec.document import LOCAL

if TYPE_CHECKING:
    from lakeflow_teams.spec.pipeline import PipelineSpec, TableSpec


@click.command()
@click.argument("pipeline", type=click.Path(path_type=Path))
@click.option("--to", "folder", default="databricks", show_default=True, type=click.Path(path_type=Path, file_okay=False))
@click.option("--source", metavar="DIR", help="Build the wheel from this checkout, as seen from the bundle's folder.")
@click.option("--force", is_flag=True, help="Replace files that exist.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def databricks(pipeline: Path, folder: Path, source: str | None, force: bool, as_json: bool) -> None:
    """Write a Databricks Asset Bundle that runs PIPELINE (a YAML spec).

    `databricks bundle deploy` takes it from there. Credentials stay in the Unity Catalog connection that the spec's
    connection_name names. The bundle installs this version of lakeflow-teams, or with --source the wheel of a checkout.
    """
    need("yaml", "local", "reading the pipeline")
    from lakeflow_teams.spec.pipeline import load

    spec = load(pipeline)
    if source is not None and not (folder / source / "pyproject.toml").is_file():
        raise _core.ConfigurationError(
            f"--source: {source} is no checkout of this project as seen from {folder}: "
            f"{folder / source} has no pyproject.toml"
        )
    files = {folder / name: text for name, text in bundle(spec, source).items()}
    standing = [str(file) for file in files if file.exists()]
    if standing and not force:
        raise _core.ConfigurationError(f"--to: {', '.join(standing)} would be replaced; name another folder, or say --force")
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        file.write_text(text, encoding="utf-8")
    if as_json:
        needs = {"connection": spec.connection_name, "externalOptionsAllowList": allow_list()}
        print_json({"files": [str(file) for file in files], **needs})
        return
    click.echo(f"{' and '.join(str(file) for file in files)} written.\n")
    click.echo(f"The Unity Catalog connection {spec.connection_name} needs tenant_id, client_id, client_secret, and as")
    click.echo(f"externalOptionsAllowList, because what is not in it never reaches the connector:\n\n{allow_list()}\n")
    for note in left_out(spec):
        click.echo(f"note: {note}")
    click.echo(f"Then: cd {folder} && databricks bundle deploy && databricks bundle run teams")


def bundle(spec: PipelineSpec, source: str | None) -> dict[str, str]:
    """The bundle's files by name."""
    catalog, schema = spec.tables[0].catalog, spec.tables[0].schema
    wheel = str(PurePosixPath(source) / "dist" / "*.whl") if source else f"lakeflow-teams=={_core.__version__}"
    shared = {"catalog": catalog, "schema": schema, "connection": spec.connection_name}
    return {
        "databricks.yml": render("databricks.yml", **shared, source=source, wheel=wheel),
        "ingest.py": render("ingest.py", **shared, tables=[_table(table) for table in spec.tables]),
    }


def left_out(spec: PipelineSpec) -> list[str]:
    """What the spec holds and the bundle does not."""
    notes = []
    if spec.connection:
        notes.append("the spec's connection options are left out: on Databricks they belong in the Unity Catalog connection")
    if spec.storage_options:
        notes.append("storage_options are left out: on Databricks the tables lie in Unity Catalog")
    for key in LOCAL:
        names = [table.name for table in spec.tables if getattr(table, key) is not None]
        if names:
            notes.append(f"{key} is left out, because only the local lakehouse has it: {', '.join(names)}")
    return notes


def _table(table: TableSpec) -> dict[str, Any]:
    configuration = dict(table.options)
    if table.scd_type:
        configuration["scd_type"] = table.scd_type
    if table.primary_keys:
        configuration["primary_keys"] = ",".join(table.primary_keys)
    if table.sequence_by:
        configuration["sequence_by"] = table.sequence_by
    names = {"source": table.source_table, "name": table.table, "catalog": table.catalog, "schema": table.schema}
    return {**names, "configuration": configuration}
