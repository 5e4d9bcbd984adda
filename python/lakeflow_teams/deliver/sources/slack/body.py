"""What gathers beside the HTML while one message is written: mentions, images, links to files, and notes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lakeflow_teams.deliver.sources import html
from lakeflow_teams.deliver.sources.loose import Json
from lakeflow_teams.deliver.sources.slack.layout import Layout


class Directory:
    """Names of people and channels by their ids."""

    def __init__(self, layout: Layout) -> None:
        self.people: Mapping[str, str] = {person.id: person.name for person in layout.people.values()}
        self.channels: Mapping[str, str] = {one.id: one.name for one in layout.conversations.values() if one.name}
        self.bots = {person.bot_id: person.id for person in layout.people.values() if person.bot_id}
        self.accounts_of_bots = {person.id for person in layout.people.values() if person.kind == "bot"}


class Body:
    """One message's parts. Numbers of mentions start at 0, those of images at 1, as Graph's examples have them."""

    def __init__(self, directory: Directory, key_of: Callable[[Json, str], str | None], day: str) -> None:
        self.directory = directory
        self._key_of = key_of
        self._day = day
        self.mentions: list[dict[str, Any]] = []
        self.images: list[dict[str, Any]] = []
        self.attachments: list[dict[str, Any]] = []
        self._notes: dict[str, None] = {}

    @property
    def notes(self) -> list[str] | None:
        """Each once, in the order they came."""
        return list(self._notes) or None

    def key_of(self, file: Json) -> str | None:
        """The key under which the source has a file's bytes."""
        return self._key_of(file, self._day)

    def note(self, what: str) -> None:
        """Something that was changed or has no place in Teams; the same text for all such cases."""
        self._notes[what] = None

    def mention(self, user: str, label: str = "") -> str:
        """The HTML of a mention."""
        name = self.directory.people.get(user) or label.lstrip("@") or user
        number = len(self.mentions)
        self.mentions.append({"id": number, "text": name, "user": user})
        return html.mention(number, name)

    def channel(self, channel: str, label: str = "") -> str:
        """A channel's name as text: a link to it would lead to Slack."""
        return html.escape("#" + (self.directory.channels.get(channel) or label.lstrip("#") or channel))

    def image(self, width: object, height: object, **image: Any) -> str:
        """The HTML of an inline image."""
        number = len(self.images) + 1
        self.images.append({"id": str(number), **image})
        return html.image(number, width, height)
