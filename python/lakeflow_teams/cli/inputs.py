"""Options given as ``-o key=value``, and connections from a file and the environment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lakeflow_teams import _core
from lakeflow_teams._extras import need
from lakeflow_teams.options.environment import connection_from_environment, require_credential

if TYPE_CHECKING:
    from lakeflow_teams.spec.pipeline import PipelineSpec


def pairs(given: Sequence[str]) -> dict[str, str]:
    """``key=value`` texts as a mapping with lower-case keys. Raises :class:`ConfigurationError`."""
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise _core.ConfigurationError(f"option {text!r}: write it as key=value")
        name = name.strip().lower()
        if name in found:
            raise _core.ConfigurationError(f"option {name}: it is given twice; give it once, several values by comma")
        found[name] = value
    return found


def split(given: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Connection options and table options. A secret is refused: command lines are seen by others and remembered."""
    catalogue = {option["name"]: option for option in _core.options()}
    connection: dict[str, str] = {}
    table: dict[str, str] = {}
    for name, value in pairs(given).items():
        option = catalogue.get(name)
        if option is not None and option["secret"]:
            raise _core.ConfigurationError(
                f"option {name}: it is a secret and does not belong on a command line; set LAKEFLOW_TEAMS_{name.upper()} "
                "or use --connection with a file"
            )
        (connection if option is not None and option["door"] == "connection" else table)[name] = value
    return connection, table


def client(given: dict[str, str], file: Path | None) -> _core.Client:
    """A client from ``-o``, then the connection file, then the environment."""
    options = connection_from_environment({**(_file(file) if file else {}), **given})
    require_credential(options)
    return _core.Client(options, strict=True)


def pipeline_client(
    pipeline: Path | None, given: dict[str, str], file: Path | None
) -> tuple[PipelineSpec | None, _core.Client, dict[str, str]]:
    """A pipeline, a client as its ingest would make it, and the connection options that the client is made of."""
    spec = None
    options = {**(_file(file) if file else {}), **given}
    if pipeline is not None:
        spec = load_pipeline(pipeline)
        options = {**spec.connection, **options}
    connection = connection_from_environment(options)
    require_credential(connection)
    return spec, _core.Client(connection, strict=True), connection


def load_pipeline(path: Path) -> PipelineSpec:
    """A pipeline spec. Raises :class:`ConfigurationError`."""
    need("yaml", "local", "a pipeline file")
    from lakeflow_teams.spec.pipeline import load

    return load(path)


def _file(path: Path) -> dict[str, str]:
    need("yaml", "local", "a connection file")
    from lakeflow_teams.spec.pipeline import load_connection

    return load_connection(path)
