"""What the pages about imports say to type is typed here, and what they show as files is read."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys

import pytest
import yaml

from lakeflow_teams import GraphEmulator
from lakeflow_teams.deliver.document import _KEYS, load
from support.history import people
from support.paths import ROOT
from support.slack_export import entries, message, write_zip

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INGESTED = [
    "users",
    "teams",
    "channels",
    "members",
    "channel_members",
    "messages",
    "message_replies",
    "chats",
    "chat_members",
    "chat_messages",
]
WHOLE = {"fetch_all_teams": True, "fetch_all_channels": True, "fetch_all_messages": True, "fetch_all_users": True}


def blocks(page, language):
    return [text for found, text in FENCE.findall((ROOT / "docs" / page).read_text()) if found == language]


def typed(line, folder, graph):
    """Runs a line as somebody types it; the environment leads to the tenant."""
    tenant = {f"LAKEFLOW_TEAMS_{name.upper()}": value for name, value in graph.options.items()}
    command = shlex.split(line, comments=True)
    if command:
        command[:1] = [sys.executable, "-W", "ignore", "-m", "lakeflow_teams"]
        done = subprocess.run(command, cwd=folder, env={**os.environ, **tenant}, capture_output=True, text=True)
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"


@pytest.fixture
def graph():
    with GraphEmulator(teams=2, messages_per_channel=5, users=8, chats=3, missing_teams=0, seed=5) as emulator:
        yield emulator


def test_the_five_commands(graph, tmp_path):
    users = [
        {"id": name, "name": name, "profile": {"real_name": one["displayName"], "email": one["mail"]}}
        for name, one in zip(("U1", "U2"), people(graph), strict=False)
    ]
    write_zip(tmp_path / "export.zip", entries([message("hello"), message("again", "1600000001.000100", "U2")], users=users))
    for line in blocks("import.md", "bash")[0].splitlines():
        typed(line, tmp_path, graph)
    team = next(row["id"] for row in graph.truth("teams") if row["displayName"] == "Imported")
    assert len([row for row in graph.truth("messages") if row["team_id"] == team]) == 2
    (code,) = blocks("import.md", "python")
    tenant = {f"LAKEFLOW_TEAMS_{name.upper()}": value for name, value in graph.options.items()}
    ran = f"{code}\nassert summary.exit_code == 0 and summary.counts['posted'] == 2"
    subprocess.run([sys.executable, "-W", "ignore", "-c", ran], cwd=tmp_path, env={**os.environ, **tenant}, check=True)


def test_tenant_to_tenant(graph, tmp_path):
    with GraphEmulator(teams=0, users=8, chats=0, missing_teams=0, seed=8) as other:
        for name, tenant in (("a", graph), ("b", other)):
            (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(dict(tenant.options)))
        tables = [{"table": {"source_table": name, "table_configuration": WHOLE}} for name in INGESTED]
        (tmp_path / "from-a.yaml").write_text(yaml.safe_dump({"objects": tables}))
        somebody = people(other)[0]["id"]
        for line in blocks("import.md", "bash")[1].splitlines():
            typed(line, tmp_path, other)
            if " init " in line:
                file = tmp_path / "import.yaml"
                file.write_text(file.read_text() + f"fallback_author: {somebody}\nowner: {somebody}\n")
        assert {row["displayName"] for row in graph.truth("teams")} == {row["displayName"] for row in other.truth("teams")}


def test_import_yaml_as_it_is_shown_has_every_key(tmp_path):
    (text,) = blocks("import.md", "yaml")
    (tmp_path / "import.yaml").write_text(text)
    assert set(yaml.safe_load(text)) == set(_KEYS)
    assert load(tmp_path / "import.yaml").add_members is False


@pytest.mark.parametrize("page", ["import-slack.md", "import-tables.md"])
def test_sources_as_they_are_shown_are_read(page, tmp_path):
    for text in blocks(page, "yaml"):
        (tmp_path / "import.yaml").write_text(text)
        assert load(tmp_path / "import.yaml").options


def test_a_table_as_it_is_shown(graph, tmp_path):
    table, command = blocks("import-tables.md", "text")[:2]
    (tmp_path / "messages.csv").write_text(table)
    typed(command, tmp_path, graph)
    file = tmp_path / "import.yaml"
    file.write_text(file.read_text() + f"fallback_author: {people(graph)[0]['id']}\n")
    typed("lakeflow-teams import run import.yaml --target lakehouse", tmp_path, graph)
    for code in blocks("import-tables.md", "python"):
        subprocess.run([sys.executable, "-c", code], check=True)
