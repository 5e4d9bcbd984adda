"""The local lakehouse: a pipeline spec in, Delta tables out, on one machine and without Spark.

In the order data flows: ``spec`` (what is asked for) -> ``plan`` (which reading fills which tables) -> ``runner`` (reads and
commits) -> ``sets`` (which stored items of messages are replaced) -> ``snapshot``, ``merge``, ``append``, ``scd2`` (a way of
writing each) -> ``destination`` (one Delta table) -> ``stamp`` (the offset, in the same commit as the rows) ->
``summary`` -> ``ingest_report`` (the same as a table). ``status`` looks at what is there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any

from lakeflow_teams._extras import need

if TYPE_CHECKING:
    from lakeflow_teams.local.summary import Progress, RunSummary


def ingest_local(
    pipeline: str | PathLike[str] | Mapping[str, Any],
    target: str | PathLike[str],
    connection: Mapping[str, Any] | None = None,
    *,
    credential: object | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    report: bool = True,
) -> RunSummary:
    """Runs a pipeline spec into Delta tables at ``<target>/<catalog>/<schema>/<table>``.

    ``pipeline`` is a YAML file or the same as a mapping. ``connection`` options win over those of the spec; what both lack
    comes from the environment. Every table that can be filled is filled; then the first error, if any, is raised.
    ``report`` writes a page about the run to ``<target>/_reports``. Needs the extra ``local``.
    """
    for module in ("deltalake", "jinja2", "pyarrow", "yaml"):
        need(module, "local", "the local lakehouse")
    from lakeflow_teams.local.runner import run
    from lakeflow_teams.local.spec import load

    summary = run(load(pipeline), target, connection, credential=credential, on_progress=on_progress, report=report)
    summary.raise_for_error()
    return summary
