"""The nearest right name for one that does not exist."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches


def did_you_mean(word: str, known: Iterable[str], *, otherwise: str = "", show: Callable[[str], str] = str) -> str:
    """The end of an error message about an unknown name: ``; did you mean teams?``, or ``otherwise`` where none is near.

    Case does not count. ``show`` is how a known name is written where the user would write it.
    """
    names = {name.lower(): name for name in known}
    near = get_close_matches(word.lower(), names, 1)
    return f"; did you mean {show(names[near[0]])}?" if near else otherwise
