"""Which function of the user handles an activity."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from lakeflow_teams import _core
from lakeflow_teams.bot.incoming import Incoming, Reply

Handler = Callable[[Incoming], Reply | Awaitable[Reply]]
#: One that answers an invoke of another kind: what it returns is the body of the answer.
Answerer = Callable[[Incoming], Any]
AnyHandler = TypeVar("AnyHandler", bound=Callable[[Incoming], Any])

#: What Teams calls an activity, and what its handler is declared as.
_KINDS = {"message": "message", "messageReaction": "reaction", "messageUpdate": "edited", "messageDelete": "deleted"}


@dataclass(frozen=True)
class Action:
    """A handler of a card's action."""

    run: Callable[[Incoming], Any]
    signed: bool


class Handlers:
    """The functions that a bot was given."""

    def __init__(self) -> None:
        self._actions: dict[str, Action] = {}
        self._invokes: dict[str, Callable[[Incoming], Any]] = {}
        self._events: dict[str, Callable[[Incoming], Any]] = {}
        self._kinds: dict[str, Callable[[Incoming], Any]] = {}

    def add_action(self, name: str, handler: AnyHandler, *, signed: bool) -> AnyHandler:
        """For the actions of this name."""
        _once(self._actions, name, Action(handler, signed), f"action {name!r}")
        return handler

    def add_invoke(self, name: str, handler: AnyHandler) -> AnyHandler:
        """For invokes of this name."""
        _once(self._invokes, name, handler, f"invoke {name!r}")
        return handler

    def add_event(self, name: str, handler: AnyHandler) -> AnyHandler:
        """For events of this name."""
        _once(self._events, name, handler, f"event {name!r}")
        return handler

    def add(self, kind: str, handler: AnyHandler) -> AnyHandler:
        """For all of a kind."""
        if not callable(handler):
            raise _core.ConfigurationError(f"@bot.{kind} takes no arguments: write it without parentheses")
        _once(self._kinds, kind, handler, kind)
        return handler

    def action(self, name: str) -> Action | None:
        """Who handles an action of this name."""
        return self._actions.get(name)

    def of_kind(self, kind: str) -> Callable[[Incoming], Any] | None:
        """Who handles an installation, a removal, the consent to a file."""
        return self._kinds.get(kind)

    def of(self, activity: dict[str, Any]) -> Callable[[Incoming], Any] | None:
        """Who handles an activity that is no action, no installation and no file."""
        kind, name = activity.get("type"), str(activity.get("name") or "")
        if kind == "invoke":
            return self._invokes.get(name)
        if kind == "event":
            return self._events.get(name)
        return self._kinds.get(_KINDS.get(str(kind), ""))


def _once(known: dict[str, Any], name: str, handler: Any, what: str) -> None:
    if name in known:
        raise _core.ConfigurationError(f"two functions handle {what}: the bot would not know which one is meant")
    known[name] = handler
