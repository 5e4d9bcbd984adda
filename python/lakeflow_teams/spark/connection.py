"""Connections of one Spark process: made when they are first needed, shared by all its tasks, never pickled."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from threading import Lock

from lakeflow_teams import _core
from lakeflow_teams.options.catalogue import names, secrets

_log = logging.getLogger(__name__)
_lock = Lock()
#: By process, because Spark forks its workers: what was inherited belongs to the parent and is left alone.
_clients: dict[tuple[int, str], _core.Client] = {}
_warned: set[str] = set()

#: The least that ``rate_share`` may be.
_LEAST_SHARE = 0.0001


def client(options: Mapping[str, str], readers: int = 1) -> _core.Client:
    """The process's connection for these options, with the share of the rate budget of one in ``readers`` tasks."""
    own = {name: options[name] for name in names("connection") if name in options}
    own.update(_share(own, readers))
    digest = hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()
    key = (os.getpid(), digest)
    with _lock:
        if key not in _clients:
            _clients[key] = _core.Client(own, strict=False)
        return _clients[key]


def warn(options: Mapping[str, str]) -> None:
    """Logs what is wrong with the options but does not stop a read: unknown names, secrets that Spark logs."""
    for warning in _core.Client(options, strict=False).warnings:
        _warn_once(warning)
    warn_of_secret(options)


def warn_of_secret(options: Mapping[str, str]) -> None:
    """Logs that a secret came in clear over Spark Connect. Planners can't always see the session, tasks can."""
    if is_plain_secret(options) and is_connect():
        _warn_once(plain_secret_warning(options))


def is_plain_secret(options: Mapping[str, str]) -> bool:
    """Whether a secret stands in the options that did not come from a Unity Catalog connection."""
    return bool(_plain_secrets(options)) and not any(name.startswith("databricks.") for name in options)


def plain_secret_warning(options: Mapping[str, str]) -> str:
    """What to do about a secret that Spark Connect logs."""
    found = ", ".join(_plain_secrets(options))
    return (
        f"{found} arrived as a plain option of a Spark Connect session, and Spark writes every such option to its event log "
        "and user interface; use client_secret_env or client_secret_file instead"
    )


def is_connect() -> bool:
    """Whether this process serves a Spark Connect session, as far as it can be seen from here."""
    if any(os.environ.get(name) for name in ("SPARK_CONNECT_MODE_ENABLED", "SPARK_REMOTE", "SPARK_LOCAL_REMOTE")):
        return True
    from pyspark import TaskContext

    context = TaskContext.get()
    tags = context.getLocalProperty("spark.job.tags") if context is not None else None
    return bool(tags and "SparkConnect" in tags)


def _warn_once(warning: str) -> None:
    if warning not in _warned:
        _warned.add(warning)
        _log.warning("%s", warning)


def _plain_secrets(options: Mapping[str, str]) -> list[str]:
    return [name for name in secrets() if options.get(name)]


def _share(options: Mapping[str, str], readers: int) -> dict[str, str]:
    """The part of Graph's limits that one of several processes plans with which read side by side."""
    if readers <= 1:
        return {}
    own = 1.0
    with suppress(KeyError, ValueError):  # not given, or refused by the core in its own words
        own = float(options["rate_share"])
    return {"rate_share": f"{max(own / readers, _LEAST_SHARE):g}"}
