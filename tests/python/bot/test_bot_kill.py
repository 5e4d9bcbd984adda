"""kill -9 at random moments of a bot that is told much: what was acknowledged is handled, and no answer comes twice."""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from support.bots import rows, sent, until

SERVER = """
import json, sys
import uvicorn
from lakeflow_teams.bot import TeamsBot
bot = TeamsBot(json.loads(open(sys.argv[1]).read()), target=sys.argv[2])

@bot.message
def answer(message):
    with open(sys.argv[3], "a") as file:
        file.write(message.text + "\\n")
    return "to " + message.text

uvicorn.run(bot, port=int(sys.argv[4]), log_level="critical")
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def health(url):
    with urlopen(f"{url}/health", timeout=30) as answer:
        return json.load(answer)


def is_up(url):
    try:
        return health(url)["status"] == "ok"
    except (URLError, OSError):
        return False


def kill_until_done(graph, users, tmp_path, *, told, kills, seed):
    (tmp_path / "options.json").write_text(json.dumps(dict(graph.options)))
    lake, log, port = tmp_path / "lake", tmp_path / "log", free_port()
    log.touch()
    url, moments = f"http://127.0.0.1:{port}", random.Random(seed)
    # What gets no answer comes again twice, and is then given up, as by Teams.
    graph.set(resend_seconds=1)

    def start():
        arguments = [str(tmp_path / "options.json"), str(lake), str(log), str(port)]
        process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", SERVER, *arguments])
        until(lambda: is_up(url) or process.poll() is not None)
        assert process.poll() is None
        return process

    def tell(at):
        times = moments.choice([1, 1, 3])
        (one,) = graph.tell(f"{url}/api/messages", deed="message", user=users[at % len(users)], text=f"m{at}", times=times)
        return f"m{at}", 200 in one["statuses"]

    acknowledged = set()
    for turn in range(kills + 1):
        process = start()
        with ThreadPoolExecutor(8) as people:
            share = range(turn * told // (kills + 1), (turn + 1) * told // (kills + 1))
            answers = [people.submit(tell, at) for at in share]
            if turn < kills:
                time.sleep(moments.uniform(0.05, 0.6))
                process.kill()
                process.wait()
            acknowledged |= {name for name, good in (one.result() for one in answers) if good}
    until(lambda: health(url)["pending"] == 0)
    assert acknowledged <= set(log.read_text().split())
    process.terminate()
    process.wait(60)
    answers = Counter(one["activity"]["text"] for one in sent(graph))
    assert not answers or max(answers.values()) == 1, answers.most_common(3)
    kept = {json.loads(row["activity"])["text"]: row["state"] for row in rows(lake)}
    assert len(kept) == len(rows(lake)), "a row each"
    assert acknowledged <= set(kept)
    assert set(kept.values()) == {"handled"}, Counter((row["state"], row["code"]) for row in rows(lake))
    assert set(log.read_text().split()) == set(kept), "nothing is handled that is not kept"
    return acknowledged


def test_kill_a_bot(graph, tmp_path):
    users = [user["id"] for user in graph.truth("users")]
    assert kill_until_done(graph, users, tmp_path, told=40, kills=1, seed=3)


@pytest.mark.slow
def test_kill_a_bot_ten_times(graph, tmp_path):
    users = [user["id"] for user in graph.truth("users")]
    assert kill_until_done(graph, users, tmp_path, told=1_500, kills=10, seed=5)
