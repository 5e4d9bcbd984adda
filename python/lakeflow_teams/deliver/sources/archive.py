"""Exports as they come, a zip or the folder that one was unpacked to: read entry by entry, nothing is unpacked to disk.

What makes a zip dangerous is found before an entry is read: names that climb out, entries that lie on top of each other,
sizes that no text shrinks to. An entry that unpacks to more than it says ends at what it says, and its checksum tells.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

from lakeflow_teams.deliver.sources.model import Problem, SourceError

#: Deflate shrinks by 1032 at most, and JSON of a chat by 10 to 40: what claims more than this is made to fill memory.
_LARGEST_RATIO = 250
_HARMLESS_SIZE = 64 * 1024 * 1024
_LOCAL_HEADER = b"PK\x03\x04"
_LOCAL_HEADER_SIZE = 30
_ENCRYPTED = 0x1
_NAMES_ARE_UTF8 = 0x800
_AGAIN = "Export or download it again"


class EntryError(Exception):
    """One entry cannot be read. ``what`` and ``remedy`` are those of a :class:`Problem`."""

    def __init__(self, what: str, remedy: str = _AGAIN) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy


class Archive(Protocol):
    """Entries by their names, with ``/`` between folders."""

    path: Path
    sizes: dict[str, int]

    def open(self, name: str) -> OpenEntry:
        """The bytes of an entry. Reading may raise :class:`EntryError`."""


OpenEntry = IO[bytes]


def open_archive(path: str | os.PathLike[str], problems: list[Problem]) -> Archive:
    """A zip or a folder. Raises :class:`SourceError` where it is neither, or one that nothing can be read from."""
    path = Path(path)
    if path.is_dir():
        return _Folder(path, [path])
    return _Zip(path, problems)


def open_beside(path: Path, folder: str) -> Archive:
    """A single file, and the folder of this name that lies beside it."""
    return _Folder(path.parent, [path, path.parent / folder])


@contextmanager
def reading(archive: Archive, name: str) -> Iterator[OpenEntry]:
    """An entry to read from; whatever goes wrong with it on the way is an :class:`EntryError`."""
    try:
        with archive.open(name) as stream:
            yield stream
    except KeyError:
        raise EntryError("there is no such file") from None
    except NotImplementedError:
        raise EntryError("it is packed in a way that cannot be read", "Unpack it and give the folder instead") from None
    except (zipfile.BadZipFile, zlib.error, EOFError):
        raise EntryError("it is damaged, or unpacks to another size than it says") from None
    except OSError as error:
        raise EntryError(f"it cannot be read ({error.strerror or 'input error'})") from None


class _Folder:
    def __init__(self, path: Path, parts: Sequence[Path]) -> None:
        self.path = path
        files = [file for part in parts for file in ([part] if part.is_file() else _files_below(part))]
        self.sizes = {file.relative_to(path).as_posix(): file.stat().st_size for file in files if not file.is_symlink()}

    def open(self, name: str) -> OpenEntry:
        if name not in self.sizes:
            raise KeyError(name)
        return (self.path / name).open("rb")


def _files_below(path: Path) -> Iterator[Path]:
    for folder, _, files in os.walk(path):  # which does not follow links out of the folder
        yield from (Path(folder, name) for name in sorted(files))


class _Zip:
    def __init__(self, path: Path, problems: list[Problem]) -> None:
        self.path = path
        self._zip = _opened(path)
        self._entries = _entries(self._zip, problems)
        self.sizes = {name: entry.file_size for name, entry in self._entries.items()}
        _refuse_overlaps(path, list(self._entries.values()))
        if self._entries and all(entry.flag_bits & _ENCRYPTED for entry in self._entries.values()):
            raise SourceError(f"{path}: it is encrypted; unpack it with its password and give the folder instead")

    def open(self, name: str) -> OpenEntry:
        entry = self._entries[name]
        if entry.flag_bits & _ENCRYPTED:
            raise EntryError("it is encrypted", "Unpack the zip with its password and give the folder instead")
        if entry.file_size > max(_HARMLESS_SIZE, _LARGEST_RATIO * entry.compress_size):
            what = f"it claims to unpack {entry.compress_size} bytes to {entry.file_size}, as no chat does"
            raise EntryError(what, "Where it is a real export, unpack it and give the folder instead")
        return self._zip.open(entry)


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except OSError as error:
        raise SourceError(f"{path}: it cannot be read ({error.strerror}); check the path") from None
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        with path.open("rb") as file:
            begins_as_zip = file.read(4) == _LOCAL_HEADER
    if begins_as_zip:
        raise SourceError(f"{path}: the zip is cut or damaged, its list of files is missing; download it again")
    raise SourceError(f"{path}: it is not a zip; give the zip of the export, or the folder it was unpacked to")


def _entries(archive: zipfile.ZipFile, problems: list[Problem]) -> dict[str, zipfile.ZipInfo]:
    found: dict[str, zipfile.ZipInfo] = {}
    for entry in archive.infolist():
        name = _name(entry)
        if name.endswith("/") or name.startswith("__MACOSX/"):
            continue
        if not name:
            problems.append(Problem(archive.filename or "zip", "an entry has no name", _AGAIN))
        elif _climbs_out(name):
            problems.append(Problem(name, "its name leads out of the zip", "Left out; no export has such a file"))
        elif name in found:
            problems.append(Problem(name, "the zip has it twice", "The first one counts; export it again"))
        else:
            found[name] = entry
    return found


def _name(entry: zipfile.ZipInfo) -> str:
    """The name as it was meant: many programs write UTF-8 without saying so."""
    if entry.flag_bits & _NAMES_ARE_UTF8 or entry.filename.isascii():
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return entry.filename


def _climbs_out(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or ":" in path.parts[0]


def _refuse_overlaps(path: Path, entries: list[zipfile.ZipInfo]) -> None:
    """Entries that share their bytes make a small zip unpack to any size."""
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < end:
            raise SourceError(f"{path}: entries of the zip lie on top of each other, as no export does; download it again")
        end = entry.header_offset + _LOCAL_HEADER_SIZE + entry.compress_size
