"""Adaptive Cards: made, bound to data, and checked before Teams sees them.

:class:`Card` holds one card.
"""

from lakeflow_teams.bot.card import Card, CardProblem

__all__ = ["Card", "CardProblem"]
