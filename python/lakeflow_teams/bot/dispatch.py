"""From an activity that is on disk to what became of it: the handler is found, run, and its reply sent."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from lakeflow_teams import _core
from lakeflow_teams.bot import answers, files, messages
from lakeflow_teams.bot.card import Card
from lakeflow_teams.bot.filing import Filing
from lakeflow_teams.bot.handlers import Handlers
from lakeflow_teams.bot.incoming import Conversation, Incoming
from lakeflow_teams.bot.outbox import NotSentError, Outbox, Sent
from lakeflow_teams.bot.threads import in_thread
from lakeflow_teams.deliver import conversations

_log = logging.getLogger(__name__)

CARD_ACTION = "adaptiveCard/action"
#: What the cards of replies are signed as sent by.
RUN = "bot"
#: Handlers that are plain functions run so many at a time.
_THREADS = 16
_INSTALLED = {"add": True, "remove": False}


@dataclass(frozen=True)
class Outcome:
    """What became of an activity."""

    state: str
    code: str = ""
    answer: Any = None
    """The body of an invoke's answer; nothing is an empty one."""
    status: int = 200


IGNORED = Outcome("ignored")


class Dispatch:
    """Runs the handlers of one bot."""

    def __init__(self, core: _core.Bot, target: Path, handlers: Handlers, outbox: Outbox, filing: Filing) -> None:
        self._core = core
        self._target = target
        self._handlers = handlers
        self._outbox = outbox
        self._filing = filing
        self._threads = asyncio.Semaphore(_THREADS)

    def is_ignored(self, activity: dict[str, Any]) -> bool:
        """Whether nobody handles it, so that there is nothing to do."""
        kind = activity.get("type")
        if kind in {"invoke", "conversationUpdate", "installationUpdate"} or _is_submit(activity):
            return False
        return self._handlers.of(activity) is None

    async def handle(self, number: int, activity: dict[str, Any], *, again: bool) -> Outcome:
        """Handles an activity and notes what became of it. ``again``: an earlier process was at it."""
        try:
            if not self._core.attempt(number):
                outcome = Outcome("failed", "gave_up", answers.FAILED)
            else:
                outcome = await self._handle(number, activity, again=again)
        except NotSentError as error:
            _log.warning("activity %d: its reply was not sent: %s %s", number, error.state, error.code)
            outcome = Outcome("failed", error.code or error.state, answers.FAILED)
        except Exception as error:
            # Its text may quote what somebody wrote.
            frame = traceback.extract_tb(error.__traceback__)[-1]
            _log.error(
                "activity %d: its handler failed: %s at %s:%s", number, type(error).__name__, frame.filename, frame.lineno
            )
            outcome = Outcome("failed", type(error).__name__, answers.FAILED)
        is_answer = outcome.answer is not None and activity.get("type") == "invoke"
        # As ASCII: half of a surrogate pair, which people may send back, is no UTF-8.
        said = json.dumps(outcome.answer) if is_answer else None
        self._core.end(number, outcome.state, outcome.code, said)
        return outcome

    async def _handle(self, number: int, activity: dict[str, Any], *, again: bool) -> Outcome:
        incoming = Incoming(activity)
        kind, name = activity.get("type"), activity.get("name")
        if kind == "invoke" and name == CARD_ACTION:
            return await self._execute(number, incoming)
        if kind == "invoke" and name == files.CONSENT:
            return await self._file(number, incoming, again=again)
        if _is_submit(activity):
            return await self._submit(number, incoming, again=again)
        if kind in {"conversationUpdate", "installationUpdate"}:
            return await self._membership(number, incoming, again=again)
        handler = self._handlers.of(activity)
        if handler is None:
            return Outcome("ignored", status=501) if kind == "invoke" else IGNORED
        reply = await self._run(handler, incoming)
        if kind == "invoke":
            return Outcome("handled", answer=reply)
        await self._say(number, incoming, reply, again=again)
        return Outcome("handled")

    async def _run(self, handler: Callable[[Incoming], Any], incoming: Incoming) -> Any:
        """Runs a handler; a plain function in a thread, so that it may wait."""
        if inspect.iscoroutinefunction(handler):
            return await handler(incoming)
        async with self._threads:
            reply = await in_thread(lambda: handler(incoming))
        return await reply if inspect.isawaitable(reply) else reply

    def _recipients(self, conversation: Conversation, incoming: Incoming) -> list[str]:
        """For whom a card may have been that was used here."""
        own = [incoming.user.id] if conversation.kind == "personal" and incoming.user.id else []
        return [conversation.root, *own]

    def _open(self, incoming: Incoming, data: Any, verb: str | None) -> str:
        """Reads what an action brought back into ``incoming``; says what is wrong with it, or nothing."""
        recipients = self._recipients(incoming.conversation, incoming)
        why, action, run, sent, inputs = self._core.unseal(json.dumps(data), verb, recipients)
        incoming.action, incoming.run = action, run
        incoming.data, incoming.inputs = json.loads(sent), json.loads(inputs)
        return why

    async def _execute(self, number: int, incoming: Incoming) -> Outcome:
        value = incoming.activity.get("value")
        action = value.get("action") if isinstance(value, dict) else None
        if not isinstance(action, dict):
            return Outcome("refused", "malformed", answers.INVALID)
        why = self._open(incoming, action.get("data") or {}, str(action.get("verb") or ""))
        handler = self._handlers.action(incoming.action)
        if why and (why != "unsigned" or handler is None or handler.signed):
            return Outcome("refused", why, answers.REFUSED.get(why, answers.INVALID))
        if handler is None:
            return Outcome("ignored", answer=answers.UNKNOWN)
        reply = await self._run(handler.run, incoming)
        _check(reply)
        if isinstance(reply, Card):
            reply = self._outbox.sealed(reply, RUN, incoming.conversation.root)
            # The answer is for who used it; the message is what all others see. A refresh is each one's own view.
            if incoming.activity["value"].get("trigger") != "automatic" and incoming.reply_to_id:
                await self._update(number, incoming, reply)
        return Outcome("handled", answer=answers.of_reply(reply))

    async def _submit(self, number: int, incoming: Incoming, *, again: bool) -> Outcome:
        why = self._open(incoming, incoming.activity["value"], None)
        handler = self._handlers.action(incoming.action)
        spoken = self._handlers.of_kind("message") if why == "unsigned" and handler is None and incoming.text else None
        if spoken is not None:
            # A button that writes a message in the person's name brings a value with it.
            await self._say(number, incoming, await self._run(spoken, incoming), again=again)
            return Outcome("handled")
        if why and (why != "unsigned" or handler is None or handler.signed):
            return Outcome("refused", why)
        if handler is None:
            return IGNORED
        reply = await self._run(handler.run, incoming)
        _check(reply)
        if isinstance(reply, Card) and incoming.reply_to_id:
            await self._update(number, incoming, reply)
        else:
            await self._say(number, incoming, reply, again=again)
        return Outcome("handled")

    async def _update(self, number: int, incoming: Incoming, card: Card) -> None:
        """To replace a message twice with the same is to replace it."""
        await self._outbox.update(Sent(), incoming, card, summary=None, run=RUN, answers=number)

    async def _say(self, number: int, incoming: Incoming, reply: Any, *, again: bool) -> None:
        _check(reply)
        if reply is None:
            return
        if again and await asyncio.to_thread(messages.answered, self._target, number):
            return
        await self._outbox.send(Sent(), incoming, reply, summary=None, run=RUN, answers=number)

    async def say_late(self, number: int, activity: dict[str, Any], outcome: Outcome) -> None:
        """The reply of an invoke that was answered before it was there. A card has been put in place already."""
        said = outcome.answer
        if activity.get("name") != CARD_ACTION or not isinstance(said, dict):
            return
        text = said.get("value")
        if not str(said.get("type", "")).endswith("activity.message") or not isinstance(text, str):
            return
        if not await asyncio.to_thread(messages.answered, self._target, number):
            await self._outbox.send(Sent(), Incoming(activity), text, summary=None, run=RUN, answers=number)

    async def _file(self, number: int, incoming: Incoming, *, again: bool) -> Outcome:
        value = incoming.activity.get("value")
        value = value if isinstance(value, dict) else {}
        why, data = files.opened(self._core, value, self._recipients(incoming.conversation, incoming))
        handler = self._handlers.of_kind("file_consent")
        if why:
            return Outcome("refused", why)
        kept = str(data.get("kept") or "")
        failed = None
        if value.get("action") == "accept":
            content = await asyncio.to_thread(files.kept, self._target, kept)
            failed = await self._core.upload(str((value.get("uploadInfo") or {}).get("uploadUrl") or ""), content)
            shown = again and await asyncio.to_thread(messages.answered, self._target, number)
            if failed is None and not shown:
                await self._outbox.send(Sent(), incoming, files.info(value), summary=None, run=RUN, answers=number)
        if failed is None:
            if incoming.reply_to_id:
                await self._outbox.delete(Sent(), incoming)
            await asyncio.to_thread(files.drop, self._target, kept)
        else:
            _log.warning("activity %d: the file was not uploaded: %s", number, failed)
        if handler is not None:
            uploaded = value.get("action") == "accept" and failed is None
            incoming.file = files.decided(value, data, uploaded=uploaded)
            await self._run(handler, incoming)
        return Outcome("handled") if failed is None else Outcome("failed", "upload")

    async def _membership(self, number: int, incoming: Incoming, *, again: bool) -> Outcome:
        """Installations, removals and renames are kept; the first activity that tells of one is the one that is handled."""
        installed = _installed(incoming.activity)
        at = int((incoming.sent_at or datetime.now().astimezone()).timestamp() * 1000)
        changed = await asyncio.to_thread(self._remember, incoming, installed, at)
        if changed:
            self._filing.conversations_changed()
        if installed is None:
            return Outcome("handled") if changed else IGNORED
        news = await asyncio.to_thread(
            conversations.is_news,
            self._target,
            incoming.conversation.team_id or incoming.conversation.root,
            installed=installed,
            activity=str(number),
            at=at,
        )
        handler = self._handlers.of_kind("installed" if installed else "removed")
        if not news or handler is None:
            return Outcome("handled")
        reply = await self._run(handler, incoming)
        if installed:
            await self._say(number, incoming, reply, again=again)
        return Outcome("handled")

    def _remember(self, incoming: Incoming, installed: bool | None, at: int) -> bool:  # noqa: FBT001
        where, data = incoming.conversation, incoming.activity.get("channelData") or {}
        event = str(data.get("eventType") or "").lower()
        named: dict[str, Any] = {"service_url": where.service_url, "tenant_id": where.tenant_id, "last_seen": at}
        if where.kind == "channel":
            channel = data.get("channel") or {}
            if installed is False or event in {"teamdeleted", "teamharddeleted"}:
                conversations.lost_team(self._target, where.team_id, at)
                return True
            if installed is None and not event:
                return False
            gone = event == "channeldeleted"
            recipient = str(channel.get("id") or where.root)
            row = conversations.Row(
                recipient, "channel", recipient, installed=not gone, name=channel.get("name"), team_id=where.team_id, **named
            )
        elif installed is None:
            return False
        elif where.kind == "personal":
            if not incoming.user.id:
                return False
            name = incoming.user.name or None
            row = conversations.Row(incoming.user.id, "user", where.root, installed=installed, name=name, **named)
        else:
            row = conversations.Row(where.root, "group_chat", where.root, installed=installed, **named)
        conversations.remember(self._target, [row])
        return True


def _is_submit(activity: dict[str, Any]) -> bool:
    """Whether a message is that of an Action.Submit."""
    return activity.get("type") == "message" and isinstance(activity.get("value"), dict)


def _installed(activity: dict[str, Any]) -> bool | None:
    """Whether an activity tells that the bot was installed, or removed; nothing where it tells neither."""
    if activity.get("type") == "installationUpdate":
        return _INSTALLED.get(str(activity.get("action") or ""))
    own = str((activity.get("recipient") or {}).get("id") or "")
    for members, installed in (("membersAdded", True), ("membersRemoved", False)):
        ids = [str(one.get("id") or "") for one in activity.get(members) or [] if isinstance(one, dict)]
        if own and own in ids:
            return installed
        personal = (activity.get("conversation") or {}).get("conversationType") == "personal"
        if ids and personal and not installed:
            # Who leaves the tenant is removed, and the bot is not.
            return False
    return None


def _check(reply: Any) -> None:
    if reply is not None and not isinstance(reply, (Card, str)):
        raise TypeError(f"a handler returns a Card, a text or None, and this one a {type(reply).__name__}")
