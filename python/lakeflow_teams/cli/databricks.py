"""``lakeflow-teams databricks``: a bundle that runs a pipeline spec on Databricks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lakeflow_teams import _core
from lakeflow_teams._extras import need
from lakeflow_teams.cli.output import print_json
from lakeflow_teams.options import allow_list
from lakeflow_teams.results import listing
from lakeflow_teams.spec.document import LOCAL

if TYPE_CHECKING:
    from lakeflow_teams.spec.pipeline import PipelineSpec

_RELATIVE = "the bundle's folder"


@click.command()
@click.argument("pipeline", type=click.Path(path_type=Path))
@click.option("--to", "folder", default="databricks", show_default=True, type=click.Path(path_type=Path, file_okay=False))
@click.option("--name", metavar="NAME", help="Name of bundle, pipeline and job; by default of the catalog and the schema.")
@click.option("--managed", is_flag=True, help="Managed ingestion by the community framework, instead of a source file.")
@click.option("--volume", metavar="PATH", help="With --managed: /Volumes/CATALOG/SCHEMA/VOLUME with the wheels.")
@click.option("--source", metavar="DIR", help=f"Build the wheel from this checkout, as seen from {_RELATIVE}.")
@click.option("--force", is_flag=True, help="Replace files that exist.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def databricks(
    pipeline: Path,
    folder: Path,
    name: str | None,
    managed: bool,
    volume: str | None,
    source: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Write a Databricks bundle that runs PIPELINE (a YAML spec).

    `databricks bundle deploy` takes it from there, to dev or to prod. Credentials stay in the Unity Catalog connection that
    connection_name names. The bundle installs this version of lakeflow-teams, or with --source the wheel of a checkout.
    """
    need("yaml", "local", "reading the pipeline")
    from lakeflow_teams.cli.bundle import Bundle, bundle_name
    from lakeflow_teams.spec.pipeline import load

    spec = load(pipeline)
    first = spec.tables[0]
    _check(folder, source, volume, managed=managed)
    place = (volume or f"/Volumes/{first.catalog}/{first.schema}/wheels").rstrip("/") if managed else None
    bundle = Bundle(spec, pipeline, name or bundle_name(first), source, place)
    files = {folder / part: text for part, text in bundle.files().items()}
    standing = [str(file) for file in files if file.exists()]
    if standing and not force:
        raise _core.ConfigurationError(f"--to: {', '.join(standing)} would be replaced; name another folder, or say --force")
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")
    if as_json:
        needs = {"connection": spec.connection_name, "externalOptionsAllowList": allow_list()}
        print_json({"name": bundle.name, "files": [str(file) for file in files], **needs})
        return
    _tell(spec, folder, list(files), volume=place)


def _check(folder: Path, source: str | None, volume: str | None, *, managed: bool) -> None:
    checkout = Path(os.path.normpath(folder / (source or "")))  # the folder need not be there yet
    if source is not None and not (checkout / "pyproject.toml").is_file():
        raise _core.ConfigurationError(
            f"--source: {source} is no checkout of this project as seen from {folder}: {checkout} has no pyproject.toml"
        )
    if managed and source is not None:
        raise _core.ConfigurationError("--source: managed ingestion installs wheels from a volume; leave --source out")
    if volume is not None and not managed:
        raise _core.ConfigurationError("--volume: only managed ingestion takes its wheels from a volume; add --managed")
    if volume is not None and not (volume.startswith("/Volumes/") and len(volume.strip("/").split("/")) >= 4):
        raise _core.ConfigurationError(f"--volume: {volume!r} is no volume's path; it looks like /Volumes/main/teams/wheels")


def _tell(spec: PipelineSpec, folder: Path, files: list[Path], *, volume: str | None) -> None:
    for file in files:
        click.echo(str(file))
    click.echo()
    screen = listing.console()
    for note in left_out(spec):
        listing.note(screen, f"note: {note}")
    steps = [f"Make the connection {spec.connection_name}: connection.sql in a SQL editor, or connection.sh."]
    if volume is None:
        steps += [
            "src/pipeline.yaml says what is read, from now on: the pipeline reads that file each time it runs.",
            f"cd {folder} && databricks bundle deploy && databricks bundle run teams",
        ]
    else:
        steps += [
            f"Copy the two wheels that pipeline.json names to {volume}.",
            f"cd {folder} && databricks api post /api/2.0/pipelines --json @pipeline.json",
            "databricks.yml is the same as a bundle, for a CLI whose `bundle validate` warns of no unknown field.",
        ]
    for number, step in enumerate(steps, 1):
        listing.note(screen, f"{number}. {step}")
    listing.note(screen, "What is not in the connection's externalOptionsAllowList never reaches the connector.")


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
            notes.append(f"{key} has no effect there, because only the local lakehouse has it: {', '.join(names)}")
    return notes
