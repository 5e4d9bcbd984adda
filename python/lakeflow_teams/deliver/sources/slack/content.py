"""Bytes of files: from the archive where it has them (`__uploads/ID/NAME`), else from Slack.

Slack's own exports hold links. They carry a token of the export while it is valid; without one, `token` (a bot or user token
with the scope `files:read`) is sent, and to Slack's hosts only.
"""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from collections.abc import Iterable
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from lakeflow_teams.deliver.sources.archive import Archive, EntryError, reading
from lakeflow_teams.deliver.sources.json_items import array_items
from lakeflow_teams.deliver.sources.loose import Json, mappings, text
from lakeflow_teams.deliver.sources.model import SourceError
from lakeflow_teams.deliver.sources.slack.files import files_of

_HOSTS = ("slack.com", "slack-files.com", "slack-edge.com")
_UPLOAD = re.compile(r"(?:^|/)__uploads/([^/]+)/[^/]+$")
_HAS_TOKEN = re.compile(r"[?&]t=[^&#]")
#: Far above what a message can hold; files beyond are linked.
_LARGEST = 250 * 1024 * 1024
_TIMEOUT_SECONDS = 60


class Content:
    """What the files of one export hold."""

    def __init__(self, archive: Archive, token: str | None, hosts: Iterable[str] = _HOSTS) -> None:
        self._archive = archive
        self._token = token
        self._hosts = tuple(hosts)
        self._uploads = {found[1]: name for name in archive.sizes if (found := _UPLOAD.search(name))}

    def __repr__(self) -> str:
        return f"Content({str(self._archive.path)!r})"

    def key_of(self, file: Json, day: str) -> str | None:
        """The key for :meth:`read`, where the bytes can be had. It holds no token: it names the day file and the file."""
        name = text(file, "id")
        if name in self._uploads or (name and file.get("is_external") is not True and self._address(file)):
            return f"{day}#{name}"
        return None

    def read(self, key: str) -> bytes:
        """The bytes of a file. Raises :class:`SourceError` where they cannot be had."""
        day, _, name = key.rpartition("#")
        upload = self._uploads.get(name)
        if upload:
            return self._stored(upload)
        for message in array_items(self._archive, day, []) if day in self._archive.sizes else ():
            for file in _all_files(message):
                if text(file, "id") == name and (url := self._address(file)):
                    return self._fetched(url, file)
        raise SourceError(
            f"file {name} of {day}: the export does not hold it, and has no address for it; a link takes its place"
        )

    def _stored(self, name: str) -> bytes:
        try:
            with reading(self._archive, name) as stream:
                data = stream.read(_LARGEST + 1)
        except EntryError as error:
            raise SourceError(f"{name}: {error.what}; {error.remedy}") from None
        if len(data) > _LARGEST:
            raise SourceError(f"{name}: it is larger than {_LARGEST} bytes; a link takes its place")
        return data

    def _address(self, file: Json) -> str | None:
        """Where Slack serves the file, where that can be opened with what there is."""
        url = text(file, "url_private_download") or text(file, "url_private")
        return url if self._is_slack(url) and (self._token or _HAS_TOKEN.search(url)) else None

    def _is_slack(self, url: str) -> bool:
        try:
            parts = urlsplit(url)
            host = (parts.hostname or "").lower()
        except ValueError:
            return False
        if host == "127.0.0.1":
            return "127.0.0.1" in self._hosts
        return parts.scheme == "https" and any(host == one or host.endswith(f".{one}") for one in self._hosts)

    def _fetched(self, url: str, file: Json) -> bytes:
        name = text(file, "id")
        headers = {} if _HAS_TOKEN.search(url) or not self._token else {"Authorization": f"Bearer {self._token}"}
        opener = urllib.request.build_opener(_NoRedirect())
        try:
            with opener.open(urllib.request.Request(url, headers=headers), timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
                kind = answer.headers.get_content_type()
                data: bytes = answer.read(_LARGEST + 1)
        except urllib.error.HTTPError as error:
            error.close()
            raise SourceError(
                f"file {name}: Slack answers {error.code}; give a token with files:read that sees it"
            ) from None
        except (OSError, HTTPException, ValueError):
            raise SourceError(
                f"file {name}: Slack cannot be reached; try again, or leave the token out to have links"
            ) from None
        if kind == "text/html" and text(file, "mimetype") != kind:
            raise SourceError(f"file {name}: Slack answers with its login page; give a token with files:read that sees it")
        if len(data) > _LARGEST:
            raise SourceError(f"file {name}: it is larger than {_LARGEST} bytes; a link takes its place")
        return data


def _all_files(message: Any) -> Iterable[Json]:
    """Those of a message, and of the messages that it shares."""
    if isinstance(message, dict):
        yield from files_of(message)
        for attachment in mappings(message, "attachments"):
            yield from files_of(attachment)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect leads to a login page or to another host, and neither is to see the token."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None
