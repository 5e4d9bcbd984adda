"""Ids for messages of systems that export none."""

from __future__ import annotations

import hashlib
import json


def hashed_id(container: str, author: str | None, created: int, text: str) -> str:
    """The first 32 hex digits of the SHA-256 of ``[container, author, created, text]`` as compact JSON in UTF-8.

    ``created`` is microseconds since 1970, ``text`` what the source holds, before it becomes HTML. It never changes.
    """
    key = json.dumps([container, author, created, text], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:32]
