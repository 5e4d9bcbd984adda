"""Connection options from the environment, so that a secret never stands on a command line."""

from __future__ import annotations

from collections.abc import Mapping
from os import environ

from lakeflow_teams import _core
from lakeflow_teams._suggest import did_you_mean
from lakeflow_teams.options.catalogue import names

PREFIX = "LAKEFLOW_TEAMS_"

#: The variables that azure-identity reads, and the options they fill.
AZURE = {
    "AZURE_TENANT_ID": "tenant_id",
    "AZURE_CLIENT_ID": "client_id",
    "AZURE_CLIENT_SECRET": "client_secret",
    "AZURE_AUTHORITY_HOST": "authority_host",
    "AZURE_FEDERATED_TOKEN_FILE": "federated_token_file",
}

#: Variables under our prefix that are no connection option.
OTHERS = {"LAKEFLOW_TEAMS_DEBUG", "LAKEFLOW_TEAMS_STORAGE_OPTIONS"}

_CREDENTIALS = (
    "client_secret",
    "client_secret_env",
    "client_secret_file",
    "client_certificate",
    "federated_token_file",
    "managed_identity",
    "default_credential",
)


def connection_from_environment(
    given: Mapping[str, str], env: Mapping[str, str] = environ, *, has_credential: bool = False
) -> dict[str, str]:
    """``given``, completed from ``AZURE_*`` and ``LAKEFLOW_TEAMS_<OPTION>``. What is given wins, then ``LAKEFLOW_TEAMS_*``.

    A credential in ``given`` (or ``has_credential``) keeps every credential of the environment out. Raises
    :class:`ConfigurationError` for a ``LAKEFLOW_TEAMS_*`` variable that names no connection option.
    """
    own = _prefixed(env)
    azure = {option: env[name] for name, option in AZURE.items() if env.get(name)}
    if "authority_host" in azure:
        azure["authority_host"] = azure["authority_host"].rstrip("/")
    merged = dict(given)
    for layer in (own, azure):
        closed = has_credential or any(name in merged for name in _CREDENTIALS)
        for name, value in layer.items():
            if name in merged or (closed and name in _CREDENTIALS):
                continue
            merged[name] = value
    return merged


def require_credential(options: Mapping[str, str], *, has_credential: bool = False) -> None:
    """Raises :class:`ConfigurationError` where nothing could sign in, with the variables that would hold what is missing."""
    if has_credential or any(options.get(name) in ("true", "True") for name in ("managed_identity", "default_credential")):
        return
    needed = ["tenant_id", "client_id"]
    if not any(name in options for name in _CREDENTIALS):
        needed.append("client_secret")
    missing = [name for name in needed if name not in options]
    if missing:
        variables = {option: variable for variable, option in AZURE.items()}
        names = " and ".join(variables[name] for name in missing)
        raise _core.ConfigurationError(
            f"no credential: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing. Set {names} in the "
            "environment, or give a connection file; another credential than a client secret is an option of its own "
            "(client_certificate, managed_identity, ...)"
        )


def _prefixed(env: Mapping[str, str]) -> dict[str, str]:
    known = names("connection")
    found = {}
    for variable, value in env.items():
        if not variable.startswith(PREFIX) or variable in OTHERS or not value:
            continue
        option = variable[len(PREFIX) :].lower()
        if option not in known:
            hint = did_you_mean(option, known, show=lambda name: PREFIX + name.upper())
            raise _core.ConfigurationError(f"environment variable {variable}: there is no connection option {option}{hint}")
        found[option] = value
    return found
