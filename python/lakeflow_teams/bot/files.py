"""Files for people: a card asks for consent, and the file is uploaded to the person's OneDrive once they give it.

See https://learn.microsoft.com/microsoftteams/platform/bots/how-to/bots-filesv4.
"""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any

from lakeflow_teams import _core
from lakeflow_teams.bot.incoming import File
from lakeflow_teams.deliver.conversations import FOLDER

CONSENT = "fileConsent/invoke"
_CONSENT_CARD = "application/vnd.microsoft.teams.card.file.consent"
_INFO_CARD = "application/vnd.microsoft.teams.card.file.info"
_VERB = "file"


def keep(target: Path, content: bytes) -> str:
    """Keeps a file until its recipient has decided, for its owner only; returns its name there."""
    folder = target / FOLDER / "files"
    folder.mkdir(parents=True, exist_ok=True)
    name = secrets.token_hex(16)
    descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return name


def kept(target: Path, name: str) -> bytes:
    """What was kept."""
    return (target / FOLDER / "files" / name).read_bytes()


def drop(target: Path, name: str) -> None:
    """Forgets it."""
    (target / FOLDER / "files" / name).unlink(missing_ok=True)


def consent(name: str, size: int, description: str, kept_as: str, context: Any) -> dict[str, Any]:
    """The message that asks. Its context is signed with the card, as the data of an action is."""
    content = {"description": description, "sizeInBytes": size}
    data = {"kept": kept_as, "name": name, "context": context}
    action = {"type": "Action.Execute", "verb": _VERB, "data": data}
    return {"attachments": [{"contentType": _CONSENT_CARD, "name": name, "content": content}], "action": action}


def with_context(message: dict[str, Any], context: dict[str, Any]) -> dict[str, Any]:
    """The message with its signed context."""
    attachment = message["attachments"][0]
    content = {**attachment["content"], "acceptContext": context, "declineContext": context}
    return {"attachments": [{**attachment, "content": content}]}


def opened(core: _core.Bot, value: dict[str, Any], recipients: list[str]) -> tuple[str, dict[str, Any]]:
    """What came back with the decision: why it is not ours, or empty; and what was signed."""
    why, _, _, data, _ = core.unseal(json.dumps(value.get("context")), _VERB, recipients)
    found = json.loads(data)
    return why, found if isinstance(found, dict) else {}


def decided(value: dict[str, Any], data: dict[str, Any], *, uploaded: bool) -> File:
    """What the person decided."""
    about = value.get("uploadInfo") or {}
    accepted = value.get("action") == "accept"
    return File(str(data.get("name") or ""), accepted, uploaded, str(about.get("contentUrl") or ""), data.get("context"))


def info(value: dict[str, Any]) -> dict[str, Any]:
    """The message that shows the file."""
    about = value["uploadInfo"]
    content = {"uniqueId": about.get("uniqueId"), "fileType": about.get("fileType")}
    card = {"contentType": _INFO_CARD, "name": about.get("name"), "contentUrl": about.get("contentUrl"), "content": content}
    return {"attachments": [card]}
