"""The local lakehouse: a pipeline spec in, Delta tables out, on one machine and without Spark.

In the order data flows: ``plan`` (which reading fills which tables) -> ``runner`` (runs each reading) -> ``incremental``
(commits its micro-batches) -> ``reconcile`` (rows that Graph no longer has) -> ``write/`` (Delta tables) ->
``ingest_report`` (the run as a table). ``timestamps`` decides what times are stored as, ``names`` knows what ids are called.
``maintain`` keeps files in shape, ``status`` looks at what is there, ``analysis`` and ``documents`` make views and documents
of it. Where all of it lies is a location (``lakeflow_teams.store``), what is asked for a spec (``lakeflow_teams.spec``), and
what is given back a summary (``lakeflow_teams.results``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any

from lakeflow_teams._extras import need

if TYPE_CHECKING:
    from lakeflow_teams.results.summary import Progress, RunSummary
    from lakeflow_teams.store.locate import Target


def ingest_local(
    pipeline: str | PathLike[str] | Mapping[str, Any],
    target: Target,
    connection: Mapping[str, Any] | None = None,
    *,
    credential: object | None = None,
    storage_options: Mapping[str, Any] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    report: bool = True,
) -> RunSummary:
    """Runs a pipeline spec into Delta tables at ``<target>/<catalog>/<schema>/<table>``.

    ``pipeline`` is a YAML file or the same as a mapping. ``target`` is a folder, or the address of a store as deltalake
    takes it. ``connection`` and ``storage_options`` win over those of the spec; what both lack comes from the environment.
    Every table that can be filled is filled; then the first error, if any, is raised.
    ``report`` writes a page about the run to ``<target>/_reports``. Needs the extra ``local``.
    """
    for module in ("deltalake", "jinja2", "pyarrow", "yaml"):
        need(module, "local", "the local lakehouse")
    from lakeflow_teams.local.runner import run
    from lakeflow_teams.spec.pipeline import load

    summary = run(
        load(pipeline),
        target,
        connection,
        credential=credential,
        storage_options=storage_options,
        on_progress=on_progress,
        report=report,
    )
    summary.raise_for_error()
    return summary
