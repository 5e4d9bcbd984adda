"""Who is who: the source's people, and their accounts in the tenant that is imported into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lakeflow_teams import _core
from lakeflow_teams.deliver.document import ImportSpec
from lakeflow_teams.deliver.mapping import MappedUser, read_users
from lakeflow_teams.deliver.sources.model import Problem, Source
from lakeflow_teams.deliver.yaml_file import refuse

#: What of a person of the directory is asked for.
_COLUMNS = ["id", "displayName", "mail", "userPrincipalName"]


@dataclass
class Directory:
    """The people of the tenant. ``known`` is false where it could not be asked."""

    known: bool = False
    by_id: dict[str, str] = field(default_factory=dict)
    by_email: dict[str, str] = field(default_factory=dict)

    def find(self, email: str | None) -> str | None:
        """The object id behind an address, in any case."""
        return self.by_email.get(email.strip().lower()) if email else None

    def name(self, entra_id: str) -> str | None:
        """How the tenant shows somebody."""
        return self.by_id.get(entra_id.lower())


def directory(client: _core.Client | None) -> Directory:
    """Everybody in the tenant, where the application may see them."""
    if client is None:
        return Directory()
    found = Directory()
    try:
        for batch in client.read("users", {}, _COLUMNS):
            for row in batch.to_pylist():
                entra_id = row["id"].lower()
                found.by_id[entra_id] = row["displayName"] or ""
                for address in (row["mail"], row["userPrincipalName"]):
                    if address:
                        found.by_email.setdefault(address.strip().lower(), row["id"])
    except _core.PermissionDeniedError:
        return Directory()
    found.known = True
    return found


@dataclass
class People:
    """The source's people as the plan holds them, by their id there."""

    plan: dict[str, dict[str, Any]]
    fallback: dict[str, Any] | None
    owner: str | None
    #: Everybody without an account: id and name.
    unmapped: dict[str, str]
    deleted: set[str]
    rows: list[MappedUser]

    def entra_id(self, source_id: str | None) -> str | None:
        """The account of somebody, if there is one."""
        person = self.plan.get(source_id or "")
        return person["id"] if person else None


def people(spec: ImportSpec, source: Source, tenant: Directory, problems: list[Problem]) -> People:
    """Matches the source's people: by ``users.csv``, then by their address, then by an id that the tenant knows."""
    given = _given(spec.users, problems)
    plan: dict[str, dict[str, Any]] = {}
    unmapped: dict[str, str] = {}
    deleted: set[str] = set()
    rows: list[MappedUser] = []
    for row in source.users().to_pylist():
        source_id = row["source_id"]
        if source_id in plan:
            continue
        mapped = given.pop(source_id, None)
        email = (mapped and mapped.email) or row["email"]
        name = (mapped and mapped.display_name) or row["display_name"] or email or source_id
        entra_id = mapped.entra_id if mapped else None
        if entra_id is None and row["kind"] != "bot":
            entra_id = tenant.find(email) or (row["entra_id"] if tenant.name(row["entra_id"] or "") is not None else None)
        if entra_id is not None and tenant.known and tenant.name(entra_id) is None and mapped and mapped.entra_id:
            problems.append(
                Problem(
                    f"users.csv {source_id}",
                    f"the tenant has no user {entra_id}",
                    "Write the object id of a user of this tenant, or leave the cell empty",
                )
            )
            entra_id = None
        plan[source_id] = {"id": entra_id, "name": (tenant.name(entra_id) if entra_id else None) or name}
        if entra_id is None:
            unmapped[source_id] = name
        if row["deleted"]:
            deleted.add(source_id)
        rows.append(MappedUser(source_id, email, name, entra_id))
    for source_id, mapped in given.items():
        # The source need not list everybody who wrote.
        entra_id = mapped.entra_id or tenant.find(mapped.email)
        plan[source_id] = {"id": entra_id, "name": mapped.display_name or mapped.email or source_id}
        if entra_id is None:
            unmapped[source_id] = plan[source_id]["name"]
    fallback = _account(spec.fallback_author, "fallback_author", tenant)
    name = tenant.name(fallback) if fallback else None
    return People(
        plan,
        {"id": fallback, "name": name or "Import"} if fallback else None,
        _account(spec.owner, "owner", tenant),
        unmapped,
        deleted,
        rows,
    )


def _account(given: str | None, key: str, tenant: Directory) -> str | None:
    """The object id of somebody who is named by it or by address. Raises :class:`ConfigurationError`."""
    if given is None:
        return None
    if "@" in given:
        found = tenant.find(given)
        if found is None:
            seen = "there is no such user" if tenant.known else "the tenant's users cannot be listed"
            refuse(f"{key}: {given}: {seen}; write the object id of a user of this tenant")
        return found
    if tenant.known and tenant.name(given) is None:
        refuse(f"{key}: {given}: there is no such user in the tenant; write the object id of one")
    return given


def _given(users: Path | Mapping[str, Any], problems: list[Problem]) -> dict[str, MappedUser]:
    if isinstance(users, Path):
        return read_users(users, problems)
    found = {}
    for source_id, given in users.items():
        value = given
        if isinstance(given, str):
            value = {"email": given} if "@" in given else {"entra_id": given}
        if not isinstance(value, Mapping) or set(value) - set(MappedUser._fields):
            known = ", ".join(MappedUser._fields[1:])
            refuse(f"users.{source_id}: an object id, an e-mail, or a mapping of {known} is expected")
        cells = {key: str(text) for key, text in value.items() if text is not None}
        found[source_id] = MappedUser(**{"source_id": source_id, **cells})
    return found
