"""The reader of each format."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from lakeflow_teams.deliver.sources.model import Source, SourceError

#: Format to the reader's module and class.
READERS = {
    "lakehouse": ("lakehouse", "Lakehouse"),
    "mattermost": ("mattermost", "MattermostExport"),
    "slack": ("slack", "SlackExport"),
    "tables": ("tables", "Tables"),
}


def open_source(kind: str, path: Path, options: Mapping[str, Any]) -> Source:
    """The reader of a source. Raises :class:`SourceError` for what is not in its format."""
    if not path.exists():
        raise SourceError(f"source {path}: there is no such file or folder; check the path, which is relative to the plan")
    if kind not in READERS:
        raise SourceError(f"source {path}: there is no reader of the format {kind!r}; known are {', '.join(READERS)}")
    module, name = READERS[kind]
    reader = getattr(import_module(f"lakeflow_teams.deliver.sources.{module}"), name)
    try:
        found: Source = reader(path, **options)
    except TypeError as error:
        raise SourceError(f"source {path}: {error}; see the options of the format {kind}") from None
    return found
