"""What each person of a group is told: the others, and links that open a chat and a meeting with them.

Links: https://learn.microsoft.com/microsoftteams/platform/concepts/build-and-test/deep-link-teams and deep-link-workflow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from lakeflow_teams.deliver.pairup.rounds import Person, Round

#: The names of the buttons' actions, which the bot answers.
PAUSE, RESUME = "pairup.pause", "pairup.resume"
_HOSTS = {"usgov": "gov.teams.microsoft.us", "usgov_dod": "dod.teams.microsoft.us", "china": "teams.microsoftonline.cn"}
_HOST = "teams.microsoft.com"


def invitations(formed: Round, name: str, cloud: str) -> Iterator[dict[str, Any]]:
    """A row for each person in a group: the columns that a card can use."""
    people = {person.id: person for person in formed.people}
    host = _HOSTS.get(cloud, _HOST)
    for group in formed.groups:
        for one in group:
            others = [people[other] for other in group if other != one]
            yield {
                "user_id": one,
                "display_name": people[one].shown,
                "others": _listed([other.shown for other in others]),
                "members": [{"id": other.id, "name": other.shown} for other in others],
                "chat_link": f"https://{host}/l/chat/0/0?users={_users(others)}",
                "meeting_link": f"https://{host}/l/meeting/new?subject={quote(name)}&attendees={_users(others)}",
                "pairup": name,
                "round": formed.name,
            }


def card() -> dict[str, Any]:
    """The card of those who bring none."""
    data = {"pairup": "${pairup}"}
    pause = {"type": "Action.Submit", "title": "Pause", "data": {**data, "action": PAUSE}}
    return {
        "type": "AdaptiveCard",
        "version": "1.5",
        "body": [
            {"type": "TextBlock", "text": "${pairup}", "size": "Large", "weight": "Bolder", "wrap": True},
            {"type": "TextBlock", "text": "This time you meet **${others}**. Say hello, and find a moment!", "wrap": True},
            {
                "type": "ActionSet",
                "actions": [
                    {"type": "Action.OpenUrl", "title": "Chat", "url": "${chat_link}"},
                    {"type": "Action.OpenUrl", "title": "Plan a meeting", "url": "${meeting_link}"},
                    {"type": "Action.Execute", "title": "Pause", "verb": PAUSE, "data": data, "fallback": pause},
                ],
            },
        ],
    }


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def _users(people: Sequence[Person]) -> str:
    """A chat is opened by user principal names only."""
    return quote(",".join(one.user_principal_name for one in people if one.user_principal_name), safe=",@")
