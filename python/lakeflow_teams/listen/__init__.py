"""What Teams and Graph send to us: change notifications into the tables that ``ingest`` fills, and what bots are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lakeflow_teams.listen.decoding import decode

__all__ = ["decode"]

_ELSEWHERE = {"decode": "decoding"}


def __getattr__(name: str) -> Any:
    if name in _ELSEWHERE:
        from importlib import import_module

        return getattr(import_module(f"lakeflow_teams.listen.{_ELSEWHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
