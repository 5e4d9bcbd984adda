"""The files of a Databricks bundle for a pipeline spec, by name."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from lakeflow_teams import _core
from lakeflow_teams._templates import render
from lakeflow_teams.options import allow_list
from lakeflow_teams.spec.pipeline import PipelineSpec, TableSpec
from lakeflow_teams.spec.reading import read_yaml

#: Keys of the spec that say how to get somewhere else than Databricks; they never leave this machine.
OWN_KEYS = ("connection", "storage_options")
#: The type of the connection: the community framework's tool makes the second one for managed ingestion.
CONNECTION_TYPE, MANAGED_CONNECTION_TYPE = "GENERIC_LAKEFLOW_CONNECT", "COMMUNITY"
#: What a pipeline of managed ingestion installs from the volume, beside our own wheel.
FRAMEWORK_WHEEL = "lakeflow_community_connectors-0.1.0-py3-none-any.whl"


@dataclass(frozen=True)
class Place:
    """A catalog and schema that the spec writes to, and the bundle's variables that stand for them."""

    catalog: str
    schema: str
    catalog_variable: str
    schema_variable: str
    #: Whether it is the first place of its catalog, which declares the variable.
    owns_catalog: bool

    @property
    def key(self) -> str:
        """``catalog.schema``, as the spec has it."""
        return f"{self.catalog}.{self.schema}"

    @property
    def catalog_reference(self) -> str:
        """The catalog as the bundle's files write it."""
        return f"${{var.{self.catalog_variable}}}"

    @property
    def schema_reference(self) -> str:
        """The schema as the bundle's files write it."""
        return f"${{var.{self.schema_variable}}}"


@dataclass(frozen=True)
class Bundle:
    """What a bundle is made of. ``source`` is a checkout to build the wheel from, ``volume`` that of managed ingestion."""

    spec: PipelineSpec
    pipeline: Path
    name: str
    source: str | None = None
    volume: str | None = None

    def files(self) -> dict[str, str]:
        """Text by path inside of the bundle's folder."""
        places = _places(self.spec.tables)
        managed = self.volume is not None
        connection = {
            "connection": self.spec.connection_name,
            "connection_type": MANAGED_CONNECTION_TYPE if managed else CONNECTION_TYPE,
            "allow_list": allow_list(),
        }
        values = {
            **connection,
            "name": self.name,
            "pipeline": self.pipeline.name,
            "places": list(places.values()),
            "managed": managed,
            "volume": self.volume,
            "source": self.source,
            "wheel": self._built(),
            "destinations": json.dumps({p.key: f"{p.catalog_reference}.{p.schema_reference}" for p in places.values()}),
            "tables": [_managed(table, places[table.catalog, table.schema]) for table in self.spec.tables],
            "dependencies": self._dependencies(),
        }
        names = ["databricks.yml", "resources/pipeline.yml", "resources/job.yml", "connection.sql", "connection.sh"]
        if not managed:
            names.append("src/ingest.py")
        files = {name: render(f"databricks/{name}", **values) for name in names}
        if managed:
            return {**files, "pipeline.json": json.dumps(self.request(), indent=2, ensure_ascii=False) + "\n"}
        return {**files, "src/pipeline.yaml": self._source_of_truth()}

    def request(self) -> dict[str, Any]:
        """The pipeline of managed ingestion as a request to ``/api/2.0/pipelines``, into the spec's own places."""
        first = self.spec.tables[0]
        return {
            "name": self.name,
            "catalog": first.catalog,
            "schema": first.schema,
            "serverless": True,
            "channel": "PREVIEW",
            "configuration": {"pipelines.managedIngestion.registerPythonDataSource": "true"},
            "ingestion_definition": {
                "source_type": "COMMUNITY",
                "connection_name": self.spec.connection_name,
                "objects": [{"table": _table_object(table)} for table in self.spec.tables],
            },
            "environment": {"dependencies": [f"{self.volume}/{wheel}" for wheel in _wheels()]},
        }

    def _dependencies(self) -> list[str]:
        if self.volume is not None:
            return [f"${{var.wheels}}/{wheel}" for wheel in _wheels()]
        wheel = f"../{self._built()}" if self.source else f"lakeflow-teams=={_core.__version__}"
        return [wheel, "pyyaml>=6"]

    def _built(self) -> str:
        return str(PurePosixPath(self.source or "") / "dist" / "*.whl")

    def _source_of_truth(self) -> str:
        """The pipeline file as it is, comments and all; without what is only for this machine."""
        if not (self.spec.connection or self.spec.storage_options):
            return self.pipeline.read_text(encoding="utf-8")
        import yaml

        document: Mapping[str, Any] = read_yaml(self.pipeline, "pipeline")
        kept = {key: value for key, value in document.items() if key not in OWN_KEYS}
        return str(yaml.safe_dump(json.loads(json.dumps(kept, default=str)), sort_keys=False, allow_unicode=True))


def bundle_name(table: TableSpec) -> str:
    """A name that tells pipelines of one workspace apart: by where they write."""
    return re.sub(r"[^a-z0-9]+", "-", f"lakeflow-teams-{table.catalog}-{table.schema}".lower()).strip("-")


def _places(tables: tuple[TableSpec, ...]) -> dict[tuple[str, str], Place]:
    """The first place has the plain variables ``catalog`` and ``schema``; others are told apart by their names."""
    catalogs: dict[str, str] = {}
    places: dict[tuple[str, str], Place] = {}
    for table in tables:
        key = (table.catalog, table.schema)
        if key in places:
            continue
        is_new = table.catalog not in catalogs
        if is_new:
            catalogs[table.catalog] = _variable("catalog", table.catalog, set(catalogs.values()))
        taken = {place.schema_variable for place in places.values()}
        places[key] = Place(*key, catalogs[table.catalog], _variable("schema", table.schema, taken), is_new)
    return places


def _variable(kind: str, name: str, taken: set[str]) -> str:
    if not taken:
        return kind
    variable = f"{kind}_{re.sub(r'[^a-z0-9]+', '_', name.lower()).strip('_')}"
    numbers = (f"{variable}_{number}" for number in range(2, len(taken) + 3))
    return variable if variable not in taken else next(each for each in numbers if each not in taken)


def _wheels() -> tuple[str, str]:
    version = _core.__version__
    return FRAMEWORK_WHEEL, f"lakeflow_teams-{version}-cp310-abi3-manylinux_2_28_x86_64.whl"


def _configuration(table: TableSpec) -> dict[str, Any]:
    """How a table is written, in the fields of managed ingestion."""
    found = {
        "scd_type": table.scd_type,
        "primary_keys": list(table.primary_keys or ()),
        "sequence_by": [table.sequence_by] if table.sequence_by else [],
    }
    return {key: value for key, value in found.items() if value}


def _managed(table: TableSpec, place: Place) -> dict[str, Any]:
    names = {"source": table.source_table, "name": table.table, "place": place}
    return {**names, "configuration": _configuration(table), "options": dict(table.options)}


def _table_object(table: TableSpec) -> dict[str, Any]:
    found = {
        "source_schema": "default",
        "source_table": table.source_table,
        "destination_catalog": table.catalog,
        "destination_schema": table.schema,
        "destination_table": table.table,
        "table_configuration": _configuration(table),
        "connector_options": {"community_connector_options": {"options": dict(table.options)}} if table.options else None,
    }
    return {key: value for key, value in found.items() if value}
