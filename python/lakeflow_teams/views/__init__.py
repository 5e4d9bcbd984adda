"""Views over the tables: posts, threads, reactions, people, who may see what; with the names that people query by.

``tables`` (which tables there are, and their columns) -> ``script`` (a statement for each view that they suffice for). The
SQL is package data, made by ``tools/view_sql.py`` from one definition of each view; nothing is transpiled here.
"""

from __future__ import annotations

from lakeflow_teams.views.script import DIALECTS, Script, script
from lakeflow_teams.views.tables import Relation, of_pipeline

__all__ = ["DIALECTS", "Relation", "Script", "of_pipeline", "script"]
