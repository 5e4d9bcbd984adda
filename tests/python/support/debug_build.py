"""The warning of a debug build, which the tests run with on purpose."""

from __future__ import annotations

#: As in ``PYTHONWARNINGS`` and after ``-W``: what the message begins with. Without it, ``-W error`` refuses a debug build.
SILENCED = "ignore:lakeflow_teams is a debug build"
