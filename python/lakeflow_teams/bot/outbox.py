"""What a bot sends, replaces and deletes: each message stands in a ledger before it leaves, and none is sent twice."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from lakeflow_teams import _core
from lakeflow_teams.bot import files, messages
from lakeflow_teams.bot.card import Card
from lakeflow_teams.bot.incoming import Conversation, Incoming, User
from lakeflow_teams.deliver import conversations

_log = logging.getLogger(__name__)

#: What can be sent: a card, a text, or a whole message as the Bot Connector takes it.
Message = Card | str | Mapping[str, Any]
#: To whom: a person's object id, a channel's id, a conversation, or where something came from.
Recipient = str | User | Conversation | Incoming

_CARD = "application/vnd.microsoft.card.adaptive"
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class NotSentError(_core.LakeflowTeamsError):
    """A message that Teams did not take, or of which that is not known."""

    def __init__(self, text: str, state: str, code: str) -> None:
        super().__init__(text)
        self.state = state
        """``not_installed``, ``blocked``, ``not_found``, ``throttled``, ``failed``; ``unknown``: it may be there."""
        self.code = code


class Sent:
    """A message of the bot. Inside an event loop it is on its way, and ``await`` gives it once Teams has taken it."""

    def __init__(self, conversation_id: str = "", activity_id: str = "", service_url: str = "") -> None:
        self.conversation_id = conversation_id
        self.activity_id = activity_id
        """Empty where Teams does not tell it."""
        self.service_url = service_url
        self._task: asyncio.Task[None] | None = None

    def __await__(self) -> Generator[Any, None, Sent]:
        if self._task is not None:
            yield from self._task.__await__()
        return self

    def __repr__(self) -> str:
        return f"Sent({self.conversation_id!r}, {self.activity_id!r})"


class Place:
    """Where a message goes."""

    def __init__(self, recipient: str, conversation: str | None, service: str | None, kind: str) -> None:
        self.recipient = recipient
        self.conversation = conversation
        self.service = service
        self.kind = kind


class Outbox:
    """Sends for one bot."""

    def __init__(self, core: _core.Bot, target: Path, card_lifetime: timedelta) -> None:
        self._core = core
        self._target = target
        self._lifetime = card_lifetime
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, sent: Sent, work: Coroutine[Any, Any, None]) -> Sent:
        """Does it now, or, inside an event loop, beside what goes on there."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            asyncio.run(work)
            return sent
        task = loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        sent._task = task  # noqa: SLF001
        return sent

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        # Whoever awaits it gets it too; who does not should not miss it.
        if not task.cancelled() and (error := task.exception()) is not None:
            said = f"{error.state} {error.code}" if isinstance(error, NotSentError) else type(error).__name__
            _log.warning("a message was not sent: %s", said)

    async def settled(self) -> None:
        """Waits for what is on its way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def sealed(self, card: Card, run: str, recipient: str) -> Card:
        """The card with the data of its actions signed."""
        expires = int(time.time() + self._lifetime.total_seconds())
        return Card(self._core.seal(card.json(), run, recipient, expires))

    def _activity(self, message: Message, run: str, recipient: str, summary: str | None) -> str:
        if isinstance(message, Card):
            content = self.sealed(message, run, recipient).content
            activity: dict[str, Any] = {"type": "message", "attachments": [{"contentType": _CARD, "content": content}]}
        elif isinstance(message, str):
            activity = {"type": "message", "text": message}
        elif isinstance(message, Mapping):
            activity = {"type": "message", **message}
        else:
            raise _core.ConfigurationError(f"a {type(message).__name__} cannot be sent: it is no Card, text or mapping")
        if summary is not None:
            activity["summary"] = summary
        return json.dumps(activity, ensure_ascii=False)

    def place(self, recipient: Recipient) -> Place:
        """Where something for a recipient goes, as far as it is known."""
        if isinstance(recipient, Incoming):
            return self.place(recipient.conversation)
        if isinstance(recipient, Conversation):
            return Place(recipient.root, recipient.id, recipient.service_url, recipient.kind)
        named = recipient.id if isinstance(recipient, User) else recipient
        if not isinstance(named, str) or not named.strip():
            raise _core.ConfigurationError(f"recipient {named!r}: it is no id of a person, channel or conversation")
        named = named.strip().lower() if _GUID.fullmatch(named.strip()) else named.strip()
        root = named.partition(";")[0]
        known = conversations.find(self._target, root)
        service = known.service_url if known else None
        if named != root:
            return Place(root, named, service, "thread")
        if named.startswith("19:"):
            kind = known.kind if known else "channel"
            return Place(root, known.conversation_id if known else None, service, kind)
        if named.startswith("a:"):
            known = conversations.of(self._target, named)
            return Place(root, named, known.service_url if known else None, "personal")
        if not _GUID.fullmatch(named) and not named.startswith("29:"):
            raise _core.ConfigurationError(
                f"recipient {named!r}: it is no object id of a person, no channel and no conversation"
            )
        usable = known is not None and known.installed
        return Place(named, known.conversation_id if known and usable else None, service, "user")

    async def send(
        self,
        sent: Sent,
        recipient: Recipient,
        message: Message,
        *,
        summary: str | None,
        run: str,
        answers: int | None = None,
    ) -> None:
        """Sends one message."""
        place = await asyncio.to_thread(self.place, recipient)
        text = self._activity(message, run, place.recipient, summary)
        reopened = False
        while True:
            if place.kind == "user" and (place.conversation is None or place.service is None):
                await self._open(place)
            said = await self._one(sent, place, text, answers)
            follows = said.get("next")
            if follows in {"reopen", "forget", "install"} and place.kind == "user":
                await asyncio.to_thread(conversations.forget, self._target, place.recipient)
                if follows == "reopen" and not reopened:
                    place.conversation, reopened = None, True
                    continue
            return _settle(sent, said)

    async def _open(self, place: Place) -> None:
        said = json.loads(await self._core.open(place.recipient))
        if said["state"] != "succeeded":
            raise NotSentError(said["why"], said["state"], said["code"])
        place.conversation, place.service = said["conversation"], said["service"]
        row = conversations.Row(
            place.recipient,
            "user",
            said["conversation"],
            said["service"],
            self._core.tenant_id,
            True,
            int(time.time() * 1000),
        )
        await asyncio.to_thread(conversations.remember, self._target, [row])

    async def _one(self, sent: Sent, place: Place, text: str, answers: int | None) -> dict[str, Any]:
        # A new post of a channel comes with its message; a reply in a thread goes to the thread.
        if place.kind == "channel" and (place.conversation is None or ";" not in place.conversation):
            return await self._ledger(
                sent, "post", place.recipient, answers, lambda: self._core.post(place.service, place.recipient, text)
            )
        service, conversation = place.service or self._core.service_url, place.conversation or place.recipient
        return await self._ledger(
            sent, "send", place.recipient, answers, lambda: self._core.send(service, conversation, text)
        )

    async def _ledger(
        self, sent: Sent, verb: str, recipient: str, answers: int | None, act: Callable[[], Awaitable[str]]
    ) -> dict[str, Any]:
        number = await asyncio.to_thread(messages.attempt, self._target, verb, recipient, answers)
        said: dict[str, Any] = json.loads(await act())
        sent.conversation_id = said.get("conversation") or sent.conversation_id
        sent.service_url = said.get("service") or sent.service_url
        sent.activity_id = said.get("activity") or sent.activity_id
        fate = messages.Fate(
            said["state"], said.get("conversation"), said.get("service"), said.get("activity"), said.get("code")
        )
        await asyncio.to_thread(messages.end, self._target, number, fate)
        return said

    async def update(
        self, sent: Sent, of: Sent | Incoming, message: Message, *, summary: str | None, run: str, answers: int | None = None
    ) -> None:
        """Replaces a message, once that is sent."""
        service, conversation, activity = await self._found(of)
        root = conversation.partition(";")[0]
        recipient = await asyncio.to_thread(self._recipient, root)
        text = self._activity(message, run, recipient, summary)
        act = lambda: self._core.update(service, conversation, activity, text)  # noqa: E731
        _settle(sent, await self._ledger(sent, "update", recipient, answers, act))

    async def delete(self, sent: Sent, of: Sent | Incoming) -> None:
        """Deletes a message."""
        service, conversation, activity = await self._found(of)
        act = lambda: self._core.delete(service, conversation, activity)  # noqa: E731
        _settle(sent, await self._ledger(sent, "delete", conversation.partition(";")[0], None, act))

    async def send_file(self, sent: Sent, recipient: Recipient, message: dict[str, Any]) -> None:
        """Sends the card that asks for consent to a file; its context is signed as a card's data is."""
        place = await asyncio.to_thread(self.place, recipient)
        action = Card({"type": "AdaptiveCard", "actions": [message["action"]]})
        context = self.sealed(action, "file", place.recipient).content["actions"][0]["data"]
        await self.send(sent, recipient, files.with_context(message, context), summary=None, run="file")

    def _recipient(self, conversation: str) -> str:
        """For whom the cards of a conversation are: it is the same for one that is replaced."""
        known = conversations.of(self._target, conversation)
        return known.recipient_id if known and known.kind == "user" else conversation

    async def _found(self, of: Sent | Incoming) -> tuple[str, str, str]:
        if isinstance(of, Incoming):
            service, conversation, activity = of.conversation.service_url, of.conversation.id, of.reply_to_id or ""
        else:
            await of
            service, conversation, activity = of.service_url, of.conversation_id, of.activity_id
        if not service:
            known = await asyncio.to_thread(conversations.of, self._target, conversation.partition(";")[0])
            service = (known.service_url if known else None) or self._core.service_url
        if not conversation or not activity:
            raise _core.ConfigurationError("the message is not known: it has a conversation_id and an activity_id")
        return service, conversation, activity


def _settle(sent: Sent, said: dict[str, Any]) -> None:
    if said["state"] != "succeeded":
        raise NotSentError(said["why"], said["state"], said["code"])
    sent.service_url = said["service"]
