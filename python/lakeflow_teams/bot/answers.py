"""What an invoke is answered (https://learn.microsoft.com/adaptive-cards/authoring-cards/universal-action-model)."""

from __future__ import annotations

from typing import Any

from lakeflow_teams.bot.card import Card
from lakeflow_teams.bot.incoming import Reply

#: Bodies of what is answered with HTTP 200.
Answer = dict[str, Any]


def _answer(status: int, kind: str, value: Any) -> Answer:
    return {"statusCode": status, "type": f"application/vnd.microsoft.{kind}", "value": value}


def _error(status: int, code: str, message: str) -> Answer:
    return _answer(status, "error", {"code": code, "message": message})


def of_reply(reply: Reply) -> Answer:
    """A card takes the place of the one that was used; a text is shown for a moment."""
    if isinstance(reply, Card):
        return _answer(200, "card.adaptive", reply.content)
    return _answer(200, "activity.message", "Done" if reply is None else reply)


WORKING = _answer(200, "activity.message", "Working on it")
FAILED = _error(500, "InternalServerError", "The bot could not do this. Please try again later")
#: By what is wrong with the card's data.
REFUSED = {
    "expired": _error(400, "Expired", "This card is too old to be used"),
    "other_recipient": _error(400, "BadRequest", "This card belongs to another conversation"),
}
INVALID = _error(400, "BadRequest", "This card cannot be used")
UNKNOWN = _error(400, "NotSupported", "The bot does not know this action")
