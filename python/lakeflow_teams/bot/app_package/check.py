"""What Teams would refuse of an app's manifest and package.

Lengths, patterns and counts are those of the schema
(https://learn.microsoft.com/microsoftteams/platform/resources/schema/manifest-schema), sizes of icons those of the package.
"""

from __future__ import annotations

import json
import re
import struct
import zipfile
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Any

from lakeflow_teams import _core
from lakeflow_teams._suggest import did_you_mean
from lakeflow_teams.bot.app_package.icons import COLOR_SIZE, OUTLINE_SIZE, SIGNATURE

#: The files of a package: manifest, colour icon, outline icon.
NAMES = ("manifest.json", "color.png", "outline.png")
SCOPES = ("personal", "team", "groupChat")
#: Versions of the schema that have all that we write.
_OLDEST, _NEWEST = (1, 13), (1, 30)
#: Characters of the parts of a manifest.
_LENGTHS = {
    "/name/short": 30,
    "/name/full": 100,
    "/description/short": 80,
    "/description/full": 4_000,
    "/developer/name": 32,
    "/version": 256,
}
_REQUIRED = (
    "/manifestVersion",
    "/version",
    "/id",
    "/developer/name",
    "/developer/websiteUrl",
    "/developer/privacyUrl",
    "/developer/termsOfUseUrl",
    "/name/short",
    "/description/short",
    "/description/full",
    "/icons/color",
    "/icons/outline",
    "/accentColor",
)
_GUID = re.compile(r"[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_ADDRESS = (re.compile(r"https://\S+"), "an https address")
_PATTERNS = {
    "/id": (_GUID, "a GUID"),
    "/bots/0/botId": (_GUID, "a GUID: the bot's application (client) ID"),
    "/webApplicationInfo/id": (_GUID, "a GUID"),
    "/version": (re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"), "a version such as 1.0.0"),
    "/accentColor": (re.compile(r"#[0-9a-fA-F]{6}"), "a colour such as #4464EE"),
    "/developer/websiteUrl": _ADDRESS,
    "/developer/privacyUrl": _ADDRESS,
    "/developer/termsOfUseUrl": _ADDRESS,
}
_DOMAIN = re.compile(r"(\*\.)?([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}(:\d+)?|token\.botframework\.com")
#: Resource-specific consent is given for a team, a chat or a person, and the name ends with which.
_PERMISSION = re.compile(r"[A-Za-z]+(\.[A-Za-z]+)+\.(Group|Chat|User)")
_MOST_DOMAINS = _MOST_PERMISSIONS = 16
_MOST_COMMANDS = 12
_MOST_ACTIVITIES = 128


def check_app_package(path: str | PathLike[str]) -> list[str]:
    """What Teams would refuse of a package, or of a ``manifest.json`` alone; empty for one that is good.

    Raises :class:`ConfigurationError` for what is neither.
    """
    place = Path(path)
    try:
        if not zipfile.is_zipfile(place):
            return check_manifest(_parsed(place, place.read_bytes()))
        with zipfile.ZipFile(place) as archive:
            return list(_package(place, archive))
    except OSError as error:
        raise _core.ConfigurationError(f"{place}: it cannot be read: {error.strerror or error}") from None


def _package(place: Path, archive: zipfile.ZipFile) -> Iterator[str]:
    names = archive.namelist()
    if NAMES[0] not in names:
        nested = next((name for name in names if name.endswith(f"/{NAMES[0]}")), None)
        where = f"; {nested} is in a folder, and has to be at the top" if nested else ""
        yield f"there is no {NAMES[0]}{where}"
        return
    manifest = _parsed(place, archive.read(NAMES[0]))
    yield from check_manifest(manifest)
    for kind, size in (("color", COLOR_SIZE), ("outline", OUTLINE_SIZE)):
        icon = _at(manifest, f"/icons/{kind}")
        if isinstance(icon, str) and icon:
            yield from _icon(kind, icon, size, archive.read(icon) if icon in names else None)


def _icon(kind: str, name: str, size: int, content: bytes | None) -> Iterator[str]:
    if content is None:
        yield f"/icons/{kind}: the package has no {name}"
    elif content[:8] != SIGNATURE or len(content) < 24:
        yield f"/icons/{kind}: {name} is no PNG"
    elif (seen := struct.unpack(">2I", content[16:24])) != (size, size):
        yield f"/icons/{kind}: {name} has {seen[0]} by {seen[1]} pixels; {size} by {size} are needed"


def check_manifest(manifest: dict[str, Any]) -> list[str]:
    """The same of a manifest as a mapping."""
    checks = (_version, _required, _texts, _bots, _domains, _identity, _permissions, _activities)
    return [line for check in checks for line in check(manifest)]


def _parsed(place: Path, content: bytes) -> dict[str, Any]:
    try:
        manifest = json.loads(content.decode("utf-8-sig"))
    except ValueError as error:
        raise _core.ConfigurationError(f"{place}: the manifest is no JSON: {error}") from None
    if not isinstance(manifest, dict):
        raise _core.ConfigurationError(f"{place}: the manifest is no JSON object")
    return manifest


def _at(manifest: Any, pointer: str) -> Any:
    found = manifest
    for part in pointer.split("/")[1:]:
        if isinstance(found, list):
            found = found[int(part)] if int(part) < len(found) else None
        else:
            found = found.get(part) if isinstance(found, dict) else None
    return found


def _list(manifest: dict[str, Any], pointer: str) -> list[Any]:
    found = _at(manifest, pointer)
    return found if isinstance(found, list) else []


def _version(manifest: dict[str, Any]) -> Iterator[str]:
    version, schema = manifest.get("manifestVersion"), str(manifest.get("$schema", ""))
    match = re.fullmatch(r"(\d+)\.(\d+)", str(version))
    if version is not None and not (match and _OLDEST <= (int(match[1]), int(match[2])) <= _NEWEST):
        yield f"/manifestVersion: {version!r} is none of 1.{_OLDEST[1]} to 1.{_NEWEST[1]}"
    elif match and schema and f"/v{version}/" not in schema:
        yield f"/$schema: {schema} is not that of version {version}"


def _required(manifest: dict[str, Any]) -> Iterator[str]:
    for pointer in _REQUIRED:
        if _at(manifest, pointer) in (None, ""):
            yield f"{pointer}: it is missing"


def _texts(manifest: dict[str, Any]) -> Iterator[str]:
    for pointer, most in _LENGTHS.items():
        text = _at(manifest, pointer)
        if isinstance(text, str) and len(text) > most:
            yield f"{pointer}: {len(text)} characters are more than {most}"
    for pointer, (pattern, what) in _PATTERNS.items():
        value = _at(manifest, pointer)
        if value not in (None, "") and not (isinstance(value, str) and pattern.fullmatch(value)):
            yield f"{pointer}: {value!r} is not {what}"


def _bots(manifest: dict[str, Any]) -> Iterator[str]:
    bots = _list(manifest, "/bots")
    if len(bots) != 1:
        yield f"/bots: there are {len(bots)}, and an app has one"
    for at, bot in enumerate(one for one in bots if isinstance(one, dict)):
        scopes = bot.get("scopes") or []
        if not scopes:
            yield f"/bots/{at}/scopes: it names none of {', '.join(SCOPES)}"
        for scope in scopes:
            if scope not in (*SCOPES, "copilot"):
                yield f"/bots/{at}/scopes: {scope!r} is none of {', '.join(SCOPES)}{did_you_mean(str(scope), SCOPES)}"
        for list_at, commands in enumerate(_list(bot, "/commandLists")):
            if len(commands.get("commands", [])) > _MOST_COMMANDS:
                yield f"/bots/{at}/commandLists/{list_at}: more than {_MOST_COMMANDS} commands"
    if any(one.get("supportsSessions") for one in (manifest, *bots) if isinstance(one, dict)):
        yield (
            "supportsSessions: it is on, so that each request for a conversation opens another one, and broadcasts are "
            "refused: take it out"
        )


def _domains(manifest: dict[str, Any]) -> Iterator[str]:
    domains = _list(manifest, "/validDomains")
    if len(domains) > _MOST_DOMAINS:
        yield f"/validDomains: there are {len(domains)}, and at most {_MOST_DOMAINS} are taken"
    for at, domain in enumerate(domains):
        if not _DOMAIN.fullmatch(str(domain)):
            yield f"/validDomains/{at}: {domain!r} is no domain such as app.example.com, without https:// and path"


def _identity(manifest: dict[str, Any]) -> Iterator[str]:
    """The application that acts is the bot's: else neither consent nor installing by the app itself reaches it."""
    bot, application = _at(manifest, "/bots/0/botId"), _at(manifest, "/webApplicationInfo/id")
    if application and bot and str(application).lower() != str(bot).lower():
        yield f"/webApplicationInfo/id: {application} is not the bot's application {bot}"
    if not application and (_list(manifest, "/authorization/permissions/resourceSpecific") or manifest.get("activities")):
        yield "/webApplicationInfo: it is missing, and permissions and activities need it"


def _permissions(manifest: dict[str, Any]) -> Iterator[str]:
    place = "/authorization/permissions/resourceSpecific"
    given = _list(manifest, place)
    if len(given) > _MOST_PERMISSIONS:
        yield f"{place}: there are {len(given)}, and at most {_MOST_PERMISSIONS} are taken"
    names = [str(one.get("name")) for one in given if isinstance(one, dict)]
    for at, name in enumerate(names):
        if not _PERMISSION.fullmatch(name):
            yield f"{place}/{at}: {name!r} ends in none of .Group, .Chat, .User; others are granted in Entra ID"
        if name in names[:at]:
            yield f"{place}/{at}: {name} stands there twice"


def _activities(manifest: dict[str, Any]) -> Iterator[str]:
    place = "/activities/activityTypes"
    kinds = _list(manifest, place)
    if len(kinds) > _MOST_ACTIVITIES:
        yield f"{place}: there are {len(kinds)}, and at most {_MOST_ACTIVITIES} are taken"
    for at, kind in enumerate(one for one in kinds if isinstance(one, dict)):
        for part, most in (("type", 64), ("description", 128), ("templateText", 128)):
            text = kind.get(part)
            if not isinstance(text, str) or not 0 < len(text) <= most:
                yield f"{place}/{at}/{part}: a text of 1 to {most} characters is expected"
        if kind.get("type") == "systemDefault":
            yield f"{place}/{at}/type: systemDefault is Teams' own: it needs no entry"
