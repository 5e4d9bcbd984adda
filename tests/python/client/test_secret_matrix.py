"""Every fault with marked secrets: whatever is raised, logged, pickled or reported holds no secret, token, link or message."""

from __future__ import annotations

import subprocess
import sys

from support.debug_build import SILENCED
from support.paths import SITE

SCRIPT = r'''
import asyncio, copy, io, json, logging, pickle, sys, threading, traceback
from concurrent.futures import ThreadPoolExecutor

records = io.StringIO()
logging.basicConfig(level=1, stream=records, format="%(levelname)s %(name)s %(message)s %(args)s")

from lakeflow_teams import GraphEmulator, LakeflowTeamsError, MicrosoftTeamsLakeflowConnect, TeamsClient

SECRET = "Zq8~marked.never-shown-4711+="
FAULTS = [
    *(dict(kind="status", status=s, retry_after="0.1") for s in (400, 402, 403, 404, 405, 408, 409, 410, 412)),
    *(dict(kind="status", status=s, retry_after=w) for s in (429, 503, 509) for w in ("1", "0.2", "86400", "soon", None)),
    *(dict(kind="status", status=s) for s in (201, 302, 401, 500, 501, 502, 504, 507, 530)),
    *(dict(kind=k) for k in ("reset", "truncate", "garbage_html", "garbage_utf8", "garbage_json", "expired_token",
                             "no_authorization_information", "loop", "repeat", "empty_page", "foreign_link", "no_links")),
    dict(kind="slow_body", delay_ms=3000),
    dict(kind="status", status=500, body=""),
    dict(kind="status", status=200, body='{"error":{"code":"x","message":"Bearer TOKEN and SECRET"}}'),
    dict(kind="status", status=400, body='{"error":{"code":"SECRET","message":"see https://u:SECRET@h/x?$skiptoken=marked"}}'),
    dict(kind="status", status=502, body='{"value":[{"body":{"content":"TEXT'),
    dict(kind="status", status=502, body="client_secret=SECRET&client_assertion=eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.a.b"),
    dict(kind="status", status=200, body='{"value":[' + '{"a":' * 1000 + "1" + "}" * 1000 + "]}"),
]
def tenant():
    graph = GraphEmulator(teams=2, channels_per_team=1, messages_per_channel=12, users=4, chats=2, seed=7, client_secret=SECRET)
    return graph, {**graph.options, "retry_timeout_seconds": "1", "request_timeout_seconds": "1", "rate_limits": "off"}

graph, good = tenant()
assert good["client_secret"] == SECRET
texts = {row["body"]["content"] for row in graph.truth("messages") if len((row["body"] or {}).get("content") or "") > 24}
assert texts
ALL = {"fetch_all_teams": "true", "fetch_all_channels": "true", "strategy": "channels"}

shown, offsets, failed, lock = [], [], 0, threading.Lock()

def show(error):
    """All that can be got out of an exception, and of those behind it."""
    global failed
    with lock:
        failed += 1
    assert isinstance(error, (LakeflowTeamsError, ConnectionError)), repr(error)
    shown.extend(traceback.format_exception(error))
    while error is not None:
        shown.extend([str(error), repr(error), repr(vars(error)), repr(error.args)])
        copied = pickle.loads(pickle.dumps(error))
        shown.extend([str(copied), repr(vars(copied)), pickle.dumps(error).decode("latin-1")])
        error = error.__cause__ or error.__context__

def look(client, connector):
    shown.extend([repr(client), str(client), repr(connector), repr(client.report), client.report._repr_html_()])
    shown.append(json.dumps(client.report.raw))
    # A connector is made to travel to Spark's executors, and so carries its options; a client is not.
    try:
        shown.append(pickle.dumps(client).decode("latin-1"))
    except TypeError as error:
        shown.append(str(error))
    for thing in (client, connector):
        # What a debugger's "locals" or a crash reporter shows.
        for name in dir(thing):
            if not name.startswith("__"):
                shown.append(repr(getattr(thing, name, None)))

def attempt(options, fault):
    try:
        client, connector = TeamsClient(options), MicrosoftTeamsLakeflowConnect(options)
    except Exception as error:
        return show(error)
    for read in (
        lambda: [repr(batch) for batch in client.read("messages", **ALL)],
        lambda: asyncio.run(first(client)),
        lambda: connector_step(connector),
    ):
        try:
            read()
        except Exception as error:
            show(error)
    look(client, connector)

async def first(client):
    async for _ in client.read_async("teams"):
        pass

def connector_step(connector):
    rows, offset = connector.read_table("messages", {}, {**ALL, "max_pages_per_batch": "1"})
    list(rows)
    offsets.append(json.dumps(offset))

def attempt_all(fault):
    """Most of the time is waiting, so that each fault has a tenant of its own beside the others."""
    graph, good = tenant()
    for path in ("/v1.0/teams", "/oauth2/"):
        rule = copy.deepcopy(fault)
        if rule.get("body"):
            # Only the login host ever sees the secret, and only Graph the messages.
            secret, text = (SECRET, "") if path == "/oauth2/" else ("opaque", sorted(texts)[0])
            rule["body"] = rule["body"].replace("SECRET", secret).replace("TEXT", text)
        if path == "/oauth2/" and fault["kind"] not in ("status", "reset", "truncate", "garbage_html", "garbage_json"):
            continue
        graph.fault(path=path, **{k: v for k, v in rule.items() if v is not None})
        attempt(good, rule)
        graph.clear_faults()

with ThreadPoolExecutor(16) as threads:
    list(threads.map(attempt_all, FAULTS))

for wrong in (
    {"client_secret": "wrong-" + SECRET},
    {"client_secret_env": SECRET, "client_secret": None},
    {"client_secret_file": SECRET, "client_secret": None},
    {"client_secret_file": "/nowhere/" + "file", "client_secret": None},
    {"client_certificate": SECRET, "client_secret": None},
    {"client_certificate": "-----BEGIN PRIVATE KEY-----\n" + SECRET, "client_secret": None},
    {"client_certificate": "MII" + "A" * 900 + SECRET, "client_certificate_password": SECRET, "client_secret": None},
    {"client_certificate": SECRET},
    {"client_certificate_password": SECRET},
    {"client_secrt": SECRET},
    {"proxy": "http://user:" + SECRET + "@[broken"},
    {"proxy": "http://user:Zq8marked@127.0.0.1:9"},
    {"graph_base_url": "https://user:Zq8marked@graph.example"},
    {"authority_host": "https://user:Zq8marked@login.example"},
    {"graph_base_url": "http://graph.example"},
    {"tenant_id": "no such/tenant"},
    {"ca_bundle": "/nowhere"},
):
    attempt({k: v for k, v in {**good, **wrong}.items() if v is not None}, wrong)

class Credential:
    def __init__(self, make): self.make = make
    def get_token(self, scope, **claims): return self.make()
class Token:
    def __init__(self, token, expires_on): self.token, self.expires_on = token, expires_on
def fail(): raise ValueError(SECRET)
for make in (fail, lambda: Token(SECRET, float("nan")), lambda: Token(SECRET, float("-inf")), lambda: Token(SECRET + "\n", 4e9),
             lambda: Token(SECRET, 4e9), lambda: SECRET, lambda: Token(None, SECRET), lambda: Token("", 0)):
    plain = {k: v for k, v in good.items() if k != "client_secret"}
    try:
        list(TeamsClient({**plain}, credential=Credential(make)).read("teams"))
    except Exception as error:
        show(error)

log = records.getvalue()
everything = "\n".join([*shown, log])
assert failed > 100, failed
assert "answered 200" in log and "DEBUG" in log
bad = [SECRET, "Zq8~marked", "Zq8marked", "never-shown", "eyJ0", "skiptoken=m", "skiptoken=e", "attacker", *texts]
for text in bad:
    at = everything.find(text)
    assert at < 0, (text, everything[max(0, at - 300):at + 200])
for text in (SECRET, "eyJ0", *texts):
    assert all(text not in offset for offset in offsets), text
print("failures", failed, "characters", len(everything), "offsets", len(offsets))
'''


def test_no_fault_makes_a_secret_show(tmp_path):
    run = subprocess.run(
        [sys.executable, "-W", "error", "-W", SILENCED, "-c", SCRIPT],
        capture_output=True,
        text=True,
        timeout=500,
        cwd=tmp_path,
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(SITE),
            "RUST_LOG": "trace",
            "RUST_BACKTRACE": "full",
            "PYTHONFAULTHANDLER": "1",
        },
    )
    assert run.returncode == 0, run.stderr[-3000:]
    assert run.stdout.startswith("failures"), run.stdout
    assert "Zq8" not in run.stderr
    assert "eyJ0" not in run.stderr
