"""Servers of object stores beside the tests, in processes of their own: deltalake holds Python's lock while it asks."""

from __future__ import annotations

import hmac
import json
import shutil
import socket
import subprocess
import sys
from base64 import b64decode, b64encode
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from urllib.parse import quote
from urllib.request import Request, urlopen

import obstore
import pyarrow as pa
import pytest
from obstore.store import S3Store

from lakeflow_teams.local.write import delta
from lakeflow_teams.store.locate import locate
from lakeflow_teams.store.location import CommitExistsError
from support.paths import PROGRAMS, ROOT

#: Where `make azurite` installs it.
AZURITE = ROOT / ".venv" / "azurite" / "node_modules" / ".bin" / "azurite-blob"
#: Not secret anywhere but here: what is looked for in everything that is written and said.
SECRET = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"
HTTP = {"allow_http": True}


def created_late(target):
    """Rows and version of a table, of which another one was to be created when it was there by then."""
    place = locate(target)
    with place.creation() as late:
        delta.log(place, pa.table({"id": ["1"]}))
        delta.log(late.root, pa.table({"id": ["2"]}))
        with pytest.raises(CommitExistsError):
            late.push()
        Path(late.root, "_delta_log", f"{0:020}.json").write_bytes((place / "_delta_log" / f"{0:020}.json").read())
        late.push()  # as after an answer that was lost: the commit there is its own
    table = delta.opened(place)
    return delta.read(table).to_pylist(), table.version()


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

    def objects(self):
        """Every object of the bucket by its key."""
        store = S3Store(self.BUCKET, endpoint=self.url, access_key_id="any", secret_access_key="any", client_options=HTTP)
        keys = [each["path"] for batch in obstore.list(store) for each in batch]
        return {key: bytes(obstore.get(store, key).bytes()) for key in keys}

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


class Google:
    """The same server as Google's: its XML API is S3's, with headers of its own."""

    def __init__(self, s3):
        self._s3 = s3
        account = {
            "gcs_base_url": s3.url,
            "disable_oauth": True,
            "client_email": "",
            "private_key": "",
            "private_key_id": "",
        }
        self.environment = {
            "GOOGLE_SERVICE_ACCOUNT_KEY": json.dumps(account),
            "LAKEFLOW_TEAMS_STORAGE_OPTIONS": json.dumps({"allow_http": True}),
        }

    def target(self):
        """A new place in the bucket."""
        return self._s3.target().replace("s3://", "gs://")


class Azure:
    """A container of a server of its own: Azurite, with the account and key that every one of them has."""

    CONTAINER = "lake-container"
    ACCOUNT = "devstoreaccount1"
    KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}/{self.ACCOUNT}"
        self.environment = {
            "AZURE_STORAGE_ACCOUNT_NAME": self.ACCOUNT,
            "AZURE_STORAGE_ACCOUNT_KEY": self.KEY,
            "AZURE_STORAGE_ENDPOINT": self.url,
            "AZURE_ALLOW_HTTP": "true",
        }
        self._number = 0
        self._create()

    def target(self):
        """A new place in the container."""
        self._number += 1
        return f"az://{self.CONTAINER}/lake {self._number}"

    def sas(self, *, expires):
        """A token for everything in the account until then."""
        fields = [self.ACCOUNT, "rwdlac", "b", "sco", "", expires, "", "https,http", "2020-12-06", "", ""]
        signature = quote(self._signed("\n".join(fields)), safe="")
        return f"sv=2020-12-06&ss=b&srt=sco&sp=rwdlac&se={quote(expires, safe='')}&spr=https,http&sig={signature}"

    def _create(self):
        date = formatdate(usegmt=True)
        headers = {"x-ms-date": date, "x-ms-version": "2020-12-06"}
        resource = f"/{self.ACCOUNT}/{self.ACCOUNT}/{self.CONTAINER}\nrestype:container"
        text = "PUT" + "\n" * 12 + f"x-ms-date:{date}\nx-ms-version:2020-12-06\n{resource}"
        headers["Authorization"] = f"SharedKey {self.ACCOUNT}:{self._signed(text)}"
        headers["Content-Length"] = "0"
        urlopen(Request(f"{self.url}/{self.CONTAINER}?restype=container", headers=headers, method="PUT")).close()

    def _signed(self, text):
        return b64encode(hmac.digest(b64decode(self.KEY), text.encode(), "sha256")).decode()


@contextmanager
def azurite_server():
    """Azurite with a container; the test is skipped where it is not installed."""
    node = shutil.which("node")
    if node is None or not AZURITE.exists():
        pytest.skip("no Azurite: `make azurite` installs it, with npm")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        node,
        AZURITE,
        "--blobPort",
        str(port),
        "--inMemoryPersistence",
        "--skipApiVersionCheck",
        "--disableTelemetry",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            while "successfully listens" not in process.stdout.readline():
                assert process.poll() is None
            yield Azure(port)
        finally:
            process.kill()
