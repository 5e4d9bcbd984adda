"""``ingest(spark, pipeline_spec)``: the one call of an ``ingest.py``."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from lakeflow_teams._extras import need
from lakeflow_teams.options import as_options
from lakeflow_teams.pipelines import declare, streaming
from lakeflow_teams.pipelines.engine import Engine
from lakeflow_teams.pipelines.targets import Spec, parse


def ingest(
    spark: Any,
    pipeline_spec: Mapping[str, Any] | str | PathLike[str],
    *,
    connection: Mapping[str, Any] | None = None,
    location: str | None = None,
    connection_name: str | None = None,
    destinations: Mapping[str, str] | None = None,
) -> None:
    """Reads the tables of a pipeline spec, a mapping or a YAML file, into their destinations.

    On Databricks, in a pipeline's ``ingest.py``, it declares streaming tables with AUTO CDC; ``connection_name`` names a
    Unity Catalog connection, which brings the credentials. In an open-source declarative pipeline changes go to a log table
    ``<destination>__log``, and the destination is a view of it. In a plain session it runs at once, with Structured
    Streaming, until everything that there is has been read.

    Outside of Databricks ``connection`` (or the spec's own ``connection``) holds the connection's options. Give a secret by
    reference there, with ``client_secret_env`` or ``client_secret_file``: Spark Connect logs plain options.
    ``location`` is the folder for checkpoints and logs of a plain session, by default in Spark's warehouse.

    ``connection_name`` and ``destinations`` stand in for what the spec says, so that one file serves several environments:
    ``{"main.teams": "dev.my_teams"}`` puts what the spec puts into ``main.teams`` elsewhere. With ``destinations`` every
    place of the spec must be among them, because a forgotten one would write into the other environment.

    Raises :class:`ConfigurationError` for a spec that is wrong, before anything is read.
    """
    at = destinations or {}
    spec = parse(pipeline_spec, at) if isinstance(pipeline_spec, Mapping) else _load(Path(pipeline_spec), at)
    engine = Engine.of(spark, connection_name or spec.connection_name, {**spec.connection, **as_options(connection or {})})
    if engine.pipelines is not None:
        declare.declare(engine, spec.targets)
        return
    for target in spec.targets:
        streaming.run(engine, target, location)


def _load(path: Path, destinations: Mapping[str, str]) -> Spec:
    need("yaml", "local", f"the pipeline file {path.name}")
    from lakeflow_teams.spec.reading import read_yaml, within

    document = read_yaml(path, "pipeline")
    with within(f"pipeline file {path}"):
        return parse(document, destinations)
