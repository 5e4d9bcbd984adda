"""Writes into Teams: message history by Graph's migration mode.

:func:`~lakeflow_teams.deliver.entry.import_messages` runs a step of an import, from its plan file to the ledger table.
"""
