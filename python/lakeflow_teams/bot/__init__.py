"""Adaptive Cards: made, bound to data, and checked before Teams sees them; and the package of a bot's app.

:class:`Card` holds one card, :class:`AppPackage` makes what an administrator uploads.
"""

from lakeflow_teams.bot.app_package import AppPackage, check_app_package
from lakeflow_teams.bot.card import Card, CardProblem

__all__ = ["AppPackage", "Card", "CardProblem", "check_app_package"]
