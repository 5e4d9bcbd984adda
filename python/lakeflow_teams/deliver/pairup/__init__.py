"""People brought together in small groups, each week or month, nobody with the same person while others are left.

:func:`~lakeflow_teams.deliver.pairup.entry.pairup` runs a step, from the file to the table ``pairups``.
"""
