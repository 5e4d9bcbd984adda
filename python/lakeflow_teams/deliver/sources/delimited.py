"""CSV files as people make them: with a comma, a semicolon, a tab or a bar, with a BOM or without, in UTF-8 or UTF-16.

RFC 4180 quoting. Every row comes with the line it begins in, so that what is wrong with it can be found.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import TextIO

from lakeflow_teams._suggest import did_you_mean
from lakeflow_teams.deliver.sources.model import Problem, SourceError

_SEPARATORS = ",;\t|"
#: A cell holds a whole message; Python's own limit is 128 KiB.
_LARGEST_CELL = 64 * 1024 * 1024


class Delimited:
    """One CSV file with a header. Raises :class:`SourceError` where it has none, or one that names a column twice."""

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = Path(path)
        with self._text() as text:
            header = text.readline()
        self._separator = max(_SEPARATORS, key=header.count)
        names = next(csv.reader([header], delimiter=self._separator), [])
        #: The header's names, as they are written.
        self.columns = [name.strip() for name in names]
        if not any(self.columns):
            raise SourceError(f"{self.path}: it has no header; write the names of the columns into its first line")
        for name in self.columns:
            if name and self.columns.count(name) > 1:
                raise SourceError(f"{self.path}: line 1 names the column {name} twice; leave one of them")

    def require(self, known: tuple[str, ...], needed: tuple[str, ...]) -> None:
        """Raises :class:`SourceError` about a column that is missing or unknown."""
        for name in needed:
            if name not in self.columns:
                raise SourceError(f"{self.path}: there is no column {name}; it has {', '.join(self.columns)}")
        for name in self.columns:
            if name and name not in known:
                near = did_you_mean(name, known, otherwise=f"; known are {', '.join(known)}")
                raise SourceError(f"{self.path}: there is no meaning for a column {name}{near}")

    def rows(self, problems: list[Problem]) -> Iterator[tuple[int, dict[str, str]]]:
        """The line each row begins in, and its cells by column, empty ones left out. Blank lines are no rows.

        A row with more cells than the header has names, or with fewer, is a problem and not given.
        """
        csv.field_size_limit(_LARGEST_CELL)
        with self._text() as text:
            reader = csv.reader(text, delimiter=self._separator)
            next(reader)
            line = reader.line_num + 1
            try:
                for cells in reader:
                    if len(cells) == len(self.columns):
                        row = {name: cell for name, cell in zip(self.columns, cells, strict=True) if cell and name}
                        if row:
                            yield line, row
                    elif cells:
                        problems.append(self._uneven(line, len(cells)))
                    line = reader.line_num + 1
            except (csv.Error, UnicodeError) as error:
                what = f"it cannot be read from here on ({error})"
                problems.append(Problem(f"{self.path.name} line {line}", what, "Close its quotes and save it as UTF-8"))

    def _uneven(self, line: int, cells: int) -> Problem:
        what = f"it has {cells} cells where the header has {len(self.columns)} names"
        return Problem(f"{self.path.name} line {line}", what, "Put cells with a separator or a line break in double quotes")

    @contextmanager
    def _text(self) -> Iterator[TextIO]:
        try:
            with self.path.open("rb") as raw:
                wide = raw.read(2) in {b"\xff\xfe", b"\xfe\xff"}
            with self.path.open(encoding="utf-16" if wide else "utf-8-sig", newline="") as text:
                yield text
        except OSError as error:
            raise SourceError(f"{self.path}: it cannot be read ({error.strerror}); check the path") from None
