"""``python -m lakeflow_teams`` is the command line."""

from lakeflow_teams.cli import main

main()
