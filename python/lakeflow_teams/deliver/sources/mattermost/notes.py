"""Notes of this reader, the same text for all cases of a kind; docs/import-mattermost.md explains each."""

from typing import Final

BUTTONS: Final = "buttons left out"
CARD: Final = "app card written as text"
CHANGED: Final = "markup that Teams does not take left out"
CUSTOM_EMOJI: Final = "custom emoji written as its name"
FILE_MISSING: Final = "file is not in the export"
OTHER_KIND: Final = "post of a plugin written as text"
PINNED: Final = "pin left out"
WEB_IMAGE: Final = "image elsewhere on the web linked"
