"""Declares a spec inside of a pipeline: Databricks, or Spark Declarative Pipelines."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from lakeflow_teams import _core
from lakeflow_teams.pipelines.engine import Engine
from lakeflow_teams.pipelines.replay import current
from lakeflow_teams.pipelines.targets import Target
from lakeflow_teams.spec.writing import is_snapshot

_log = logging.getLogger(__name__)


def declare(engine: Engine, targets: Iterable[Target]) -> None:
    """Declares the destinations and the flows that fill them."""
    if engine.has_delta and not engine.databricks and engine.default_format != "delta":
        _log.warning(
            "tables of this pipeline are written as %s, its session's default format; for Delta start it with "
            "spark.sql.sources.default=delta",
            engine.default_format,
        )
    for target in targets:
        _declare(engine, target)


def _declare(engine: Engine, target: Target) -> None:
    if is_snapshot(target.way):
        _snapshot(engine, target)
    elif target.way == "append":
        _append(engine, target)
    elif engine.databricks and (target.history or not target.sets):
        _auto_cdc(engine, target)
    else:
        _log_and_view(engine, target)


def _auto_cdc(engine: Engine, target: Target) -> None:
    """Rows and deletes are one source, so that one flow orders them."""
    from pyspark.sql.functions import col, expr

    source = _view(engine, f"{target.source}_changes_to_{target.label}", lambda: engine.changes(target))
    _streaming_table(engine, target.name, target)
    settings: dict[str, Any] = {"sequence_by": col(str(target.sequence_by)), "stored_as_scd_type": _scd(target)}
    if target.deletes:
        settings |= {"apply_as_deletes": expr("_deleted"), "except_column_list": ["_deleted"]}
    if target.sets:  # a row that says "none any more" ends the version before, and is none itself
        settings["apply_as_deletes"] = expr("set_size = 0")
    if target.track_history:
        settings["track_history_column_list"] = list(target.track_history)
    flow = getattr(engine.pipelines, "create_auto_cdc_flow", None) or getattr(engine.pipelines, "apply_changes")  # noqa: B009
    flow(target=target.name, source=source, keys=list(target.keys), **settings)


def _snapshot(engine: Engine, target: Target) -> None:
    pipelines: Any = engine.pipelines
    names = ("create_auto_cdc_from_snapshot_flow", "apply_changes_from_snapshot")
    flow = next((getattr(pipelines, name) for name in names if hasattr(pipelines, name)), None)
    if flow is not None:
        source = _view(engine, f"{target.source}_snapshot_to_{target.label}", lambda: engine.read(target))
        _streaming_table(engine, target.name, target)
        flow(target=target.name, source=source, keys=list(target.keys), stored_as_scd_type=_scd(target))
        return
    if target.history:
        raise _core.ConfigurationError(
            f"destination {target.name}: the history of a snapshot needs AUTO CDC from snapshots, which this Spark does not "
            "have; use SCD_TYPE_1 here, or SCD_TYPE_2 with ingest_local or on Databricks"
        )

    @pipelines.materialized_view(name=target.name, **_layout(engine, target))  # type: ignore[untyped-decorator]
    def whole() -> Any:
        return engine.read(target)


def _append(engine: Engine, target: Target) -> None:
    _streaming_table(engine, target.name, target)
    _flow(engine, target.name, f"{target.label}_append", lambda: engine.stream(target))


def _log_and_view(engine: Engine, target: Target) -> None:
    """Changes are appended to a log, and the destination is what the log amounts to.

    Items of messages are told this way everywhere: AUTO CDC merges by key, and would keep what a newer version lacks.
    Open-source Spark has AUTO CDC from 4.2 on, but refuses Delta's tables: it merges through an interface for row-level
    operations that they do not implement.
    """
    pipelines: Any = engine.pipelines
    log = target.beside("log")
    pipelines.create_streaming_table(name=log)
    _flow(engine, log, f"{target.label}_log", lambda: engine.changes(target))

    view = getattr(pipelines, "materialized_view", None) or pipelines.table  # the older module's name for it

    @view(name=target.name, **_layout(engine, target))  # type: ignore[untyped-decorator]
    def replayed() -> Any:
        return engine.spark.sql(current(target, log))


def _view(engine: Engine, name: str, frame: Any) -> str:
    pipelines: Any = engine.pipelines
    view = getattr(pipelines, "temporary_view", None) or pipelines.view

    @view(name=name)  # type: ignore[untyped-decorator]
    def source() -> Any:
        return frame()

    return name


def _flow(engine: Engine, table: str, name: str, frame: Any) -> None:
    pipelines: Any = engine.pipelines

    @pipelines.append_flow(target=table, name=name)  # type: ignore[untyped-decorator]
    def flow() -> Any:
        return frame()


def _streaming_table(engine: Engine, name: str, target: Target) -> None:
    pipelines: Any = engine.pipelines
    pipelines.create_streaming_table(name=name, **_layout(engine, target))


def _layout(engine: Engine, target: Target) -> dict[str, Any]:
    """How a table is laid out. Its format is never named.

    On Databricks it is Delta, and Unity Catalog shows what the table holds; comments of columns come with the rows' schema.
    An open-source pipeline repeats what it declares as changes of the table that the run before made, and Delta refuses to
    change a format, even to the same.
    """
    if engine.databricks:
        clustering = {"cluster_by": list(target.cluster_by)} if target.cluster_by else {}
        return {"comment": _comment(target), **clustering}
    if not target.cluster_by:
        return {}
    _log.warning("cluster_by of %s is left out: open-source pipelines can't cluster Delta's tables", target.name)
    return {}


def _comment(target: Target) -> str:
    about = next(info["description"] for info in _core.tables() if info["name"] == target.source)
    more = "__START_AT" if target.history else target.sequence_by if target.way == "append" else None
    return f"{about} Key: {', '.join((*target.keys, more) if more and more not in target.keys else target.keys)}."


def _scd(target: Target) -> str:
    return "2" if target.history else "1"
