"""Values that an emulated tenant sends to an Event Hub, and the keys that read them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from lakeflow_teams import GraphEmulator, _core

HUB = "EventHub:https://ns.servicebus.windows.net/eventhubname/teams?tenantId=contoso.com"
ALL = {"fetch_all_teams": "true", "fetch_all_channels": "true"}


@dataclass
class Hub:
    """What a hub holds, and the listener's folder."""

    values: list[bytes]
    keys: Path
    emulator: GraphEmulator


def hub(folder: Path, *tables: str, blob_store: bool = False, **changes: int) -> Hub:
    """Subscribes tables to a hub, changes the tenant, and returns what came."""
    emulator = GraphEmulator(teams=1, chats=1)
    settings = {
        "event_hub": HUB,
        **({"blob_store_url": "https://v.vault.azure.net/secrets/s?tenantId=contoso.com"} if blob_store else {}),
    }
    listener = _core.Listener(folder, emulator.options, [(table, ALL, None) for table in tables], json.dumps(settings))
    report = json.loads(listener.maintain())
    assert not report["failures"], report
    emulator.mutate(**changes)
    listener.close()
    return Hub([value.encode() for value in emulator.hub_values("teams")], folder / "keys", emulator)
