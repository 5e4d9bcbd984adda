"""The card of a document: a file beside it, or in it."""

from __future__ import annotations

import json
from typing import Any

from lakeflow_teams.deliver.yaml_file import Reader


def read_card(reader: Reader, given: Any) -> tuple[dict[str, Any], str]:
    """The card that a document names as a file or holds itself, and where that is. Refuses what is no card."""
    if isinstance(given, dict):
        return given, "card"
    if not isinstance(given, str):
        reader.refuse("card", "the path of a JSON file with an Adaptive Card is expected")
    path = reader.folder / given
    try:
        card = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        reader.refuse("card", f"{path} cannot be read: {error.strerror or error}")
    except ValueError as error:
        reader.refuse("card", f"{path} is no JSON: {error}")
    if not isinstance(card, dict) or card.get("type") != "AdaptiveCard":
        reader.refuse("card", f'{path} is no Adaptive Card: its type is not "AdaptiveCard"')
    return card, str(path)
