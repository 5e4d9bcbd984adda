"""An app package: ``manifest.json`` and two icons in a zip."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from lakeflow_teams import _core
from lakeflow_teams.bot.app_package.check import NAMES, check_manifest
from lakeflow_teams.bot.app_package.icons import color_icon, outline_icon

#: Of the schema (https://learn.microsoft.com/microsoftteams/platform/resources/schema/manifest-schema).
SCHEMA_VERSION = "1.25"
_MANIFEST, _COLOR, _OUTLINE = NAMES
#: The same content gives the same file, whenever it is written.
_WRITTEN = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class AppPackage:
    """What the manifest of a bot's app says.

    ``app_id`` is the application (client) ID of the bot. ``id`` is the app's own, by default the same, so that a broadcast
    finds it in the catalogue. ``description`` has at most 80 characters, ``details`` at most 4,000. ``scopes`` are where
    the bot can be: ``personal``, ``team``, ``groupChat``. ``permissions`` are those of resource-specific consent, such as
    ``ChannelMessage.Read.Group``. ``activities`` are kinds of feed notifications, each with the text that it shows, in which
    ``{name}`` stands for a parameter. ``commands`` are what the message box offers, each with a sentence.
    """

    app_id: str
    name: str
    website: str
    description: str = ""
    details: str = ""
    developer: str = ""
    privacy: str = ""
    terms: str = ""
    id: str = ""
    version: str = "1.0.0"
    color: str = "#4464EE"
    scopes: Sequence[str] = ("personal", "team", "groupChat")
    supports_files: bool = True
    domains: Sequence[str] = ()
    permissions: Sequence[str] = ()
    activities: Mapping[str, str] = field(default_factory=dict)
    commands: Mapping[str, str] = field(default_factory=dict)

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest as a mapping."""
        bot: dict[str, Any] = {"botId": self.app_id, "scopes": list(self.scopes), "supportsFiles": self.supports_files}
        if self.commands:
            commands = [{"title": title, "description": text} for title, text in self.commands.items()]
            bot["commandLists"] = [{"scopes": list(self.scopes), "commands": commands}]
        made: dict[str, Any] = {
            "$schema": f"https://developer.microsoft.com/json-schemas/teams/v{SCHEMA_VERSION}/MicrosoftTeams.schema.json",
            "manifestVersion": SCHEMA_VERSION,
            "version": self.version,
            "id": self.id or self.app_id,
            "developer": {
                "name": self.developer or self.name,
                "websiteUrl": self.website,
                "privacyUrl": self.privacy or self.website,
                "termsOfUseUrl": self.terms or self.website,
            },
            "name": {"short": self.name},
            "description": {"short": self.description or self.name, "full": self.details or self.description or self.name},
            "icons": {"color": _COLOR, "outline": _OUTLINE},
            "accentColor": self.color,
            "bots": [bot],
            "validDomains": list(self.domains),
            "webApplicationInfo": {"id": self.app_id, "resource": f"api://botid-{self.app_id}"},
        }
        if self.permissions:
            granted = [{"name": name, "type": "Application"} for name in self.permissions]
            made["authorization"] = {"permissions": {"resourceSpecific": granted}}
        if self.activities:
            kinds = [{"type": kind, "description": kind, "templateText": text} for kind, text in self.activities.items()]
            made["activities"] = {"activityTypes": kinds}
        return made

    @property
    def problems(self) -> list[str]:
        """What Teams would refuse, as lines that begin with the place in the manifest."""
        return check_manifest(self.manifest)

    def write(self, to: str | PathLike[str]) -> Path:
        """Writes the package. Raises :class:`ConfigurationError`, and writes nothing, where Teams would refuse it."""
        if self.problems:
            raise _core.ConfigurationError(f"Teams would refuse the app: {'; '.join(self.problems)}")
        path = Path(to)
        path.parent.mkdir(parents=True, exist_ok=True)
        files = {
            _MANIFEST: json.dumps(self.manifest, indent=2, ensure_ascii=False).encode(),
            _COLOR: color_icon(self.color),
            _OUTLINE: outline_icon(),
        }
        draft = path.with_name(f".{path.name}.draft")
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(zipfile.ZipInfo(name, _WRITTEN), content, zipfile.ZIP_DEFLATED)
        draft.replace(path)
        return path
