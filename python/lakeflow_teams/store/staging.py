"""A folder of links to a table's files, from which deltalake writes what is then put into the table's own folder.

It is needed twice. deltalake has no way to create a table only where none is: a second writer's first commit becomes an
append. And it cannot address every folder: a path with ``[``, ``#`` or ``%20`` ends in a panic or in another folder.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from lakeflow_teams import _core
from lakeflow_teams.store.location import CommitExistsError

LOG = "_delta_log"

_COMMIT = re.compile(r"\d{20}\.json")
_SEPARATOR = "" if os.sep == "\\" else r"\\"
#: What deltalake 1.6 fails on: it makes a URL of the path, decodes it once more, and takes it for the name of a host. Where
#: a path has ``#`` or ``?``, a table's history is empty.
_UNADDRESSABLE = re.compile(rf"[\x00-\x1f\x7f#?\[\]^|\ud800-\udfff{_SEPARATOR}]|%[0-9A-Fa-f]{{2}}")

_kept: dict[str, Staging] = {}


class Staging:
    """Links to the files of ``path`` in a folder of its own, inside ``parent`` or among temporary files."""

    def __init__(self, path: Path, parent: Path | None = None) -> None:
        self._path = path
        self._folder = TemporaryDirectory(prefix=".staging-", dir=parent)
        self.root = os.path.realpath(self._folder.name)

    def close(self) -> None:
        """Removes the folder, and with it what was not put into the table."""
        self._folder.cleanup()

    def pull(self) -> None:
        """Links what the table has by now, and drops the links to what it has no more."""
        for folder, _, files in os.walk(self._path):
            here = Path(self.root) / Path(folder).relative_to(self._path)
            here.mkdir(exist_ok=True)
            for name in files:
                if not os.path.lexists(here / name):
                    self._link(here / name, Path(folder) / name)
        for folder, _, files in os.walk(self.root):
            for file in (Path(folder) / name for name in files):
                if file.is_symlink() and not file.exists():
                    file.unlink()

    def _link(self, here: Path, file: Path) -> None:
        try:
            here.symlink_to(file)
        except OSError as error:  # Windows lets only those make links who may, and not every file system has them
            raise _core.ConfigurationError(
                f"{self._path}: a folder with these characters is written through links, which can't be made here "
                f"({error.strerror}); choose a target without # ? [ ] ^ | and %"
            ) from None

    def push(self) -> None:
        """Puts new files into the table: data first, then commits, each only where the table has none of its number."""
        here = (Path(folder) / name for folder, _, files in os.walk(self.root) for name in files)
        made = [file for file in here if not file.is_symlink()]
        commits = sorted(file for file in made if file.parent.name == LOG and _COMMIT.fullmatch(file.name))
        moved = [self._place(file) for file in made if file not in commits]
        try:
            for commit in commits:
                self._commit(commit)
        except FileExistsError as error:
            for file in (*moved, *commits):
                file.unlink(missing_ok=True)
            raise CommitExistsError(str(self._path)) from error

    def _place(self, file: Path) -> Path:
        target = self._path / file.relative_to(self.root)
        target.parent.mkdir(parents=True, exist_ok=True)
        if file.stat().st_dev == target.parent.stat().st_dev:
            file.replace(target)
        else:
            draft = target.with_name(f".{target.name}.part")
            shutil.copyfile(file, draft)
            draft.replace(target)
            file.unlink()
        return target

    def _commit(self, file: Path) -> None:
        target = self._path / LOG / file.name
        draft = self._place(file.rename(file.with_name(f".{file.name}{Path(self.root).name}")))
        try:
            os.link(draft, target)
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links, which cannot tell two writers apart
            if target.exists():
                raise FileExistsError(target) from None
            shutil.copyfile(draft, target)
        finally:
            draft.unlink()


def address(path: Path) -> str:
    """The table's folder as deltalake can be given it: its own path, or that of a folder of links to its files."""
    real = os.path.realpath(path)
    if not _UNADDRESSABLE.search(real):
        return real
    if real not in _kept:
        staging = Staging(Path(real))
        if _UNADDRESSABLE.search(staging.root):
            raise _core.ConfigurationError(f"{path}: its characters need a plain folder for temporary files; set TMPDIR")
        _kept[real] = staging
    _kept[real].pull()
    return _kept[real].root


def publish(path: Path) -> None:
    """Puts what was written at :func:`address` into the table's own folder. Raises :class:`CommitExistsError`."""
    staging = _kept.get(os.path.realpath(path))
    if staging is not None:
        staging.push()


@contextmanager
def creation(path: Path) -> Iterator[Staging]:
    """A staging for a table's first commit; in the table's folder, where deltalake can address that."""
    path.mkdir(parents=True, exist_ok=True)
    staging = Staging(path, None if _UNADDRESSABLE.search(os.path.realpath(path)) else path)
    try:
        yield staging
    finally:
        staging.close()
