"""What a handler is given: an activity, and what is read of it most."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from lakeflow_teams.bot.card import Card

#: What a handler may return: nothing, a card, or a text.
Reply = Card | str | None
_MENTION = re.compile(r"<at\b[^>]*>.*?</at>", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class User:
    """Who did it."""

    id: str
    """The object id in Entra ID; empty where Teams does not tell it."""
    name: str
    teams_id: str
    """What the Bot Connector calls them, ``29:...``."""


@dataclass(frozen=True)
class Conversation:
    """Where it happened."""

    id: str
    """With the thread, in a channel."""
    kind: str
    """``personal``, ``groupChat`` or ``channel``."""
    tenant_id: str
    service_url: str
    team_id: str
    """The id of the team's first channel; empty outside of teams."""
    channel_id: str

    @property
    def root(self) -> str:
        """The id without the thread."""
        return self.id.partition(";")[0]


@dataclass(frozen=True)
class File:
    """A file that a person allowed to be uploaded, or did not."""

    name: str
    accepted: bool
    uploaded: bool
    """Whether it lies in their OneDrive now."""
    content_url: str
    context: Any
    """What was given to :meth:`TeamsBot.send_file`."""


@dataclass
class Incoming:
    """An activity of Teams (https://learn.microsoft.com/microsoftteams/platform/bots/build-conversational-capability)."""

    activity: dict[str, Any]
    """The whole activity, as it came."""
    data: Any = None
    """Of an action: what the card held, as it was sent."""
    inputs: dict[str, Any] = field(default_factory=dict)
    """Of an action: what the person filled in, by the inputs' ids."""
    action: str = ""
    """Of an action: its name."""
    run: str = ""
    """Of an action: what sent its card; empty where the data is not signed."""
    file: File | None = None

    @cached_property
    def user(self) -> User:
        """Who did it."""
        sender = self.activity.get("from") or {}
        object_id = str(sender.get("aadObjectId") or sender.get("objectId") or "").lower()
        return User(object_id, str(sender.get("name") or ""), str(sender.get("id") or ""))

    @cached_property
    def conversation(self) -> Conversation:
        """Where it happened."""
        about = self.activity.get("conversation") or {}
        data = self.activity.get("channelData") or {}
        kind = about.get("conversationType") or ("groupChat" if about.get("isGroup") else "personal")
        return Conversation(
            id=str(about.get("id") or ""),
            kind=kind,
            tenant_id=str((data.get("tenant") or {}).get("id") or about.get("tenantId") or ""),
            service_url=str(self.activity.get("serviceUrl") or ""),
            team_id=str((data.get("team") or {}).get("id") or ""),
            channel_id=str((data.get("channel") or {}).get("id") or ""),
        )

    @property
    def text(self) -> str:
        """What was written, without the mention of the bot."""
        text = str(self.activity.get("text") or "")
        return _MENTION.sub("", text).replace("\xa0", " ").strip()

    @property
    def reply_to_id(self) -> str | None:
        """The message that it is about: the card that was used, the message that was reacted to."""
        found = self.activity.get("replyToId")
        return None if found is None else str(found)

    @property
    def reactions(self) -> list[str]:
        """Reactions that were added, such as ``like``."""
        return [str(one.get("type")) for one in self.activity.get("reactionsAdded") or []]

    @property
    def removed_reactions(self) -> list[str]:
        """Reactions that were taken back."""
        return [str(one.get("type")) for one in self.activity.get("reactionsRemoved") or []]

    @property
    def sent_at(self) -> datetime | None:
        """When it happened."""
        text = str(self.activity.get("timestamp") or "")
        try:
            # Python 3.10 takes no Z, and only three or six digits.
            return datetime.fromisoformat(
                re.sub(r"\.\d+", lambda found: (found[0] + "000000")[:7], text).replace("Z", "+00:00")
            )
        except ValueError:
            return None

    def __repr__(self) -> str:
        # Nothing of what people write.
        return f"Incoming({self.activity.get('type')}, {self.conversation.kind})"
