"""Exports of Slack as the tests need them: small ones with a case each, and large ones as a busy workspace makes them."""

from __future__ import annotations

import json
import random
import zipfile
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

Json = dict[str, Any]

CHANNEL = {
    "id": "C1",
    "name": "general",
    "created": 1500000000,
    "creator": "U1",
    "is_general": True,
    "members": ["U1", "U2"],
}
ADA = {
    "id": "U1",
    "name": "ada",
    "profile": {"real_name": "Ada Lovelace", "display_name": "ada", "email": "ada@contoso.com"},
}
BO = {"id": "U2", "name": "bo", "profile": {"real_name": "Bo Ek", "email": "bo@contoso.com"}}


def message(text: str = "hi", ts: str = "1600000000.000100", user: str = "U1", **more: Any) -> Json:
    """A message of a person, as a day file has it."""
    return {"type": "message", "user": user, "text": text, "ts": ts, **more}


def entries(messages: Iterable[Any], *, folder: str = "general", **lists: list[Any]) -> dict[str, Any]:
    """The files of a workspace with one channel: each message in the file of its own day."""
    days: dict[str, list[Any]] = {}
    for item in messages:
        days.setdefault(f"{folder}/{day_of(item)}.json", []).append(item)
    files = {f"{name}.json": value for name, value in lists.items()}
    return {"channels.json": [CHANNEL], "users.json": [ADA, BO], **files, **days}


def day_of(item: Any) -> str:
    """The day of a message in UTC; one that says none stands in the first file."""
    try:
        seconds = float(item["ts"])
    except (TypeError, KeyError, ValueError):
        seconds = 1600000000
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d")


def write_zip(path: Path, files: Mapping[str, Any], *, indent: int | None = 4) -> Path:
    """The zip; text and bytes are written as they are, all else as JSON."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in files.items():
            archive.writestr(name, value if isinstance(value, str | bytes) else json.dumps(value, indent=indent))
    return path


def write_large(path: Path, megabytes: int, *, channels: int = 20, people: int = 500, seed: int = 1) -> int:
    """An export that unpacks to this size, with threads, reactions, mentions, emoji, bots and files; returns its messages.

    Written day by day, so that a large one needs no memory either.
    """
    chance = random.Random(seed)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 9))) for _ in range(5000)]
    users = [_person(number) for number in range(people)]
    names = [f"channel-{number}" for number in range(channels)]
    begin = datetime(2020, 1, 1, tzinfo=timezone.utc)
    written = count = day = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("users.json", json.dumps(users, indent=4))
        lists = [
            {
                "id": f"C{number:08d}",
                "name": name,
                "created": int(begin.timestamp()),
                "members": [user["id"] for user in users[:50]],
            }
            for number, name in enumerate(names)
        ]
        archive.writestr("channels.json", json.dumps(lists, indent=4))
        while written < megabytes * 1_000_000:
            date = begin + timedelta(days=day)
            day += 1
            for name in names:
                messages = list(_day(chance, words, users, int(date.timestamp())))
                text = json.dumps(messages, indent=4)
                archive.writestr(f"{name}/{date:%Y-%m-%d}.json", text)
                written += len(text)
                count += len(messages)
                if written >= megabytes * 1_000_000:
                    break
    return count


def _person(number: int) -> Json:
    name = f"person{number}"
    profile = {"real_name": f"Person {number}", "display_name": name, "email": f"{name}@contoso.com", "title": ""}
    return {
        "id": f"U{number:08d}",
        "team_id": "T00000001",
        "name": name,
        "deleted": False,
        "is_bot": False,
        "profile": profile,
    }


def _day(chance: random.Random, words: list[str], users: list[Json], begin: int) -> Iterable[Json]:
    root = None
    for number in range(60):
        ts = f"{begin + number * 1200}.{chance.randint(0, 999_999):06d}"
        user = chance.choice(users)
        said = " ".join(chance.choices(words, k=chance.randint(3, 40)))
        item = _written(chance, said, user, ts)
        if number % 10 == 0:
            item |= {"thread_ts": ts, "reply_count": 3, "reply_users": [user["id"]], "latest_reply": ts}
            root = ts
        elif number % 10 < 4:
            item |= {"thread_ts": root, "parent_user_id": user["id"]}
        if number % 7 == 0:
            item["reactions"] = [
                {"name": "+1", "users": [user["id"]], "count": 1},
                {"name": "tada", "users": [user["id"]], "count": 1},
            ]
        if number % 13 == 0:
            item["files"] = [_image_of(chance, user)]
        if number % 11 == 0:
            item = _of_a_bot(said, ts)
        yield item


def _written(chance: random.Random, said: str, user: Json, ts: str) -> Json:
    other = f"U{chance.randint(0, 99):08d}"
    section = [
        {"type": "text", "text": said + " "},
        {"type": "user", "user_id": other},
        {"type": "text", "text": " see ", "style": {"bold": True}},
        {"type": "link", "url": f"https://contoso.com/{said[:10].replace(' ', '-')}"},
        {"type": "emoji", "name": "smile", "unicode": "1f604"},
    ]
    rich = {"type": "rich_text", "block_id": f"b{ts}", "elements": [{"type": "rich_text_section", "elements": section}]}
    return {
        "client_msg_id": f"{chance.getrandbits(128):032x}",
        "type": "message",
        "text": f"{said} <@{other}> *see* <https://contoso.com/> :smile:",
        "user": user["id"],
        "ts": ts,
        "blocks": [rich],
        "team": "T00000001",
        "user_team": "T00000001",
        "source_team": "T00000001",
        "user_profile": {"real_name": user["profile"]["real_name"], "display_name": user["name"], "team": "T00000001"},
    }


def _image_of(chance: random.Random, user: Json) -> Json:
    name = f"F{chance.randint(0, 99_999_999):08d}"
    address = f"https://files.slack.com/files-pri/T00000001-{name}/image.png"
    return {
        "id": name,
        "name": "image.png",
        "title": "image.png",
        "mimetype": "image/png",
        "filetype": "png",
        "user": user["id"],
        "mode": "hosted",
        "size": 12345,
        "url_private": address,
        "url_private_download": address,
        "permalink": f"https://contoso.slack.com/files/{user['id']}/{name}/image.png",
        "original_w": 640,
        "original_h": 480,
    }


def _of_a_bot(said: str, ts: str) -> Json:
    card = {
        "fallback": said,
        "title": said[:20],
        "title_link": "https://ci.contoso.com/1",
        "text": f"*{said}*",
        "color": "36a64f",
    }
    return {
        "type": "message",
        "subtype": "bot_message",
        "text": "",
        "bot_id": "B1",
        "username": "ci",
        "ts": ts,
        "attachments": [card],
    }
