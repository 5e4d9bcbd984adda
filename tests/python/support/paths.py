"""Where things are in the checkout."""

from __future__ import annotations

from pathlib import Path

import lakeflow_teams

ROOT = Path(__file__).parents[3]
TESTS = ROOT / "tests" / "python"
#: Programs of their own beside the tests, for what cannot live in the tests' Spark session.
PROGRAMS = TESTS / "programs"
#: Where the package that is tested is imported from.
SITE = Path(lakeflow_teams.__file__).parents[1]
