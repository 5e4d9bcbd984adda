"""Whether a read would be allowed: what the token grants, what the tables need, and what a cheap request was answered."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any, Literal

from lakeflow_teams import _core
from lakeflow_teams.options.catalogue import allow_list

Status = Literal["granted", "missing", "unknown", "prerequisite missing", "unreachable"]

#: These do not keep a table from being read, as far as can be seen.
_FINE = ("granted", "unknown")
_GROUPS = ("client_secret", "client_certificate", "federated_token_file", "managed_identity", "default_credential")


@dataclass(frozen=True)
class CheckRow:
    """One permission of one table; without a permission, what else keeps the table from being read."""

    table: str
    permission: str
    status: Status
    detail: str = ""


@dataclass(frozen=True)
class CheckResult:
    """What a read of the checked tables would meet.

    ``authenticated`` tells whether there is a token, ``authentication`` how that went (with the AADSTS number and what to
    do about it where it failed). ``roles`` are the application permissions in the token, ``None`` where it does not tell.
    ``rows`` hold a permission each; ``notes`` things worth knowing. ``allow_list`` is the value of
    ``externalOptionsAllowList`` for a Unity Catalog connection: options that are not in it never reach the connector.
    """

    authenticated: bool
    authentication: str
    roles: tuple[str, ...] | None
    rows: tuple[CheckRow, ...]
    notes: tuple[str, ...]
    allow_list: str

    @property
    def ok(self) -> bool:
        """Nothing was found that keeps a checked table from being read."""
        return self.authenticated and all(row.status in _FINE for row in self.rows)

    @property
    def missing(self) -> tuple[str, ...]:
        """The permissions to grant, each once."""
        return tuple(dict.fromkeys(row.permission for row in self.rows if row.status == "missing"))

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, for JSON."""
        return {"ok": self.ok, "missing": list(self.missing), **asdict(self)}

    def __repr__(self) -> str:
        width = max((len(row.table) for row in self.rows), default=0)
        wide = max((len(row.permission) for row in self.rows), default=0)
        lines = [
            f"{row.table:{width}}  {row.permission:{wide}}  {row.status}{f': {row.detail}' if row.detail else ''}"
            for row in self.rows
        ]
        return "\n".join([self.authentication, *lines, *(f"note: {note}" for note in self.notes)])

    def _repr_html_(self) -> str:
        def cells(tag: str, *texts: str) -> str:
            return "".join(f'<{tag} style="text-align:left">{text}</{tag}>' for text in texts)

        body = "".join(
            f"<tr>{cells('td', escape(row.table), escape(row.permission), _coloured(row.status), escape(row.detail))}</tr>"
            for row in self.rows
        )
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        heading = cells("th", "table", "permission", "status", "")
        return f"<p>{escape(self.authentication)}</p><table><tr>{heading}</tr>{body}</table>{notes}"


def run_check(
    client: _core.Client, connection: Mapping[str, str], tables: Sequence[tuple[str, Mapping[str, str]]]
) -> CheckResult:
    """Checks tables, each with the options it is to be read with. Raises :class:`ConfigurationError` for wrong ones."""
    found = json.loads(client.check(list(tables)))
    authentication = found["authentication"]
    roles = authentication["roles"]
    rows = [row for table in found["tables"] for row in _rows(table)]
    notes = [f"{table['table']}: {note}" for table in found["tables"] for note in table["notes"]]
    if authentication["ok"] and roles is None:
        notes.insert(0, "the token does not tell what it grants, so only answers count")
    return CheckResult(
        authenticated=authentication["ok"],
        authentication=authentication["error"] or _signed_in(connection, roles),
        roles=None if roles is None else tuple(roles),
        rows=tuple(dict.fromkeys(rows)),
        notes=tuple(dict.fromkeys(notes)),
        allow_list=allow_list(),
    )


def _rows(table: Mapping[str, Any]) -> list[CheckRow]:
    name = table["table"]
    rows = [_permission(name, permission) for permission in table["permissions"]]
    if table["status"] in ("unreachable", "prerequisite_missing"):
        parts = [table["error"] or "", table["remedy"] or ""]
        detail = ". ".join(part.rstrip(".") for part in parts if part)
        rows.append(CheckRow(name, "", table["status"].replace("_", " "), detail))
    return rows


def _permission(table: str, permission: Mapping[str, Any]) -> CheckRow:
    name, status = permission["name"], permission["status"]
    if status == "missing":
        return CheckRow(table, name, status, f"grant the application permission {name} with admin consent")
    by = permission["granted_by"]
    return CheckRow(table, name, status, f"by {by}" if by else "")


def _signed_in(connection: Mapping[str, str], roles: Sequence[str] | None) -> str:
    credential = next((name for name in _GROUPS for option in connection if option.startswith(name)), "a credential object")
    application = f"application {connection['client_id']}" if connection.get("client_id") else "the credential's identity"
    tenant = f" of tenant {connection['tenant_id']}" if connection.get("tenant_id") else ""
    count = "which does not tell its permissions" if roles is None else f"with {len(roles)} application permissions"
    return f"Signed in as {application}{tenant} by {credential}: a token {count}"


def _coloured(status: Status) -> str:
    colour = "green" if status == "granted" else "inherit" if status == "unknown" else "firebrick"
    return f'<span style="color:{colour}">{escape(status)}</span>'
