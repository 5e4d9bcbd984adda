"""The command ``lakeflow-teams``.

Exit codes: 0 done, 1 the run failed (the server, the network, the disk), 2 bad input (options, spec,
arguments), 130 interrupted.
Errors are one line each on stderr; ``LAKEFLOW_TEAMS_DEBUG=1`` adds the traceback.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from lakeflow_teams._extras import missing_extra, need


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point; ends the process."""
    try:
        for module in ("click", "rich"):
            need(module, "cli", "the command line")
    except ImportError as error:
        print(f"lakeflow-teams: {error or missing_extra('click', 'cli', 'the command line')}", file=sys.stderr)
        sys.exit(2)
    from lakeflow_teams.cli.app import run

    sys.exit(run(arguments))
