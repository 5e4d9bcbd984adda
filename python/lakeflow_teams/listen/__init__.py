"""What Teams and Graph send to us: change notifications into the tables that ``ingest`` fills, and what bots are told.

In the order in which a notification goes: ``receiver`` (an ASGI app, by ``asgi``) or ``kafka`` takes it, the core proves it
and puts it on disk, ``merging`` writes its row, ``handlers`` are called. ``service`` drives that, keeps subscriptions alive,
and asks ``polling`` for what no notification told; ``losses`` is what that found. ``status`` looks at all of it, ``doctor``
at what it needs. ``server`` runs it by itself, as ``lakeflow-teams listen``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lakeflow_teams.listen.decoding import decode
    from lakeflow_teams.listen.merging import Change
    from lakeflow_teams.listen.receiver import Receiver

__all__ = ["Change", "Receiver", "decode"]

_ELSEWHERE = {"Change": "merging", "Receiver": "receiver", "decode": "decoding"}


def __getattr__(name: str) -> Any:
    if name in _ELSEWHERE:
        from importlib import import_module

        return getattr(import_module(f"lakeflow_teams.listen.{_ELSEWHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
