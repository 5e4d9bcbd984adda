"""A card to many people, and what became of each.

:func:`~lakeflow_teams.deliver.broadcast.entry.broadcast` runs a step, from the file to the table ``deliveries``.
"""
