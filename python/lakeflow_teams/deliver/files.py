"""What the jobs that write to Teams keep on disk: one process at a time, and files that are there whole or as they were."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lakeflow_teams import _core


@contextmanager
def alone(root: Path, what: str) -> Iterator[None]:
    """One process at a time: a second one would send what the first is sending. Ends with the process."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / "lock").open("a+b") as file:
        try:
            _lock(file.fileno())
        except OSError:
            raise _core.LakeflowTeamsError(f"another process runs this {what} ({root}); wait for it, or stop it") from None
        yield


def replace(path: Path, text: str) -> None:
    """Writes a file in one step: it is there whole, or as it was."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, path)  # noqa: PTH105


def _lock(descriptor: int) -> None:
    """Takes the lock of an open file, or raises :class:`OSError`; it ends with the process."""
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
