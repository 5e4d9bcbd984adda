"""A table's schema without a connection."""

from __future__ import annotations

from collections.abc import Mapping

from lakeflow_teams import _core

_NOBODY = {"tenant_id": "00000000-0000-0000-0000-000000000000", "client_id": "-", "client_secret": "-"}


def table_schema(table: str, options: Mapping[str, str]) -> _core.Schema:
    """The Arrow schema of ``table``. Sends no request, so no credential is needed."""
    return _core.Client(_NOBODY, strict=True).schema(table, options)
