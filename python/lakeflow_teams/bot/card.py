"""Adaptive Cards (https://adaptivecards.io): one as a mapping, from a file, or made of the parts that most cards have."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from lakeflow_teams import _core

#: The newest version that Teams shows.
VERSION = "1.5"


@dataclass(frozen=True)
class CardProblem:
    """What Teams would refuse (``error``) or leave out (``warning``) of a card."""

    pointer: str
    """JSON pointer to the element, such as ``/body/0``; empty for the card itself."""
    element: str
    """Its type, such as ``TextBlock``."""
    severity: Literal["error", "warning"]
    message: str

    def __str__(self) -> str:
        place = f"{self.pointer} ({self.element})" if self.pointer and self.element else self.pointer or "the card"
        return f"{place}: {self.message}"


class Card:
    """An Adaptive Card.

    ``content`` is the card as a mapping, or its JSON text; it may be a template with ``${...}``, which :meth:`expand` binds
    data into. Raises :class:`ConfigurationError` for what is no JSON object.
    """

    def __init__(self, content: Mapping[str, Any] | str) -> None:
        parsed = json.loads(_text(content))
        if not isinstance(parsed, dict):
            raise _core.ConfigurationError(f"a card is a JSON object, and this is a {type(parsed).__name__}")
        self._content: dict[str, Any] = parsed

    @classmethod
    def file(cls, path: str | PathLike[str], data: Any = None) -> Card:
        """The card in a JSON file. With ``data`` it is a template, and the data is bound into it."""
        try:
            text = Path(path).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise _core.ConfigurationError(f"card {path}: it cannot be read: {_reason(error)}") from None
        try:
            card = cls(text)
        except _core.ConfigurationError as error:
            raise _core.ConfigurationError(f"card {path}: {error}") from None
        return card if data is None else card.expand(data)

    @classmethod
    def of(
        cls,
        title: str | None = None,
        text: str | None = None,
        *,
        facts: Mapping[str, object] | None = None,
        image: str | None = None,
        inputs: Iterable[Mapping[str, Any]] = (),
        actions: Iterable[Mapping[str, Any]] = (),
    ) -> Card:
        """A card of the parts that most have, in this order: title, text, image, facts, inputs and buttons.

        The text takes Markdown's bold, italics, lists and links. :meth:`input`, :meth:`choices`, :meth:`toggle` and
        :meth:`date` make inputs, :meth:`action` and :meth:`link` make buttons.
        """
        body: list[dict[str, Any]] = []
        if title is not None:
            body.append({"type": "TextBlock", "text": title, "size": "Large", "weight": "Bolder", "wrap": True})
        if text is not None:
            body.append({"type": "TextBlock", "text": text, "wrap": True})
        if image is not None:
            body.append({"type": "Image", "url": image, "altText": title or ""})
        if facts:
            body.append({"type": "FactSet", "facts": [{"title": one, "value": str(value)} for one, value in facts.items()]})
        body.extend(dict(one) for one in inputs)
        buttons = [dict(one) for one in actions]
        if buttons:
            # In a set, because only there an older client finds the fallback of a button.
            body.append({"type": "ActionSet", "actions": buttons})
        return cls({"type": "AdaptiveCard", "version": VERSION, "body": body})

    @staticmethod
    def action(
        title: str,
        name: str,
        data: Mapping[str, Any] | None = None,
        *,
        style: Literal["default", "positive", "destructive"] = "default",
    ) -> dict[str, Any]:
        """A button that comes back to the bot under ``name``, with ``data`` and what was filled in.

        It is an Action.Execute, and an Action.Submit for clients that do not know that yet
        (https://learn.microsoft.com/adaptive-cards/authoring-cards/universal-action-model).
        """
        own = dict(data or {})
        execute = {"type": "Action.Execute", "title": title, "verb": name, "data": own}
        submit = {"type": "Action.Submit", "title": title, "data": {**own, "action": name}}
        if style != "default":
            execute["style"] = submit["style"] = style
        return {**execute, "fallback": submit}

    @staticmethod
    def link(title: str, url: str) -> dict[str, Any]:
        """A button that opens an address."""
        return {"type": "Action.OpenUrl", "title": title, "url": url}

    @staticmethod
    def input(
        id: str,  # noqa: A002, the schema's word
        label: str,
        *,
        value: str = "",
        multiline: bool = False,
        required: bool = False,
    ) -> dict[str, Any]:
        """A text to fill in."""
        made: dict[str, Any] = {"type": "Input.Text", "id": id, "label": label, "isMultiline": multiline, "value": value}
        return _required(made, label, required)

    @staticmethod
    def choices(
        id: str,  # noqa: A002
        label: str,
        options: Mapping[str, str] | Sequence[str],
        *,
        value: str = "",
        multiple: bool = False,
        required: bool = False,
    ) -> dict[str, Any]:
        """One or several of some options, each a value with its title (or both in one)."""
        titles = options if isinstance(options, Mapping) else {one: one for one in options}
        shown = [{"title": title, "value": one} for one, title in titles.items()]
        made = {
            "type": "Input.ChoiceSet",
            "id": id,
            "label": label,
            "choices": shown,
            "value": value,
            "isMultiSelect": multiple,
        }
        return _required(made, label, required)

    @staticmethod
    def toggle(id: str, title: str, *, value: bool = False) -> dict[str, Any]:  # noqa: A002
        """A yes or no: ``"true"`` or ``"false"`` among the inputs."""
        return {"type": "Input.Toggle", "id": id, "title": title, "value": "true" if value else "false"}

    @staticmethod
    def date(id: str, label: str, *, value: str = "", required: bool = False) -> dict[str, Any]:  # noqa: A002
        """A date, as ``YYYY-MM-DD``."""
        return _required({"type": "Input.Date", "id": id, "label": label, "value": value}, label, required)

    @property
    def content(self) -> dict[str, Any]:
        """The card as a mapping; a copy."""
        content: dict[str, Any] = json.loads(self.json())
        return content

    @property
    def columns(self) -> list[str]:
        """The members of the data that the card names as a template."""
        return _core.card_columns(self.json())

    @property
    def problems(self) -> list[CardProblem]:
        """What Teams would refuse or leave out, in the order of the elements; empty for a card that is good."""
        return [CardProblem(*found) for found in _core.check_card(self.json())]

    def json(self) -> str:
        """The card as JSON text."""
        return json.dumps(self._content, ensure_ascii=False)

    def expand(self, data: Any) -> Card:
        """The card with data bound into it (https://learn.microsoft.com/adaptive-cards/templating/language).

        Raises :class:`ConfigurationError` that points at the element whose expression is wrong or fails.
        """
        (expanded,) = _core.expand_card(self.json(), [_text(data)])
        return Card(expanded)

    def attachment(self) -> dict[str, Any]:
        """The card as an attachment of a bot's message."""
        return {"contentType": "application/vnd.microsoft.card.adaptive", "content": self.content}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Card) and self._content == other._content

    def __hash__(self) -> int:
        return hash(json.dumps(self._content, sort_keys=True))

    def __repr__(self) -> str:
        kinds = [str(one.get("type")) for one in self._content.get("body", []) if isinstance(one, dict)]
        return f"Card({', '.join(kinds) or 'empty'})"


def _required(made: dict[str, Any], label: str, required: bool) -> dict[str, Any]:  # noqa: FBT001
    if required:
        made |= {"isRequired": True, "errorMessage": f"{label}: please fill this in"}
    return made


def _text(content: Any) -> str:
    """JSON text of a value, or a text that is JSON."""
    if isinstance(content, str):
        try:
            json.loads(content)
        except ValueError as error:
            raise _core.ConfigurationError(f"it is no JSON: {error}") from None
        return content
    try:
        return json.dumps(content, ensure_ascii=False, default=_plain)
    except (TypeError, ValueError) as error:
        raise _core.ConfigurationError(f"it cannot be written as JSON: {error}") from None


def _plain(value: object) -> object:
    """Times as ISO 8601; a mapping as an object."""
    if isinstance(value, Mapping):
        return dict(value)
    iso = getattr(value, "isoformat", None)
    if iso is None:
        raise TypeError(f"a {type(value).__name__} cannot be used in a card")
    return iso()


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror or str(error)
