"""The way in: from what a target names to its location."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike, fspath
from pathlib import Path

from lakeflow_teams._extras import need
from lakeflow_teams.options.storage import complete
from lakeflow_teams.store import address
from lakeflow_teams.store.folder import Folder
from lakeflow_teams.store.location import Location

Target = str | PathLike[str] | Location


def locate(target: Target, options: Mapping[str, str] | None = None) -> Location:
    """Where ``target`` is: a folder's path, or the address of a store that is opened with these options of deltalake.

    What they lack comes from the environment. A location stays what it is. Raises :class:`ConfigurationError`.
    """
    if isinstance(target, Location):
        return target
    found = address.parse(fspath(target))
    if isinstance(found, str):
        return Folder(Path(found))
    need("obstore", "local", f"a target in a store ({found.url})")
    from lakeflow_teams.store.bucket import Bucket, Store

    return Bucket(Store(found, complete(options or {})), found.url, found.path)
