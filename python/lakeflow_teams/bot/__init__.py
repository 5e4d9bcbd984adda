"""A bot in Teams, the Adaptive Cards that it sends, and the package of its app.

:class:`TeamsBot` is the bot, an ASGI app; :class:`Card` holds a card, :class:`AppPackage` makes what administrators upload.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakeflow_teams.bot.card import Card, CardProblem

if TYPE_CHECKING:
    from lakeflow_teams.bot.app_package import AppPackage, check_app_package
    from lakeflow_teams.bot.incoming import Conversation, File, Incoming, User
    from lakeflow_teams.bot.outbox import NotSentError, Sent
    from lakeflow_teams.bot.pauses import answer_pauses
    from lakeflow_teams.bot.teams_bot import TeamsBot

__all__ = [
    "AppPackage",
    "Card",
    "CardProblem",
    "Conversation",
    "File",
    "Incoming",
    "NotSentError",
    "Sent",
    "TeamsBot",
    "User",
    "answer_pauses",
    "check_app_package",
]

_ELSEWHERE = {
    "AppPackage": "app_package",
    "Conversation": "incoming",
    "File": "incoming",
    "Incoming": "incoming",
    "NotSentError": "outbox",
    "Sent": "outbox",
    "TeamsBot": "teams_bot",
    "User": "incoming",
    "answer_pauses": "pauses",
    "check_app_package": "app_package",
}


def __getattr__(name: str) -> Any:
    """What needs more than cards do is loaded when it is asked for."""
    if name not in _ELSEWHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_ELSEWHERE[name]}"), name)
    globals()[name] = value
    return value
