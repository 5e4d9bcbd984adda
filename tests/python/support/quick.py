"""What `make test` runs of a test that is worth repeating; `make test-slow` runs all of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def quick(few: Iterable[Any], *others: Any) -> list[Any]:
    """Parameters of a test: ``few`` for each run, the others for the slow one."""
    later = (other if isinstance(other, tuple) else (other,) for other in others)
    return [*few, *(pytest.param(*values, marks=pytest.mark.slow) for values in later)]
