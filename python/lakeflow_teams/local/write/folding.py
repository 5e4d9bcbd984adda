"""A key that ``primary_keys`` names in place of the table's own must tell the same rows apart."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from lakeflow_teams import _core
from lakeflow_teams.local.write.destination import Destination


def refuse(destination: Destination, identity: Sequence[str], rows: pa.Table) -> None:
    """Raises :class:`ConfigurationError` where rows of different keys would become one, stored ones included.

    The table's own keys do this by themselves; only where ``primary_keys`` lacks one of them the stored keys are read.
    """
    lost = [name for name in destination.shape.own if name not in identity]
    if not lost or rows.num_rows == 0:
        return
    together = [*identity, *lost]
    found = _distinct(rows, together)
    table = destination.open()
    if table is not None:
        stored = destination.stored(table).find(_distinct(rows, identity), identity, together)
        found = _distinct(pa.concat_tables([found, stored.select(together)]), together)
    folded = found.num_rows - _distinct(found, identity).num_rows
    if folded:
        named = ", ".join(destination.shape.keys)
        raise _core.ConfigurationError(
            f"destination {destination.name}: primary_keys {named} are the same in {folded} rows "
            f"that differ in {', '.join(lost)}; add a column, or leave primary_keys out"
        )


def _distinct(rows: pa.Table, columns: Sequence[str]) -> pa.Table:
    return rows.select(list(columns)).group_by(list(columns)).aggregate([])
