"""Options: values to text, their names, secrets kept out of sight, and those that come from the environment.

What an option means, its range and its default are the core's: it declares each of them once.
"""

from __future__ import annotations

from lakeflow_teams.options.catalogue import allow_list, names
from lakeflow_teams.options.environment import connection_from_environment
from lakeflow_teams.options.redaction import Options, redacted, show
from lakeflow_teams.options.values import as_options, as_text, whole_number

__all__ = [
    "Options",
    "allow_list",
    "as_options",
    "as_text",
    "connection_from_environment",
    "names",
    "redacted",
    "show",
    "whole_number",
]
