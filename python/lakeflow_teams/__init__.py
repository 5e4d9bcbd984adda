"""Microsoft Teams in the lakehouse.

Four ways in, all on one native core:

- :class:`TeamsClient` reads a table into anything that takes Arrow (pyarrow, polars, pandas, duckdb);
- :class:`MicrosoftTeamsLakeflowConnect` is the connector interface of Databricks Lakeflow;
- :class:`MicrosoftTeamsDataSource` and :class:`TeamsDataSource` are Spark data sources, and :func:`ingest` runs a pipeline
  spec with them, on Databricks or open-source Spark;
- :func:`ingest_local` runs the same spec into local Delta tables.

And ways back: :func:`import_messages` brings message history into Teams, :func:`broadcast` sends a card to many people,
:func:`pairup` brings people together.

:class:`GraphEmulator` is a Microsoft Graph tenant on loopback, to try all of it without an account.
Importing this package loads nothing else; each name is loaded when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lakeflow_teams._core import (
        AuthenticationError,
        ConfigurationError,
        GraphEmulator,
        LakeflowTeamsError,
        NotFoundError,
        PermissionDeniedError,
        ProtocolError,
        ServiceError,
        ThrottledError,
        __version__,
    )
    from lakeflow_teams.client import TeamsClient
    from lakeflow_teams.deliver.broadcast.entry import broadcast, export_deliveries
    from lakeflow_teams.deliver.broadcast.summary import BroadcastSummary
    from lakeflow_teams.deliver.entry import import_messages
    from lakeflow_teams.deliver.pairup.entry import pairup
    from lakeflow_teams.deliver.pairup.pauses import pause_pairup, resume_pairup
    from lakeflow_teams.deliver.pairup.summary import PairUpSummary
    from lakeflow_teams.deliver.summary import ImportSummary
    from lakeflow_teams.lakeflow import MicrosoftTeamsLakeflowConnect
    from lakeflow_teams.local import ingest_local
    from lakeflow_teams.pipelines import ingest
    from lakeflow_teams.results.check import CheckResult
    from lakeflow_teams.results.report import Report
    from lakeflow_teams.spark import MicrosoftTeamsDataSource, TeamsDataSource

__all__ = [
    "AuthenticationError",
    "BroadcastSummary",
    "CheckResult",
    "ConfigurationError",
    "GraphEmulator",
    "ImportSummary",
    "LakeflowTeamsError",
    "MicrosoftTeamsDataSource",
    "MicrosoftTeamsLakeflowConnect",
    "NotFoundError",
    "PairUpSummary",
    "PermissionDeniedError",
    "ProtocolError",
    "Report",
    "ServiceError",
    "TeamsClient",
    "TeamsDataSource",
    "ThrottledError",
    "__version__",
    "broadcast",
    "export_deliveries",
    "import_messages",
    "ingest",
    "ingest_local",
    "pairup",
    "pause_pairup",
    "resume_pairup",
]

_ELSEWHERE = {
    "BroadcastSummary": "deliver.broadcast.summary",
    "CheckResult": "results.check",
    "ImportSummary": "deliver.summary",
    "MicrosoftTeamsDataSource": "spark",
    "MicrosoftTeamsLakeflowConnect": "lakeflow",
    "PairUpSummary": "deliver.pairup.summary",
    "Report": "results.report",
    "TeamsClient": "client",
    "TeamsDataSource": "spark",
    "broadcast": "deliver.broadcast.entry",
    "export_deliveries": "deliver.broadcast.entry",
    "import_messages": "deliver.entry",
    "ingest": "pipelines",
    "ingest_local": "local",
    "pairup": "deliver.pairup.entry",
    "pause_pairup": "deliver.pairup.pauses",
    "resume_pairup": "deliver.pairup.pauses",
}


_NAMES = tuple(__all__)
#: What cannot be imported without the extra ``spark``.
_SPARK = ("MicrosoftTeamsDataSource", "TeamsDataSource", "ingest")

if not TYPE_CHECKING:
    del __all__  # `import *` asks for it below, and is given what is installed


def __getattr__(name: str) -> Any:
    if name == "__all__":
        from importlib.util import find_spec

        return [each for each in _NAMES if each not in _SPARK or find_spec("pyspark")]
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_ELSEWHERE.get(name, '_core')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(_NAMES)
