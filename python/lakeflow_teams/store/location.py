"""A place in a lakehouse, whatever it lies on: the one way to its tables and to its small files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from deltalake import DeltaTable


#: How deltalake writes in a :class:`Creation`, where nobody else does: without hard links, which not every file system has.
STAGING_OPTIONS = {"allow_unsafe_rename": "true"}


class CommitExistsError(Exception):
    """The table has a commit of that number already: another program was faster."""


class Creation(Protocol):
    """A folder of this machine in which a table's first version is written, before it is put in place."""

    root: str

    def push(self) -> None:
        """Puts the version in place. Raises :class:`CommitExistsError` where the table has one of its number."""


class Location(ABC):
    """A folder, a bucket's prefix, or a file in one of them. Its text is how it was named, and holds no credential."""

    @abstractmethod
    def __truediv__(self, name: str) -> Location:
        """What is called ``name`` in here. Raises :class:`ConfigurationError` for a name that cannot be one here."""

    @abstractmethod
    def __str__(self) -> str: ...

    @property
    @abstractmethod
    def name(self) -> str:
        """The last part of it."""

    @abstractmethod
    def at(self, text: str) -> Location:
        """The location below this one whose text this is."""

    # Tables.

    @abstractmethod
    def require_writable(self, subject: str) -> None:
        """Raises :class:`ConfigurationError`, beginning with ``subject``, where no table could be written here."""

    @abstractmethod
    def table(self) -> DeltaTable | None:
        """The Delta table here in its newest version, or ``None`` where there is none."""

    @abstractmethod
    def refresh(self, table: DeltaTable) -> None:
        """Moves what :meth:`table` gave to its newest version."""

    @abstractmethod
    def creation(self) -> AbstractContextManager[Creation]:
        """To write a table's first version, which comes into being as a whole or, if another is faster, not at all."""

    @abstractmethod
    def publish(self) -> None:
        """Puts what was written to :meth:`table` in place, where it is not yet. Raises :class:`CommitExistsError`."""

    @abstractmethod
    def tables(self) -> list[tuple[str, str, str]]:
        """Catalog, schema and name of every table of the lakehouse whose root this is, in order."""

    def explained(self, error: Exception) -> Exception:
        """The error as it is to be told: with target, reason and remedy in one line, where the store said no."""
        return error

    # Small files, read and written whole.

    @abstractmethod
    def read(self) -> bytes | None:
        """The file here, or ``None`` where there is none that can be read."""

    @abstractmethod
    def write(self, content: bytes) -> None:
        """Replaces the file here. A reader sees the old one or the new one, never a half."""

    @abstractmethod
    def remove(self) -> None:
        """Removes the file here, if there is one."""

    @abstractmethod
    def files(self) -> Sequence[Location]:
        """The files directly in here, in order; none where there is no such folder."""
