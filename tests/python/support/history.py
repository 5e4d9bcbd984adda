"""Message history to import: a lakehouse as `ingest` writes it, made from a seed, and what must stand in Teams afterwards."""

from __future__ import annotations

import random
from pathlib import Path

import pyarrow as pa
from deltalake import write_deltalake

from lakeflow_teams import _core
from lakeflow_teams.local.write import times

#: 2021-03-01T00:00:00Z in milliseconds.
START = 1_614_556_800_000
TEAM = "11111111-2222-4333-8444-555555555555"


def iso(at_ms):
    """As Graph writes a time, with three digits."""
    seconds, rest = divmod(at_ms, 1000)
    return f"{__import__('datetime').datetime.fromtimestamp(seconds, __import__('datetime').timezone.utc):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"


def save(folder, table, rows, timestamps="text"):
    """One table, with the columns that the table has; times are text or timestamps."""
    if table in ("messages", "message_replies", "chat_messages"):
        rows = [{"messageType": "message", "importance": "normal", **row} for row in rows]
    text = pa.schema(_core.schema(table, {"timestamps": "text"}))
    written = times.cast(pa.Table.from_pylist(rows, text), pa.schema(_core.schema(table, {"timestamps": timestamps})))
    path = Path(folder) / "main" / "default" / table
    path.mkdir(parents=True, exist_ok=True)
    write_deltalake(str(path), written, mode="overwrite")


class History:
    """Channels with roots and replies, several of which share a millisecond."""

    def __init__(self, users, channels=4, messages=30, seed=1):
        self.users = users
        self.channels = [f"19:source{n}@thread.tacv2" for n in range(channels)]
        self.rows = []
        for channel in self.channels:
            # Each has its own, so that more messages go on where fewer ended.
            dice = random.Random(f"{seed} {channel}")
            at, roots = START, []
            for n in range(messages):
                at += dice.choice([0, 0, 1, 5, 1000, 60_000])
                parent = dice.choice(roots) if roots and dice.random() < 0.4 else None
                one = {
                    "channel": channel,
                    "id": f"{n + 1:06d}",
                    "parent": parent,
                    "at": at,
                    "author": dice.choice(users)["id"],
                    "text": f"<p>message {n} of {channel[9:]} &amp; more</p>",
                }
                self.rows.append(one)
                if parent is None:
                    roots.append(one["id"])

    def planned(self):
        """What must stand in Teams: channel name, time, author, text, and the time of the root."""
        found, times = [], {}
        last = {}
        for row in self.rows:
            at = max(row["at"], last.get(row["channel"], 0) + 1)
            last[row["channel"]] = at
            times[row["channel"], row["id"]] = at
            root = times[row["channel"], row["parent"]] if row["parent"] else None
            found.append((self.name(row["channel"]), at, row["author"], row["text"], root))
        return sorted(found, key=str)

    def name(self, channel):
        """The channel's name."""
        return f"room {self.channels.index(channel)}"

    def write(self, folder):
        """Writes the lakehouse."""
        save(folder, "teams", [{"id": TEAM, "displayName": "Source"}])
        save(
            folder,
            "channels",
            [
                {
                    "id": one,
                    "team_id": TEAM,
                    "displayName": self.name(one),
                    "membershipType": "standard",
                    "createdDateTime": iso(START - 1000),
                }
                for one in self.channels
            ],
        )
        save(
            folder,
            "users",
            [
                {
                    "id": one["id"],
                    "displayName": one["displayName"],
                    "mail": one["mail"],
                    "userPrincipalName": one["userPrincipalName"],
                }
                for one in self.users
            ],
        )
        messages, replies = [], []
        for row in self.rows:
            one = {
                "id": row["id"],
                "team_id": TEAM,
                "channel_id": row["channel"],
                "createdDateTime": iso(row["at"]),
                "lastModifiedDateTime": iso(row["at"]),
                "from": {"user": {"id": row["author"], "displayName": "somebody"}},
                "body": {"contentType": "html", "content": row["text"]},
            }
            if row["parent"]:
                replies.append({**one, "parent_message_id": row["parent"], "replyToId": row["parent"]})
            else:
                messages.append(one)
        save(folder, "messages", messages)
        save(folder, "message_replies", replies)
        return folder


def standing(graph, team="Imported"):
    """What stands in the channels of a team of this name, as :meth:`History.planned` tells it."""
    teams = {row["id"] for row in graph.truth("teams") if row["displayName"] == team}
    names = {row["id"]: row["displayName"] for row in graph.truth("channels") if row["team_id"] in teams}
    roots = {(row["channel_id"], row["id"]): row for row in graph.truth("messages") if row["channel_id"] in names}
    found = [(row, None) for row in roots.values()]
    found += [
        (row, roots[row["channel_id"], row["parent_message_id"]])
        for row in graph.truth("message_replies")
        if row["channel_id"] in names
    ]
    return sorted(
        (
            (
                names[row["channel_id"]],
                milliseconds(row),
                row["from"]["user"]["id"],
                row["body"]["content"],
                root and milliseconds(root),
            )
            for row, root in found
        ),
        key=str,
    )


def milliseconds(row):
    """The time of a message."""
    from datetime import datetime

    moment = datetime.fromisoformat(row["createdDateTime"].replace("Z", "+00:00"))
    return round(moment.timestamp() * 1000)


def people(graph, most=6):
    """People of the tenant who can write."""
    return [row for row in graph.truth("users") if row["mail"]][:most]


def plan(folder, source, **more):
    """Writes import.yaml, and returns it."""
    import json

    path = Path(folder) / "import.yaml"
    content = {"source": {"path": str(source), "format": "lakehouse"}, "team": {"name": "Imported"}, **more}
    path.write_text(json.dumps(content), encoding="utf-8")  # JSON is YAML
    return path


def ledger(target):
    """The table `import_messages` as rows."""
    from deltalake import DeltaTable

    return DeltaTable(str(Path(target) / "main" / "default" / "import_messages")).to_pyarrow_table().to_pylist()
