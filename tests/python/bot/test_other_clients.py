"""The emulator follows the protocol and not our client: other people's clients send through it, and accept what it signs.

They need an environment of their own, which ``make test-bot-clients`` makes.
"""

from __future__ import annotations

import json
import subprocess
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from support.bots import sent
from support.paths import PROGRAMS, ROOT

PYTHON = ROOT / ".venvs" / "bot-clients" / "bin" / "python"


def token(graph):
    options = graph.options
    form = {
        "client_id": options["client_id"],
        "client_secret": options["client_secret"],
        "grant_type": "client_credentials",
        "scope": "https://api.botframework.com/.default",
    }
    with urlopen(f"{graph.url}/{options['tenant_id']}/oauth2/v2.0/token", urlencode(form).encode()) as answer:
        return json.load(answer)["access_token"]


@pytest.mark.skipif(not PYTHON.exists(), reason="make test-bot-clients installs them")
@pytest.mark.parametrize("client", ["connector", "teams", "agents"])
def test_other_clients_send_and_accept_its_tokens(graph, user, client):
    (said,) = graph.act(deed="message", user=user, text="hello")
    job = {
        "url": graph.url,
        "tenant": graph.options["tenant_id"],
        "app": graph.options["client_id"],
        "user": user,
        "token": token(graph),
        **said,
    }
    command = [str(PYTHON), str(PROGRAMS / "bot_clients.py"), client, json.dumps(job)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout.splitlines()[-1]) == [[user], True]
    told = [(one["action"], one["recipient"], one["activity"] and one["activity"]["text"]) for one in graph.deliveries()]
    assert told == [("send", user, "one"), ("update", user, "two"), ("delete", user, None)]
    assert len({one["activity_id"] for one in graph.deliveries()}) == len(sent(graph)) == 1
