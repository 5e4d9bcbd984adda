"""What a listener is told beside the pipeline: the address that Graph posts to, and the transport."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from lakeflow_teams import _core

#: A namespace and a hub in it, as Azure names them.
_HUB = re.compile(
    r"^(?P<namespace>[A-Za-z][A-Za-z0-9-]{4,48}[A-Za-z0-9])(\.servicebus\.windows\.net)?/(?P<hub>[^/\s?]{1,256})$"
)
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Hub:
    """An Event Hub: where Graph sends to, and where its values are read."""

    namespace: str
    name: str

    @property
    def host(self) -> str:
        """The namespace's host."""
        return f"{self.namespace}.servicebus.windows.net"

    def address(self, tenant: str) -> str:
        """The hub as Graph takes it, with a role instead of a secret. ``tenant`` is its domain."""
        return f"EventHub:https://{self.host}/eventhubname/{self.name}?tenantId={tenant}"


@dataclass(frozen=True)
class Settings:
    """``url`` or ``hub`` is where Graph sends to. Seconds are those of this machine's clock.

    ``merge_seconds`` is how often rows are committed at most: what comes within is one commit. ``reconcile_hours`` is by
    Graph's clock.
    """

    url: str | None = None
    hub: Hub | None = None
    hub_tenant: str | None = None
    keep_notifications: bool = False
    certificate: str | None = None
    certificate_label: str | None = None
    blob_store_url: str | None = None
    merge_seconds: float = 1.0
    reconcile_hours: float = 24.0

    def for_core(self, tenant: str | None) -> str:
        """The settings of the core's listener, as JSON text. Raises :class:`ConfigurationError`."""
        if (self.url is None) == (self.hub is None):
            raise _core.ConfigurationError(
                "listen: it needs the one address that Graph sends to: --url https://... or --event-hub NAMESPACE/HUB"
            )
        values: dict[str, Any] = {"keep_notifications": self.keep_notifications}
        if self.url is not None:
            values["url"] = checked(self.url)
        if self.hub is not None:
            values["event_hub"] = self.hub.address(self.hub_tenant or tenant or "")
            values["blob_store_url"] = self.blob_store_url
        for name in ("certificate", "certificate_label"):
            values[name] = getattr(self, name)
        return json.dumps({name: value for name, value in values.items() if value is not None})

    @property
    def path(self) -> str:
        """The path below which requests are answered."""
        return (urlsplit(self.url).path if self.url else "").rstrip("/")


def checked(url: str) -> str:
    """The public address. Raises :class:`ConfigurationError` for one that Graph would refuse."""
    parts = urlsplit(url)
    is_local = parts.scheme == "http" and parts.hostname in LOOPBACK
    if not (parts.scheme == "https" or is_local) or not parts.hostname:
        raise _core.ConfigurationError(
            f"url {url}: Graph sends to https addresses only, such as https://in.example.org/teams"
        )
    if parts.fragment or parts.username:
        raise _core.ConfigurationError(f"url {parts.scheme}://{parts.hostname}...: it must hold no user and no fragment")
    return url


def hub(text: str) -> Hub:
    """``NAMESPACE/HUB``. Raises :class:`ConfigurationError`."""
    found = _HUB.match(text)
    if found is None:
        raise _core.ConfigurationError(f"event hub {text!r}: write it as NAMESPACE/HUB, such as contoso-teams/notifications")
    return Hub(found["namespace"], found["hub"])
