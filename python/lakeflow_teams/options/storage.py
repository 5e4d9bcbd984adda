"""Options of a store, by the names that deltalake gives them: where they come from, and who takes which.

They hold keys and tokens, so nothing here shows a value: not a repr, not an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from os import environ
from typing import Any

from lakeflow_teams import _core
from lakeflow_teams.options.redaction import HIDDEN
from lakeflow_teams.options.values import as_text

#: The variable with options of every store, as a JSON object.
VARIABLE = "LAKEFLOW_TEAMS_STORAGE_OPTIONS"

#: Options of an HTTP client, with or without a store's prefix.
CLIENT = frozenset(
    {
        "allow_http",
        "allow_invalid_certificates",
        "connect_timeout",
        "default_content_type",
        "pool_idle_timeout",
        "pool_max_idle_per_host",
        "proxy_url",
        "proxy_ca_certificate",
        "proxy_excludes",
        "read_timeout",
        "timeout",
        "user_agent",
    }
)
#: Options that only deltalake knows: how it locks, retries and finds credentials.
#: https://delta-io.github.io/delta-rs/integrations/object-storage/s3/
DELTA_ONLY = frozenset(
    {
        "allow_unsafe_rename",
        "aws_ec2_metadata_disabled",
        "aws_ec2_metadata_timeout",
        "aws_profile",
        "aws_s3_addressing_style",
        "aws_s3_allow_unsafe_rename",
        "aws_s3_assume_role_arn",
        "aws_s3_get_internal_server_error_retries",
        "aws_s3_locking_provider",
        "aws_s3_pool_idle_timeout_seconds",
        "aws_s3_role_session_name",
        "aws_sts_pool_idle_timeout_seconds",
        "max_retries",
        "mount_allow_unsafe_rename",
        "object_store_concurrency_limit",
        "retry_timeout",
    }
)
_DELTA_PREFIXES = ("backoff_config.", "delta_", "dynamo_")
_DELTA_SUFFIX = "_dynamodb"
_STORES = ("aws_", "azure_", "google_")
_REFERENCE = re.compile(r"\$\{([^{}]*)\}")
_SECRET = re.compile(r"key|secret|token|password|sas", re.IGNORECASE)


class StorageOptions(dict[str, str]):
    """Options that print without their values."""

    def __repr__(self) -> str:
        return repr(dict.fromkeys(self, HIDDEN))


def parse(given: Any, where: str) -> StorageOptions:
    """A mapping of options as text, under lower-case names. Raises :class:`ConfigurationError`."""
    if not isinstance(given, Mapping):
        raise _core.ConfigurationError(f"{where}: a mapping of storage options is expected")
    return StorageOptions({str(name).lower(): _text(f"{where}.{name}", value) for name, value in given.items()})


def complete(given: Mapping[str, str], env: Mapping[str, str] = environ) -> StorageOptions:
    """``given``, completed from the variable; ``${NAME}`` in a value is the variable of that name.

    What the environment says besides (``AWS_*``, ``AZURE_*``, ``GOOGLE_*``) the libraries read by themselves, and what is
    given wins. Raises :class:`ConfigurationError`.
    """
    options = StorageOptions(_from_variable(env))
    options.update(given)
    return StorageOptions({name: _resolved(name, value, env) for name, value in options.items()})


def for_files(options: Mapping[str, str], env: Mapping[str, str] = environ) -> tuple[dict[str, Any], dict[str, Any]]:
    """The same for obstore: what the store takes, and what its HTTP client takes.

    Of the client's options those of the environment are among them: obstore reads it for the store's only.
    """
    store: dict[str, Any] = {}
    client: dict[str, Any] = {}
    for variable, value in env.items():
        prefix = next((prefix for prefix in _STORES if variable.lower().startswith(prefix)), None)
        if prefix is not None and variable.lower().removeprefix(prefix) in CLIENT:
            client[variable.lower().removeprefix(prefix)] = value
    for name, value in options.items():
        bare = next((name.removeprefix(prefix) for prefix in _STORES if name.startswith(prefix)), name)
        if bare in CLIENT:
            client[bare] = value
        elif name not in DELTA_ONLY and not name.startswith(_DELTA_PREFIXES) and not name.endswith(_DELTA_SUFFIX):
            store[name] = value
    return store, client


def option(options: Mapping[str, str], *names: str, env: Mapping[str, str] = environ) -> str | None:
    """The first of these options that is given, else the first variable of the environment that begins with its store."""
    given = next((options[name] for name in names if options.get(name)), None)
    variables = (name.upper() for name in names if name.startswith(_STORES))
    return given or next((env[variable] for variable in variables if env.get(variable)), None)


def is_true(value: str | None) -> bool:
    """Whether deltalake takes the value of a switch for yes."""
    return (value or "").lower() in {"1", "true", "on", "yes", "y"}


def _from_variable(env: Mapping[str, str]) -> dict[str, str]:
    text = env.get(VARIABLE)
    if not text:
        return {}
    try:
        given = json.loads(text)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise _core.ConfigurationError(
            f'environment variable {VARIABLE}: it is not a JSON object, such as {{"aws_region": "eu-west-1"}}'
        )
    return parse(given, f"environment variable {VARIABLE}")


def _resolved(name: str, value: str, env: Mapping[str, str]) -> str:
    def replaced(found: re.Match[str]) -> str:
        variable = found.group(1)
        if not env.get(variable):
            raise _core.ConfigurationError(f"storage_options.{name}: the environment variable {variable} is not set")
        return env[variable]

    return _REFERENCE.sub(replaced, value)


def _text(where: str, value: Any) -> str:
    if _SECRET.search(where.rpartition(".")[2]) and not isinstance(value, str):
        raise _core.ConfigurationError(
            f"{where}: it must be text, and this is a {type(value).__name__}; write it in quotes, because YAML reads "
            "12_345, 0x1F or 2025-01-01 without them as something else"
        )
    return as_text(where, value)
