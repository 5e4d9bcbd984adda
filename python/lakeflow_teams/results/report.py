"""What a connection did so far, as an object that prints well."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from lakeflow_teams.results.html import facts


@dataclass(frozen=True)
class Report:
    """Totals since the client was made.

    ``requests`` and ``retries`` are counts. ``throttled_seconds`` were waited because Graph asked for it,
    ``planned_seconds`` to stay below its documented limits; both add up over requests side by side. ``bytes`` came over
    the wire. ``rows`` maps a table to its rows, ``wrong_types`` a ``table.column`` to its values of an unexpected type,
    which became null, and ``without_key`` one to its rows in which that key is null or empty, so that no merge can match
    them. ``unknown_properties`` maps a ``table.property`` that no declaration knows to how often it was met;
    ``include_raw`` keeps the values. ``skipped`` lists scopes that were left out (the first thousand of
    ``skipped_count``) with reason and remedy; ``notes`` and ``warnings`` are things worth knowing. ``raw`` is the whole
    report of the core.
    """

    requests: int = 0
    retries: int = 0
    throttled_seconds: float = 0.0
    planned_seconds: float = 0.0
    bytes: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    wrong_types: dict[str, int] = field(default_factory=dict)
    without_key: dict[str, int] = field(default_factory=dict)
    unknown_properties: dict[str, int] = field(default_factory=dict)
    skipped: list[dict[str, Any]] = field(default_factory=list)
    skipped_count: int = 0
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    raw: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def parse(cls, text: str) -> Report:
        """Reads the core's JSON."""
        raw = json.loads(text)
        skipped = list(raw.get("skipped", []))
        return cls(
            requests=int(raw.get("requests", 0)),
            retries=int(raw.get("retries", 0)),
            throttled_seconds=float(raw.get("throttled_seconds", 0.0)),
            planned_seconds=float(raw.get("planned_seconds", 0.0)),
            bytes=int(raw.get("bytes_on_wire", 0)),
            rows=dict(raw.get("rows", {})),
            wrong_types=dict(raw.get("wrong_types", {})),
            without_key=dict(raw.get("without_key", {})),
            unknown_properties=dict(raw.get("unknown_properties", {})),
            skipped=skipped,
            skipped_count=int(raw.get("skipped_count", len(skipped))),
            notes=list(raw.get("notes", [])),
            warnings=list(raw.get("warnings", [])),
            raw=raw,
        )

    def _repr_html_(self) -> str:
        return facts(
            {
                "rows": [f"{table} {count:,}" for table, count in self.rows.items()] or "none",
                "requests": f"{self.requests:,} ({self.retries:,} repeated)",
                "throttled": f"{self.throttled_seconds:.1f} s, and {self.planned_seconds:.1f} s to stay below the limits",
                "received": f"{self.bytes / 1e6:,.1f} MB",
                "skipped": [describe_skip(scope) for scope in self.skipped] or "nothing",
                "notes": [*self.warnings, *self.notes] or "none",
            }
        )


def describe_skip(scope: dict[str, Any]) -> str:
    """One line for one skipped scope."""
    name = str(scope.get("scope", "a scope"))
    if scope.get("name"):
        name = f"{scope['name']} ({name})"
    rest = [str(scope[key]) for key in ("status", "code", "reason", "remedy") if scope.get(key) not in (None, "")]
    return f"{name}: {', '.join(rest)}" if rest else name
