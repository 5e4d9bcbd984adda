"""Options as they may be shown: without secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from lakeflow_teams.options.catalogue import names, secrets

HIDDEN = "***"


class Options(dict[str, str]):
    """Options that print without their secrets: debuggers and crash reporters show whatever an object holds."""

    def __repr__(self) -> str:
        return repr(redacted(self))


def redacted(options: Mapping[str, str]) -> dict[str, str]:
    """The options as they may be shown: secrets, and names the core does not know, lose their value."""
    shown = {*names("connection"), *names("table")}.difference(secrets())
    return {name: value if name in shown and not _is_misplaced(name, value) else HIDDEN for name, value in options.items()}


def _is_misplaced(name: str, value: str) -> bool:
    """Whether the place of a secret looks like the secret itself."""
    if name == "client_secret_env":
        return re.fullmatch(r"\w{1,60}", value, re.ASCII) is None
    path = Path(value)
    return name == "client_secret_file" and not path.is_absolute() and (path.parent == Path() or not path.parent.is_dir())


def show(kind: str, options: Mapping[str, str]) -> str:
    """A repr of something made from options."""
    inside = ", ".join(f"{name}={value!r}" for name, value in redacted(options).items())
    return f"{kind}({inside})"
