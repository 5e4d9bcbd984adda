"""What one read asks for, out of the map of options that Spark hands over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lakeflow_teams import _core
from lakeflow_teams.options import as_options, whole_number

#: Names of the community framework.
TABLE_NAME = "tablename"
IS_DELETE_FLOW = "isdeleteflow"

#: Tasks of a read where no option says otherwise. A reader can't ask Spark how many it can run.
PARTITIONS = 16


@dataclass(frozen=True)
class ReadOptions:
    """A read's options: text only, small, and silent about secrets."""

    table: str
    values: dict[str, str] = field(repr=False)
    deletes: bool = False
    num_partitions: int = PARTITIONS
    tasks_at_once: int | None = None

    @classmethod
    def parse(cls, given: Mapping[str, str]) -> ReadOptions:
        """Reads Spark's map: names in any case, connection, table and framework options together."""
        options = as_options(given)
        table = options.get(TABLE_NAME, "").strip()
        if not table:
            tables = ", ".join(info["name"] for info in _core.tables())
            raise _core.ConfigurationError(f"option tableName is missing; it is one of {tables}")
        return cls(
            table=table,
            values=options,
            deletes=options.get(IS_DELETE_FLOW, "").strip().lower() == "true",
            num_partitions=whole_number(options, "num_partitions") or PARTITIONS,
            tasks_at_once=whole_number(options, "tasks_at_once"),
        )

    def info(self) -> _core.TableInfo | None:
        """The table's declaration; ``None`` for a name that the core does not know, which it refuses in its own words."""
        return next((info for info in _core.tables() if info["name"] == self.table), None)
