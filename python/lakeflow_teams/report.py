"""What a connection did so far, as an object that prints well."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from html import escape
from typing import Any


@dataclass(frozen=True)
class Report:
    """Totals since the client was made.

    ``requests`` and ``retries`` are counts, ``throttled_seconds`` is time spent waiting for rate limits, ``bytes`` is
    what came over the wire, ``rows`` maps a table to its rows, ``skipped`` lists scopes that were left out with the
    reason, ``notes`` are things worth knowing. ``raw`` is the whole report of the core.
    """

    requests: int = 0
    retries: int = 0
    throttled_seconds: float = 0.0
    bytes: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    skipped: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    raw: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def parse(cls, text: str) -> Report:
        """Reads the core's JSON."""
        raw = json.loads(text)
        rows = raw.get("rows", {})
        return cls(
            requests=int(raw.get("requests", 0)),
            retries=int(raw.get("retries", 0)),
            throttled_seconds=float(raw.get("throttled_seconds", 0.0)),
            bytes=int(raw.get("bytes", 0)),
            rows=dict(rows) if isinstance(rows, dict) else {"all": int(rows)},
            skipped=[scope if isinstance(scope, dict) else {"scope": str(scope)} for scope in raw.get("skipped", [])],
            notes=[str(note) for note in raw.get("notes", [])],
            raw=raw,
        )

    def _repr_html_(self) -> str:
        rows = ", ".join(f"{escape(table)} {count:,}" for table, count in self.rows.items()) or "none"
        cells = {
            "rows": rows,
            "requests": f"{self.requests:,} ({self.retries:,} repeated)",
            "throttled": f"{self.throttled_seconds:.1f} s",
            "received": f"{self.bytes / 1e6:,.1f} MB",
            "skipped": "<br>".join(escape(describe_skip(scope)) for scope in self.skipped) or "nothing",
            "notes": "<br>".join(escape(note) for note in self.notes) or "none",
        }
        body = "".join(
            f'<tr><th style="text-align:left">{name}</th><td style="text-align:left">{cell}</td></tr>'
            for name, cell in cells.items()
        )
        return f"<table>{body}</table>"


def describe_skip(scope: dict[str, Any]) -> str:
    """One line for one skipped scope."""
    name = str(scope.get("scope", scope.get("id", "a scope")))
    rest = [str(scope[key]) for key in ("table", "status", "reason", "remedy") if scope.get(key) not in (None, "")]
    return f"{name}: {', '.join(rest)}" if rest else name
