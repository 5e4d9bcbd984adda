"""``connector_spec.yaml``: what Unity Catalog asks for when a connection is made, from the catalogue of options.

``tools/connector_spec.py`` prints it; ``make connector-spec`` writes the file that the wheel holds.
"""

from __future__ import annotations

import json

from lakeflow_teams import _core
from lakeflow_teams.options import allow_list

_REQUIRED = ("tenant_id", "client_id")
_TYPES = {"boolean": "boolean", "integer": "integer", "number": "number"}


def render() -> str:
    """The file's text. JSON strings are YAML strings, so nothing has to be installed for it."""
    lines = [
        "# Made by `make connector-spec` from the catalogue of options; a test fails when it is out of date.",
        'display_name: "Microsoft Teams"',
        "connection:",
        "  parameters:",
    ]
    for option in _core.options():
        if option["door"] != "connection":
            continue
        lines += [
            f"    - name: {option['name']}",
            f"      type: {_TYPES.get(option['kind'], 'string')}",
            f"      required: {'true' if option['name'] in _REQUIRED else 'false'}",
            f"      secret: {'true' if option['secret'] else 'false'}",
            f"      description: {json.dumps(option['description'])}",
        ]
    lines += [
        "# Paste this into the connection's externalOptionsAllowList: what is not in it never reaches the connector.",
        f"external_options_allowlist: {json.dumps(allow_list())}",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(render(), end="")
