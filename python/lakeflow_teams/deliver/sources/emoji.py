"""Emoji by the names that Slack and Mattermost give them, such as ``:+1:``.

The table is made from iamcal/emoji-data (MIT, https://github.com/iamcal/emoji-data), which both products follow, by
``tools/emoji_aliases.py``. Custom emoji of a workspace are in no table and stay names.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import NamedTuple

_VARIATION_SELECTOR = "\ufe0f"
#: Slack counts tones from 2 (light) to 6 (dark), as the Fitzpatrick scale does.
_TONES = {f"skin-tone-{number}": chr(0x1F3F9 + number) for number in range(2, 7)}
#: Names that Slack has given up, and old messages hold.
_FORMER = {"simple_smile": "slightly_smiling_face"}


class _Emoji(NamedTuple):
    sign: str
    has_tones: bool


def emoji_of(name: str) -> str | None:
    """The emoji of ``+1`` or ``+1::skin-tone-3``; ``None`` for a name that is in no table."""
    base, _, tone = name.partition("::")
    found = _table().get(_FORMER.get(base, base))
    if found is None:
        return None
    if tone and found.has_tones:
        # The tone of the second person of a pair (`skin-tone-2-3`) has no place in the sign.
        return _toned(found.sign, _TONES.get(tone[: len("skin-tone-2")], ""))
    return found.sign


def _toned(sign: str, tone: str) -> str:
    return sign[0] + tone + sign[1:].removeprefix(_VARIATION_SELECTOR) if tone else sign


@cache
def _table() -> dict[str, _Emoji]:
    table = {}
    text = files("lakeflow_teams.deliver.sources").joinpath("emoji_aliases.tsv").read_text(encoding="utf-8")
    for line in text.splitlines():
        name, sign, *tone = line.split("\t")
        table[name] = _Emoji(sign, bool(tone))
    return table
