"""How far a job is, in one line: written over on a terminal, printed now and then in a log."""

from __future__ import annotations

from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from typing_extensions import Self

_LOG_SECONDS = 15.0


class LineOfProgress:
    """The line of one step, while it runs."""

    def __init__(self, step: str) -> None:
        self._console = Console(stderr=True)
        self._step = step
        self._status = self._console.status(f"{step}: beginning") if self._console.is_terminal else None
        self._said = monotonic()

    def __enter__(self) -> Self:
        if self._status:
            self._status.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._status:
            self._status.stop()

    def tell(self, done: str, more: str = "") -> None:
        """Shows what is done; a terminal has room for more."""
        if self._status:
            self._status.update(escape(f"{self._step}: {done}{more and f' ({more})'}"))
        elif monotonic() - self._said >= _LOG_SECONDS:
            self._said = monotonic()
            self._console.print(escape(f"{self._step}: {done}"))
