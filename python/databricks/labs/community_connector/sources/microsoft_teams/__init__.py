"""Microsoft Teams for Databricks' community framework: where the framework looks for a source.

``find_data_source("microsoft_teams")`` finds :class:`MicrosoftTeamsDataSource` here. Reading happens in
``lakeflow_teams``; without the framework this module offers the same two classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakeflow_teams.lakeflow import MicrosoftTeamsLakeflowConnect
from lakeflow_teams.operations import OPERATION, OPERATIONS
from lakeflow_teams.options import as_options
from lakeflow_teams.spark import MicrosoftTeamsDataSource as _Plain

if TYPE_CHECKING:
    LakeflowSource = _Plain
else:
    try:
        from databricks.labs.community_connector.sparkpds import LakeflowSource
    except ImportError:
        LakeflowSource = _Plain

__all__ = ["MicrosoftTeamsDataSource", "MicrosoftTeamsLakeflowConnect"]


class MicrosoftTeamsDataSource(LakeflowSource):
    """The framework's source, whose tables are read in Arrow batches and whose agent operations are answered by us.

    An operation that only the framework knows stays the framework's.
    """

    _lakeflow_connect_cls = MicrosoftTeamsLakeflowConnect

    def __init__(self, options: Any) -> None:
        if LakeflowSource is _Plain or hasattr(LakeflowSource, "_lakeflow_connect_cls"):
            super().__init__(options)
        else:  # older frameworks know no such attribute, and make their own abstract interface in its place
            self.options = options
            self.lakeflow_connect = MicrosoftTeamsLakeflowConnect(options)

    def schema(self) -> Any:
        """The schema of the table, or of the operation's answer."""
        return super().schema() if self._is_the_frameworks() else self._arrow().schema()

    def reader(self, schema: Any) -> Any:
        """Reads a whole table in Arrow batches."""
        return super().reader(schema) if self._is_the_frameworks() else self._arrow().reader(schema)

    def streamReader(self, schema: Any) -> Any:  # noqa: N802
        """Streams a table's changes in Arrow batches."""
        return super().streamReader(schema) if self._is_the_frameworks() else self._arrow().streamReader(schema)

    def _is_the_frameworks(self) -> bool:
        name = as_options(self.options).get(OPERATION, "").strip()
        return LakeflowSource is not _Plain and bool(name) and name not in OPERATIONS

    def _arrow(self) -> _Plain:
        return _Plain(self.options)
