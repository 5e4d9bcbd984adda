"""``deliver/sources/emoji_aliases.tsv``: the names that Slack and Mattermost have for emoji, from the data that both follow.

That is the npm package ``emoji-datasource`` (iamcal/emoji-data, MIT): ``npm pack emoji-datasource``, unpack it, and
``tools/emoji_aliases.py package/emoji.json`` prints the table: a name, its emoji, and ``tone`` where it takes a skin tone.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def render(source: Path) -> str:
    """The table's text, by name."""
    lines = []
    for emoji in json.loads(source.read_text(encoding="utf-8")):
        sign = "".join(chr(int(code, 16)) for code in emoji["unified"].split("-"))
        tone = "tone" if "skin_variations" in emoji else ""
        lines.extend(f"{name}\t{sign}\t{tone}".rstrip("\t") for name in emoji["short_names"])
    return "\n".join(sorted(set(lines))) + "\n"


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    print(render(Path(sys.argv[1])), end="")
