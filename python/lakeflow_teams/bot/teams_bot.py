"""The bot: an ASGI app that proves, keeps and answers what Teams sends, and sends by itself."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakeflow_teams import _core
from lakeflow_teams._extras import need
from lakeflow_teams.bot import answers, files
from lakeflow_teams.bot.handlers import AnyHandler, Handlers
from lakeflow_teams.bot.incoming import Incoming
from lakeflow_teams.listen import asgi
from lakeflow_teams.options import as_options
from lakeflow_teams.options.environment import connection_from_environment

if TYPE_CHECKING:
    from lakeflow_teams.bot.dispatch import Dispatch, Outcome
    from lakeflow_teams.bot.filing import Filing
    from lakeflow_teams.bot.outbox import Message, Recipient, Sent

_log = logging.getLogger(__name__)

#: Where Teams posts to; where an app is mounted there itself, ``/``.
_MESSAGES = ("/api/messages", "/")
_HEALTH = ("/health", "/")
#: An invoke is answered within 3 s; what takes longer is answered later.
_INVOKE_SECONDS = 2.5
#: Handlers that are under way may end when the server does.
_STOP_SECONDS = 3.0


class TeamsBot:
    """A bot in Teams, as an ASGI 3 app: ``uvicorn app:bot``, or mounted in another one.

    ``connection`` are connection options, or nothing for those of the environment; ``target`` is the folder of the
    lakehouse, which gets the tables ``main/default/bot_activities`` and ``bot_conversations`` and the state under ``_bot``.
    Teams posts to ``/api/messages``; ``GET /health`` tells how it is. Each activity is proven (token, signature, audience,
    channel, service URL, tenant), on disk before it is acknowledged, and handled once however often it comes.

    ``allowed_tenants`` are ids of tenants whose people may write, by default the bot's own; ``["*"]`` allows all.
    ``card_signing_key_file`` holds the key that card data is signed with; by default one is made beside the state.
    ``card_lifetime`` is how long the actions of a card can be used. ``development`` also takes tokens of the Bot Framework
    Emulator, which prove no more than that somebody knows the bot's secret.

    Raises :class:`ConfigurationError` for what is wrong in the connection or the target.
    """

    def __init__(
        self,
        connection: Mapping[str, Any] | None = None,
        *,
        target: str | PathLike[str],
        credential: object | None = None,
        allowed_tenants: Sequence[str] | None = None,
        card_signing_key_file: str | PathLike[str] | None = None,
        card_lifetime: timedelta = timedelta(days=30),
        development: bool = False,
    ) -> None:
        for module in ("deltalake", "pyarrow"):
            need(module, "bot", "a bot")
        from lakeflow_teams.bot.dispatch import Dispatch
        from lakeflow_teams.bot.filing import Filing
        from lakeflow_teams.bot.outbox import Outbox
        from lakeflow_teams.deliver.conversations import FOLDER

        self._target = _folder(target)
        options = connection_from_environment(as_options(connection or {}), has_credential=credential is not None)
        state = self._target / FOLDER
        state.mkdir(parents=True, exist_ok=True)
        self._core = _core.Bot(
            state,
            options,
            credential=credential,
            allowed_tenants=None if allowed_tenants is None else list(allowed_tenants),
            signing_key_file=card_signing_key_file,
            development=development,
        )
        self._handlers = Handlers()
        self._outbox = Outbox(self._core, self._target, card_lifetime)
        self._make_filing: Callable[[], Filing] = lambda: Filing(self._core, self._target)
        self._make_dispatch: Callable[[Filing], Dispatch] = lambda filing: Dispatch(
            self._core, self._target, self._handlers, self._outbox, filing
        )
        self._starting = threading.Lock()
        self._open: ExitStack | None = None
        self._filing: Filing | None = None
        self._dispatch: Dispatch | None = None
        self._tasks: dict[int, asyncio.Task[Outcome]] = {}
        #: Invokes that are answered once more, when their handler is through.
        self._promised: set[int] = set()

    # What handles what -------------------------------------------------------------------------------------------------

    def action(self, name: str, *, signed: bool = True) -> Callable[[AnyHandler], AnyHandler]:
        """Declares who handles the actions of this name.

        It is the ``verb`` of an Action.Execute, or ``data.action`` of an Action.Submit. A returned card takes the place
        of the one that was used; a text is shown. Only data that this bot signed gets there, unless ``signed`` is false.
        """
        return lambda handler: self._handlers.add_action(name, handler, signed=signed)

    def invoke(self, name: str) -> Callable[[AnyHandler], AnyHandler]:
        """Declares who answers invokes of this name, such as ``task/fetch``; what is returned is the body of the answer."""
        return lambda handler: self._handlers.add_invoke(name, handler)

    def event(self, name: str) -> Callable[[AnyHandler], AnyHandler]:
        """Declares who handles events of this name, such as ``application/vnd.microsoft.readReceipt``."""
        return lambda handler: self._handlers.add_event(name, handler)

    def message(self, handler: AnyHandler) -> AnyHandler:
        """Declares who handles what people write; what is returned is sent as the answer."""
        return self._handlers.add("message", handler)

    def installed(self, handler: AnyHandler) -> AnyHandler:
        """Declares who is told that the bot was installed, once per installation; what is returned is sent as a welcome."""
        return self._handlers.add("installed", handler)

    def removed(self, handler: AnyHandler) -> AnyHandler:
        """Declares who is told that the bot was removed."""
        return self._handlers.add("removed", handler)

    def reaction(self, handler: AnyHandler) -> AnyHandler:
        """Declares who handles reactions to the bot's messages."""
        return self._handlers.add("reaction", handler)

    def edited(self, handler: AnyHandler) -> AnyHandler:
        """Declares who handles messages that were edited, or are back after they were deleted."""
        return self._handlers.add("edited", handler)

    def deleted(self, handler: AnyHandler) -> AnyHandler:
        """Declares who handles messages that were deleted."""
        return self._handlers.add("deleted", handler)

    def file_consent(self, handler: AnyHandler) -> AnyHandler:
        """Declares who is told what became of a file that was offered by :meth:`send_file`."""
        return self._handlers.add("file_consent", handler)

    # What it sends -----------------------------------------------------------------------------------------------------

    def send(self, recipient: Recipient, message: Message, *, summary: str | None = None, run: str = "bot") -> Sent:
        """Sends a card, a text or a whole message.

        ``recipient`` is a person's object id, a channel's id (``19:...``, a new post), a thread
        (``19:...;messageid=...``), or what a handler was given. The data of a card's actions is signed for this recipient
        and ``run``. Outside an event loop it returns once Teams has taken the message; inside it is sent beside what goes on
        there, and ``await bot.send(...)`` waits for it. Raises :class:`NotSentError`.
        """
        from lakeflow_teams.bot.outbox import Sent

        sent = Sent()
        return self._outbox.begin(sent, self._outbox.send(sent, recipient, message, summary=summary, run=run))

    def update(self, of: Sent | Incoming, message: Message, *, summary: str | None = None, run: str = "bot") -> Sent:
        """Replaces a message: one of :meth:`send`, ``Sent(conversation_id, activity_id)``, or the card that was used."""
        from lakeflow_teams.bot.outbox import Sent

        sent = Sent()
        return self._outbox.begin(sent, self._outbox.update(sent, of, message, summary=summary, run=run))

    def delete(self, of: Sent | Incoming) -> Sent:
        """Deletes a message."""
        from lakeflow_teams.bot.outbox import Sent

        sent = Sent()
        return self._outbox.begin(sent, self._outbox.delete(sent, of))

    def send_file(
        self,
        recipient: Recipient,
        content: bytes | str | PathLike[str],
        *,
        name: str | None = None,
        description: str = "",
        context: Any = None,
    ) -> Sent:
        """Offers a file to a person, which is uploaded to their OneDrive once they accept it.

        ``content`` are bytes (with a ``name``) or the path of a file. ``context`` comes back in ``file.context``.
        """
        if isinstance(content, bytes):
            body, shown = content, name
        else:
            body, shown = Path(content).read_bytes(), name or Path(content).name
        if not shown:
            raise _core.ConfigurationError("send_file: bytes need a name")
        from lakeflow_teams.bot.outbox import Sent

        sent = Sent()
        kept = files.keep(self._target, body)
        message = files.consent(shown, len(body), description, kept, context)
        return self._outbox.begin(sent, self._outbox.send_file(sent, recipient, message))

    # How it runs -------------------------------------------------------------------------------------------------------

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        """The ASGI app."""
        if scope["type"] == "lifespan":
            await asgi.lifespan(receive, send, self.start, self.stop)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        path, method = asgi.path_of(scope), scope["method"]
        if method == "POST" and path in _MESSAGES:
            await self._post(scope, receive, send)
        elif method in {"GET", "HEAD"} and path in _HEALTH:
            await self._health(send)
        elif path in _MESSAGES or path in _HEALTH:
            await asgi.answer(send, 405, headers=[(b"allow", b"POST" if path == _MESSAGES[0] else b"GET, POST")])
        else:
            await asgi.answer(send, 404)

    @asynccontextmanager
    async def lifespan(self, _app: object = None) -> AsyncIterator[None]:
        """For an app that this one is mounted in: ``FastAPI(lifespan=bot.lifespan)``.

        Without it the bot begins with its first request.
        """
        await self.start()
        try:
            yield
        finally:
            await self.stop()

    async def start(self) -> None:
        """Begins to receive; what an earlier process acknowledged and did not handle is handled now."""
        if self._open is not None:
            return
        if await asyncio.to_thread(self._begin):
            for number, text in self._core.pending():
                activity = self._read(number, text)
                if activity is None:
                    continue
                task = self._schedule(number, activity, again=True)
                if activity.get("type") == "invoke":
                    # Who clicked does not wait any more.
                    self._promise(number, activity, task)

    def _begin(self) -> bool:
        from lakeflow_teams.deliver.files import alone

        with self._starting:
            if self._open is not None:
                return False
            with ExitStack() as stack:
                from lakeflow_teams.deliver.conversations import FOLDER

                stack.enter_context(alone(self._target / FOLDER, "bot"))
                self._core.begin()
                stack.callback(self._core.close)
                filing = self._make_filing()
                filing.start()
                stack.callback(filing.stop)
                self._filing, self._dispatch = filing, self._make_dispatch(filing)
                self._open = stack.pop_all()
            return True

    async def stop(self) -> None:
        """Ends: handlers under way have a moment, and what the tables lack is written."""
        if self._open is None:
            return
        under_way = [task for task in self._tasks.values() if not task.done()]
        if under_way:
            _, late = await asyncio.wait(under_way, timeout=_STOP_SECONDS)
            # They stay to be handled, and begin again with the next process.
            for task in late:
                task.cancel()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._outbox.settled(), 1.0)
        opened, self._open = self._open, None
        await asyncio.to_thread(opened.close)

    async def _health(self, send: asgi.Send) -> None:
        known, pending, unfiled = self._core.counts() if self._open is not None else (0, 0, 0)
        await asgi.answer_json(send, 200, {"status": "ok", "known": known, "pending": pending, "unfiled": unfiled})

    async def _post(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        try:
            body = await asgi.read_body(scope, receive, self._core.most_bytes)
        except asgi.TooLargeError:
            _log.warning("refused an activity with 413: too large")
            await asgi.answer(send, 413, headers=[(b"connection", b"close")])
            return
        except asgi.TooSlowError:
            await asgi.answer(send, 408, headers=[(b"connection", b"close")])
            return
        except asgi.DisconnectedError:
            return
        if self._open is None:
            await self.start()
        status, why, number, is_new, state, answer = await self._core.receive(asgi.header(scope, "authorization"), body)
        if status != 200:
            _log.warning("refused an activity with %d: %s", status, why)
            headers = [(b"retry-after", b"5")] if status == 503 else []
            await asgi.answer(send, status, headers=headers)
            return
        activity = self._read(number, body)
        if activity is None:
            await asgi.answer(send, 200)
            return
        is_invoke = activity.get("type") == "invoke"
        if is_new:
            self._take(number, activity)
        if not is_invoke:
            await asgi.answer(send, 200)
            return
        if state != "pending":
            # It was answered before, and the answer did not arrive.
            found = None if answer is None else json.loads(answer)
            await _answer(send, 501 if state == "ignored" and found is None else 200, found)
            return
        await self._answer_invoke(send, number, activity)

    def _read(self, number: int, text: str | bytes) -> dict[str, Any] | None:
        """An activity that is kept. One that Python's reader refuses, such as for an endless number, ends here."""
        try:
            activity: dict[str, Any] = json.loads(text)
        except (ValueError, RecursionError) as error:
            _log.error("activity %d cannot be read: %s", number, type(error).__name__)
            self._core.end(number, "failed", "unreadable")
            return None
        return activity

    def _take(self, number: int, activity: dict[str, Any]) -> None:
        assert self._dispatch is not None  # noqa: S101, it begins before anything is received
        if self._dispatch.is_ignored(activity):
            self._core.end(number, "ignored")
        else:
            self._schedule(number, activity, again=False)

    def _schedule(self, number: int, activity: dict[str, Any], *, again: bool) -> asyncio.Task[Outcome]:
        assert self._dispatch is not None  # noqa: S101
        task = asyncio.get_running_loop().create_task(self._dispatch.handle(number, activity, again=again))
        self._tasks[number] = task
        task.add_done_callback(lambda _: self._tasks.pop(number, None))
        return task

    async def _answer_invoke(self, send: asgi.Send, number: int, activity: dict[str, Any]) -> None:
        """The handler's answer, if it is there in time."""
        task = self._tasks.get(number)
        if task is None:
            await _answer(send, 200, None)
            return
        done, _ = await asyncio.wait([task], timeout=_INVOKE_SECONDS)
        if done:
            outcome = task.result()
            await _answer(send, outcome.status, outcome.answer)
            return
        self._promise(number, activity, task)
        await _answer(send, 200, answers.WORKING if activity.get("name") == "adaptiveCard/action" else None)

    def _promise(self, number: int, activity: dict[str, Any], task: asyncio.Task[Outcome]) -> None:
        """Tells the person once the handler is through; once, however often the invoke comes."""
        if number not in self._promised:
            self._promised.add(number)
            task.add_done_callback(partial(self._late, number, activity))

    def _late(self, number: int, activity: dict[str, Any], task: asyncio.Task[Outcome]) -> None:
        self._promised.discard(number)
        if task.cancelled() or task.exception() is not None:
            return
        from lakeflow_teams.bot.outbox import Sent

        assert self._dispatch is not None  # noqa: S101
        self._outbox.begin(Sent(), self._dispatch.say_late(number, activity, task.result()))


async def _answer(send: asgi.Send, status: int, body: Any) -> None:
    if body is None:
        await asgi.answer(send, status)
    else:
        await asgi.answer_json(send, status, body)


def _folder(target: str | PathLike[str]) -> Path:
    """The folder of the lakehouse. A journal that is on disk before each answer needs a disk."""
    from lakeflow_teams.store.folder import Folder
    from lakeflow_teams.store.locate import locate

    if not isinstance(locate(target), Folder):
        raise _core.ConfigurationError(f"target {target}: a bot keeps its journal in a folder of this machine; name one")
    return Path(target)
