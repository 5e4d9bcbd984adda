"""A folder of this machine, or one that is mounted on it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from uuid import uuid4

from deltalake import DeltaTable

from lakeflow_teams import _core
from lakeflow_teams.store.location import Location
from lakeflow_teams.store.staging import LOG, Staging, address, creation, publish

_LONGEST_NAME = 255
#: Devices on which deltalake can't commit as it does elsewhere, by giving a finished file its name with a hard link:
#: Databricks' volumes, blobfuse, s3fs, FAT.
_WITHOUT_LINKS: set[int] = set()


class Folder(Location):
    """A path. Where its characters are none that deltalake can address, links to its files stand in for it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __truediv__(self, name: str) -> Folder:
        return Folder(self.path / name)

    def __str__(self) -> str:
        return str(self.path)

    def __repr__(self) -> str:
        return f"Folder({str(self)!r})"

    @property
    def name(self) -> str:
        """See :class:`Location`, as for the other methods."""
        return self.path.name

    def at(self, text: str) -> Folder:  # noqa: D102
        return Folder(Path(text))

    def require_writable(self, subject: str) -> None:  # noqa: D102
        path = self.path
        if any(len(os.fsencode(part)) > _LONGEST_NAME or "\0" in part for part in path.parts):
            raise _core.ConfigurationError(f"{subject}: {path} cannot be written (a name too long, or with a null in it)")
        try:
            standing = next(folder for folder in (path / LOG, path, *path.parents) if os.path.lexists(folder))
            with TemporaryFile(dir=standing):
                pass
            if not _links(standing):
                _WITHOUT_LINKS.add(standing.stat().st_dev)
        except OSError as error:
            raise _core.ConfigurationError(f"{subject}: {path} cannot be written ({error.strerror})") from None

    def table(self) -> DeltaTable | None:  # noqa: D102
        if not (self.path / LOG).is_dir():
            return None
        root = address(self.path)
        if not DeltaTable.is_deltatable(root):
            return None
        plain = self.path.stat().st_dev in _WITHOUT_LINKS
        return DeltaTable(root, storage_options={"allow_unsafe_rename": "true"} if plain else None)

    def refresh(self, table: DeltaTable) -> None:  # noqa: D102
        address(self.path)
        table.update_incremental()

    @contextmanager
    def creation(self) -> Iterator[Staging]:  # noqa: D102
        with creation(self.path) as staging:
            yield staging

    def publish(self) -> None:  # noqa: D102
        publish(self.path)

    def tables(self) -> list[tuple[str, str, str]]:  # noqa: D102
        logs = sorted(self.path.glob(f"*/*/*/{LOG}"))
        return [(parts[0], parts[1], parts[2]) for parts in (log.relative_to(self.path).parts for log in logs)]

    def read(self) -> bytes | None:  # noqa: D102
        try:
            return self.path.read_bytes()
        except OSError:
            return None

    def write(self, content: bytes) -> None:  # noqa: D102
        draft = self._draft(content)
        os.replace(draft, self.path)  # noqa: PTH105

    def remove(self) -> None:  # noqa: D102
        self.path.unlink(missing_ok=True)

    def files(self) -> list[Folder]:  # noqa: D102
        if not self.path.is_dir():
            return []
        return [Folder(file) for file in sorted(self.path.iterdir()) if file.is_file()]

    def _draft(self, content: bytes) -> Path:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")
        draft.write_bytes(content)
        return draft


def _links(folder: Path) -> bool:
    """Whether files in the folder can have a second name."""
    one = folder / f".{uuid4().hex}"
    two = one.with_suffix(".part")
    try:
        one.touch()
        os.link(one, two)
    except OSError:
        return False
    finally:
        one.unlink(missing_ok=True)
        two.unlink(missing_ok=True)
    return True
