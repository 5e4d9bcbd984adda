"""Servers of object stores beside the tests, in processes of their own: deltalake holds Python's lock while it asks."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from urllib.request import Request, urlopen

from support.paths import PROGRAMS, ROOT

#: Where `make test-stores` installs Azurite.
AZURITE = ROOT / ".venv" / "azurite" / "node_modules" / ".bin" / "azurite-blob"
#: Not secret anywhere but here: what is looked for in everything that is written and said.
SECRET = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"


class S3:
    """A bucket of a server of its own, and what the server does wrong."""

    BUCKET = "lake-bucket"

    def __init__(self, url):
        self.url = url
        self.environment = {
            "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": url,
            "AWS_ALLOW_HTTP": "true",
        }
        self._number = 0
        self._ask("PUT", f"/{self.BUCKET}")

    def target(self):
        """A new place in the bucket."""
        self._number += 1
        return f"s3://{self.BUCKET}/lake {self._number}"

    def faults(self, *rules):
        """From now on: ``(what, method, path[, skip[, times]])``; without rules, none."""
        names = ("does", "method", "path", "skip", "times")
        defaults = {"skip": 0, "times": 1_000_000}
        body = [{**defaults, **dict(zip(names, rule, strict=False))} for rule in rules]
        self._ask("POST", "/_faults", json.dumps(body).encode())

    def requests(self):
        """Method and path of every request so far."""
        return [(method, path) for method, path in json.loads(self._ask("GET", "/_requests"))]

    def _ask(self, method, path, body=b""):
        with urlopen(Request(self.url + path, body, method=method)) as answer:
            return answer.read()


@contextmanager
def s3_server():
    """An S3 server with a bucket."""
    with subprocess.Popen([sys.executable, PROGRAMS / "s3_server.py"], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield S3(f"http://127.0.0.1:{int(process.stdout.readline())}")
        finally:
            process.kill()
