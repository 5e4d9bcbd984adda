"""What a target names: a folder, or a place in a bucket. Decided from its text alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, NoReturn
from urllib.parse import SplitResult, unquote, urlsplit

from lakeflow_teams import _core
from lakeflow_teams._suggest import did_you_mean

Kind = Literal["s3", "azure", "gcs"]

_SCHEMES: dict[str, Kind] = {
    "s3": "s3",
    "s3a": "s3",
    "az": "azure",
    "azure": "azure",
    "adl": "azure",
    "abfs": "azure",
    "abfss": "azure",
    "gs": "gcs",
}
#: One slash is enough: programs that take a path for a path leave no more of an address. A single letter is a drive.
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(/.*)", re.DOTALL)
#: Hosts that name the account of a storage: of ADLS Gen2, of blobs, of OneLake.
_AZURE_HOST = re.compile(r"[\w-]+\.(dfs|blob)\.(core\.windows\.net|fabric\.microsoft\.com)")


@dataclass(frozen=True)
class BucketAddress:
    """A place in a bucket. ``url`` is how deltalake is told, ``path`` the beginning of all keys there."""

    kind: Kind
    url: str
    bucket: str
    path: str
    account: str | None = None
    is_onelake: bool = False


def parse(target: str) -> str | BucketAddress:
    """A folder's path, or the address of a store. Raises :class:`ConfigurationError`; what may hold a secret isn't shown."""
    found = _ADDRESS.fullmatch(target)
    if found is None:
        return target
    scheme, rest = found.group(1).lower(), found.group(2)
    if scheme == "file":
        return unquote("/" + rest.removeprefix("//localhost").lstrip("/"))
    if scheme == "dbfs":
        path = "/" + rest.lstrip("/")
        return path if path.startswith("/Volumes/") else f"/dbfs{path}"
    try:
        parts = urlsplit(f"{scheme}:{rest}" if rest.startswith("//") else f"{scheme}:/{rest}")
    except ValueError:
        _refuse(f"{scheme}:", "it is not a URL")
    known = _SCHEMES.get(scheme)
    if known is None and scheme not in {"http", "https"}:
        hint = did_you_mean(scheme, [*_SCHEMES], otherwise=f"; known are {', '.join(_SCHEMES)}, and a folder's path")
        _refuse(_shown(parts), f"there is no store with the scheme {scheme}{hint}")
    _without_credentials(parts, known)
    if known is None:
        return _of_azure(parts)
    if not parts.netloc:
        _refuse(_shown(parts), f"it names no {'container' if known == 'azure' else 'bucket'}")
    return _of_scheme(known, scheme, parts)


def _of_scheme(kind: Kind, scheme: str, parts: SplitResult) -> BucketAddress:
    bucket, at, host = (unquote(part) for part in parts.netloc.partition("@"))
    path = unquote(parts.path).strip("/")
    url = f"{scheme}://{parts.netloc}/{parts.path.strip('/')}".rstrip("/")
    if kind != "azure" or not at:
        return BucketAddress(kind, url, bucket, path)
    return BucketAddress(kind, url, bucket, path, host.partition(".")[0], host.lower().endswith(".fabric.microsoft.com"))


def _of_azure(parts: SplitResult) -> BucketAddress:
    """An address as Azure's and Fabric's portals show it, which deltalake only takes as ``abfss``."""
    host, container = parts.netloc.lower(), parts.path.strip("/").partition("/")[0]
    if not _AZURE_HOST.fullmatch(host) or not container:
        _refuse(
            _shown(parts),
            "of https addresses those of Azure storage and OneLake are known; name others by a scheme such as s3",
        )
    rest = parts.path.strip("/").partition("/")[2]
    return _of_scheme("azure", "abfss", urlsplit(f"abfss://{container}@{host}/{rest}"))


def _without_credentials(parts: SplitResult, kind: Kind | None) -> None:
    user, at, _ = parts.netloc.rpartition("@")
    if at and (kind != "azure" or ":" in user):
        _refuse(_shown(parts), "credentials do not belong in it; use environment variables or storage_options")
    if parts.query or parts.fragment:
        remedy = "a SAS token belongs in AZURE_STORAGE_SAS_KEY or storage_options"
        _refuse(_shown(parts), f"leave out what follows ? or #; {remedy}")


def _shown(parts: SplitResult) -> str:
    """The address without what may be a secret: before an @ (of Azure, the container) and after a question mark."""
    user, at, host = parts.netloc.rpartition("@")
    hidden = f"...@{host}" if at and (":" in user or _SCHEMES.get(parts.scheme) != "azure") else parts.netloc
    return f"{parts.scheme}://{hidden}{parts.path}"


def _refuse(target: str, reason: str) -> NoReturn:
    raise _core.ConfigurationError(f"target {target}: {reason}")
