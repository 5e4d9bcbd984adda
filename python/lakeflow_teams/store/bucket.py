"""A place in a bucket of an object store: S3 and what speaks as it does, Azure's storage and OneLake, Google's."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cached_property
from os import environ
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import uuid4

import obstore
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError
from obstore.exceptions import AlreadyExistsError, NotFoundError, UnknownConfigurationKeyError
from obstore.store import AzureStore, GCSStore, S3Store

from lakeflow_teams import _core
from lakeflow_teams._suggest import did_you_mean
from lakeflow_teams.options.storage import StorageOptions, for_files, is_true, option
from lakeflow_teams.store import refusal
from lakeflow_teams.store.address import BucketAddress, Kind
from lakeflow_teams.store.location import CommitExistsError, Location
from lakeflow_teams.store.staging import LOG

if TYPE_CHECKING:
    from obstore.store import ObjectStore

#: What deltalake 1.6 takes for something else than a part of a key: a table with it in its address has no history.
_UNADDRESSABLE = "#?%"
_PROBE = "_lakeflow-teams-probe-"
#: Before a run the answer must come soon; in the middle of one the store's own patience counts.
_PROBE_RETRIES = {"max_retries": 4, "retry_timeout": timedelta(seconds=15)}
_PROBE_TIMES = {"connect_timeout": "5s", "timeout": "20s"}
_ABSENT = (NotFoundError, FileNotFoundError)


class Store:
    """The bucket of an address, opened with the options of the user and the environment."""

    def __init__(self, address: BucketAddress, options: Mapping[str, str]) -> None:
        self.address = address
        self.options = StorageOptions(options)
        #: Whether the store has been found to keep a file from being written over, so that two writers are safe.
        self.is_proven = False

    def __repr__(self) -> str:
        return f"Store({self.address.url!r})"

    @cached_property
    def files(self) -> ObjectStore:
        """Its objects, by their whole keys."""
        return self._opened({}, {})

    @cached_property
    def impatient(self) -> ObjectStore:
        """The same, for a first question."""
        return self._opened(_PROBE_RETRIES, _PROBE_TIMES)

    @property
    def may_overwrite(self) -> bool:
        """Whether the user took it on to run one ingest at a time, or another lock sees to it."""
        locked = option(self.options, "aws_s3_locking_provider") is not None
        return locked or is_true(option(self.options, "aws_s3_allow_unsafe_rename", "allow_unsafe_rename"))

    def _opened(self, retries: Mapping[str, Any], times: Mapping[str, Any]) -> ObjectStore:
        store, client = for_files(self.options)
        arguments: dict[str, Any] = {"config": store, "client_options": {**times, **client}}
        if retries:
            arguments["retry_config"] = dict(retries)
        try:
            if self.address.kind == "s3":
                return S3Store(self.address.bucket, **arguments, **_profile(self.options))
            if self.address.kind == "gcs":
                return GCSStore(self.address.bucket, **arguments)
            return AzureStore(self.address.bucket, **arguments, **_azure(self.address, self.options))
        except UnknownConfigurationKeyError:
            raise self._unknown(store) from None

    def _unknown(self, given: Mapping[str, str]) -> _core.ConfigurationError:
        """The error about an option that no store has. deltalake would leave it out without a word."""
        kind = self.address.kind
        name = next((name for name in given if not _is_known(kind, name)), "")
        hint = did_you_mean(name, _KNOWN[kind])
        return _core.ConfigurationError(f"storage_options.{name}: this store has no such option{hint}")


class Bucket(Location):
    """A prefix or a key. ``url`` is how deltalake is told."""

    def __init__(self, store: Store, url: str, path: str) -> None:
        self._store = store
        self._url = url
        self._path = path

    def __truediv__(self, name: str) -> Bucket:
        if any(sign in name for sign in _UNADDRESSABLE):
            raise _core.ConfigurationError(f"target {self._url}: {name!r} cannot be a name in it, because of its # ? or %")
        return Bucket(self._store, f"{self._url}/{quote(name, safe='')}", f"{self._path}/{name}".lstrip("/"))

    def __str__(self) -> str:
        return self._url

    def __repr__(self) -> str:
        return f"Bucket({self._url!r})"

    @property
    def name(self) -> str:
        """See :class:`Location`, as for the other methods."""
        return self._path.rpartition("/")[2]

    def at(self, text: str) -> Bucket:  # noqa: D102
        found = self
        for part in text.removeprefix(self._url).strip("/").split("/"):
            found = found / part
        return found

    def require_writable(self, subject: str) -> None:  # noqa: ARG002, D102
        if self._store.is_proven:
            return
        try:
            keeps = self._probe()
        except _core.ConfigurationError:
            raise
        except Exception as error:
            raise _core.ConfigurationError(refusal.line(self._store.address, self._store.options, error)) from None
        if not keeps and not self._store.may_overwrite:
            raise _core.ConfigurationError(
                f"target {self._store.address.url}: the store writes over a file although told not to (If-None-Match), so "
                "two ingests would destroy each other's commits; use another store, or set aws_s3_allow_unsafe_rename: "
                "true in storage_options and run one ingest at a time"
            )
        self._store.is_proven = True

    def _probe(self) -> bool:
        """Writes a file, tries to write over it, and removes it. Whether the store kept the first one.

        That it cannot be removed is no reason to refuse: only the cleaning of tables and of old reports asks for that right.
        """
        key = (self / f"{_PROBE}{uuid4().hex}")._path  # noqa: SLF001
        store = self._store.impatient
        obstore.put(store, key, b"probe", mode="create")
        try:
            obstore.put(store, key, b"probe", mode="create")
        except AlreadyExistsError:
            return True
        finally:
            with suppress(Exception):
                obstore.delete(store, key)
        return False

    def table(self) -> DeltaTable | None:  # noqa: D102
        try:
            return DeltaTable(self._url, storage_options=dict(self._store.options))
        except TableNotFoundError:
            return None

    def refresh(self, table: DeltaTable) -> None:  # noqa: D102
        table.update_incremental()

    @contextmanager
    def creation(self) -> Iterator[_Upload]:  # noqa: D102
        with TemporaryDirectory(prefix="lakeflow-teams-") as folder:
            yield _Upload(self._store, self._path, folder)

    def publish(self) -> None:
        """Nothing to do: deltalake writes in place."""

    def tables(self) -> list[tuple[str, str, str]]:  # noqa: D102
        found = []
        try:
            for catalog in self._folders(self._path):
                for schema in self._folders(catalog):
                    found += [table for table in self._folders(schema) if self._has_files(f"{table}/{LOG}")]
        except Exception as error:
            raise self.explained(error) from None
        start = len(self._path) + 1 if self._path else 0
        return [(parts[0], parts[1], parts[2]) for parts in (table[start:].split("/") for table in sorted(found))]

    def explained(self, error: Exception) -> Exception:  # noqa: D102
        if isinstance(error, _core.LakeflowTeamsError) or not refusal.is_from_store(error):
            return error
        return _core.LakeflowTeamsError(refusal.line(self._store.address, self._store.options, error))

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except _ABSENT:
            raise
        except Exception as error:
            raise self.explained(error) from None

    def read(self) -> bytes | None:  # noqa: D102
        try:
            with self._explaining():
                return bytes(obstore.get(self._store.files, self._path).bytes())
        except _ABSENT:
            return None

    def write(self, content: bytes) -> None:  # noqa: D102
        with self._explaining():
            obstore.put(self._store.files, self._path, content)

    def remove(self) -> None:  # noqa: D102
        with suppress(*_ABSENT), self._explaining():
            obstore.delete(self._store.files, self._path)

    def files(self) -> list[Bucket]:  # noqa: D102
        with self._explaining():
            listed = obstore.list_with_delimiter(self._store.files, self._path or None)
        names = sorted(each["path"].rpartition("/")[2] for each in listed["objects"])
        return [self / name for name in names if not any(sign in name for sign in _UNADDRESSABLE)]

    def _has_files(self, path: str) -> bool:
        return any(obstore.list(self._store.impatient, path, chunk_size=1))

    def _folders(self, path: str) -> list[str]:
        listed = obstore.list_with_delimiter(self._store.impatient, path or None)
        return [str(each) for each in listed["common_prefixes"]]


class _Upload:
    """A table's first version, written to a folder of this machine, on its way into the bucket."""

    def __init__(self, store: Store, path: str, root: str) -> None:
        self._store = store
        self._path = path
        self.root = root

    def push(self) -> None:
        """Puts the data there, then the commit, which must not be there yet."""
        files = [Path(folder) / name for folder, _, names in os.walk(self.root) for name in names]
        commits = sorted(file for file in files if file.parent.name == LOG)
        data = [file for file in files if file not in commits]
        for file in data:
            obstore.put(self._store.files, self._key(file), file)
        for commit in commits:
            if not _create(self._store.files, self._key(commit), commit.read_bytes()):
                self._withdraw(data)
                raise CommitExistsError(self._path)

    def _withdraw(self, data: list[Path]) -> None:
        """Nothing names these files. Where they cannot be removed, VACUUM does it one day."""
        for file in data:
            with suppress(Exception):
                obstore.delete(self._store.files, self._key(file))

    def _key(self, file: Path) -> str:
        return "/".join((self._path, *file.relative_to(self.root).parts)).lstrip("/")


def _is_known(kind: Kind, name: str) -> bool:
    try:
        {"s3": S3Store, "gcs": GCSStore, "azure": AzureStore}[kind]("any", config={name: ""})
    except UnknownConfigurationKeyError:
        return False
    except Exception:  # it is, and empty is none of its values
        return True
    return True


def _create(store: ObjectStore, key: str, content: bytes) -> bool:
    """Writes an object unless there is one. Whether it did, even where the answer to it was lost on the way.

    A request that was carried out and not answered is sent again, and then meets its own object.
    """
    try:
        obstore.put(store, key, content, mode="create", use_multipart=False)
    except AlreadyExistsError:
        return _holds(store, key, content)
    except Exception:
        if _holds(store, key, content):
            return True
        raise
    return True


def _holds(store: ObjectStore, key: str, content: bytes) -> bool:
    try:
        return bytes(obstore.get(store, key).bytes()) == content
    except _ABSENT:
        return False


def _azure(address: BucketAddress, options: Mapping[str, str]) -> dict[str, Any]:
    """Account and credential, chosen as deltalake does: of several, the account's key, then a SAS, then a token.

    Left to itself obstore would prefer AZURE_CLIENT_SECRET, which here often is that of Graph.
    """
    found: dict[str, Any] = {"account_name": address.account} if address.account else {}
    if address.is_onelake:
        found["use_fabric_endpoint"] = "true"
    for source, env in ((options, {}), ({}, environ)):
        for key, names in _AZURE_CREDENTIALS.items():
            value = option(source, *names, env=env)
            if value:
                return {**found, "credential_provider": _Fixed(key, value)}
        if option(source, "azure_storage_client_secret", "azure_client_secret", "client_secret", env=env):
            return found
    return found


_AZURE_CREDENTIALS = {
    "access_key": (
        "azure_storage_account_key",
        "azure_storage_access_key",
        "azure_storage_master_key",
        "account_key",
        "access_key",
    ),
    "sas_token": ("azure_storage_sas_key", "azure_storage_sas_token", "sas_key", "sas_token"),
    "token": ("azure_storage_token", "bearer_token", "token"),
}


class _Fixed:
    """A credential that stays as it is, and is not shown."""

    def __init__(self, key: str, value: str) -> None:
        self._found = {key: value.lstrip("?"), "expires_at": None}

    def __call__(self) -> dict[str, Any]:
        return self._found


def _profile(options: Mapping[str, str]) -> dict[str, Any]:
    """Credentials of a profile, which deltalake reads by itself and obstore with boto3's help."""
    profile = option(options, "aws_profile")
    if profile is None or option(options, "aws_access_key_id", "access_key_id"):
        return {}
    try:
        from boto3 import Session
        from obstore.auth.boto3 import Boto3CredentialProvider
    except ImportError:
        raise _core.ConfigurationError(
            f"AWS_PROFILE {profile}: reading profiles needs boto3 (pip install boto3); or set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY"
        ) from None
    return {"credential_provider": Boto3CredentialProvider(Session(profile_name=profile))}


_KNOWN = {
    "s3": (
        "aws_access_key_id",
        "aws_secret_access_key",
        "aws_session_token",
        "aws_region",
        "aws_endpoint_url",
        "aws_allow_http",
    ),
    "azure": (
        "azure_storage_account_name",
        "azure_storage_account_key",
        "azure_storage_sas_key",
        "azure_storage_endpoint",
        "azure_client_id",
        "azure_client_secret",
        "azure_tenant_id",
    ),
    "gcs": ("google_service_account", "google_service_account_key", "google_application_credentials", "google_base_url"),
}
