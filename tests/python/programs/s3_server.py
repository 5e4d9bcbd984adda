"""An S3 server on loopback (moto's) that does what stores do to programs: refuse, throttle, and lose answers.

It prints its port. Requests are served one at a time, so that a conditional put is as atomic as S3's. ``POST /_faults`` takes
JSON rules, each ``{"does", "method", "path", "skip", "times"}``: which requests (``path`` is a regular expression), after how
many of them, and for how many. ``GET /_requests`` gives every request so far as ``[method, path]``.

It also takes what Google's XML API adds to S3's dialect (https://cloud.google.com/storage/docs/interoperability): another header
for "only where nothing is", and another way to sign.
"""

from __future__ import annotations

import json
import logging
import re
import socket
from urllib.parse import quote

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

REFUSALS = {
    "slow_down": ("503 Slow Down", "SlowDown", "Please reduce your request rate."),
    "expired": ("400 Bad Request", "ExpiredToken", "The provided token has expired."),
    "denied": ("403 Forbidden", "AccessDenied", "Access Denied"),
    "wrong_key": (
        "403 Forbidden",
        "InvalidAccessKeyId",
        "The AWS Access Key Id you provided does not exist in our records.",
    ),
    "region": ("400 Bad Request", "AuthorizationHeaderMalformed", "The region 'us-east-1' is wrong; expecting 'eu-west-1'"),
}


class Faults:
    """The application in front of moto's."""

    def __init__(self, inner):
        self._inner = inner
        self._rules = []
        self._requests = []

    def __call__(self, environ, start_response):
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if path == "/_faults":
            self._rules = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
            return self._plain(start_response, b"")
        if path == "/_requests":
            return self._plain(start_response, json.dumps(self._requests).encode())
        self._requests.append([method, path])
        self._as_s3(environ)
        for rule in self._rules:
            if method == rule["method"] and re.search(rule["path"], path):
                rule["seen"] = rule.get("seen", 0) + 1
                if rule["skip"] < rule["seen"] <= rule["skip"] + rule["times"]:
                    return self._do(rule["does"], environ, start_response)
        return self._inner(environ, start_response)

    @staticmethod
    def _as_s3(environ):
        if environ.pop("HTTP_X_GOOG_IF_GENERATION_MATCH", None) == "0":
            environ["HTTP_IF_NONE_MATCH"] = "*"
        if not environ.get("HTTP_AUTHORIZATION", "").startswith("AWS4"):
            environ["HTTP_AUTHORIZATION"] = "AWS4-HMAC-SHA256 Credential=any/20250101/us-east-1/s3/aws4_request"
            path = quote(environ["PATH_INFO"].encode("latin-1"))  # Google's clients also write - . and / of a key in percent
            query = environ.get("QUERY_STRING")
            environ["RAW_URI"] = environ["REQUEST_URI"] = f"{path}?{query}" if query else path

    def _do(self, fault, environ, start_response):
        if fault == "careless":  # a store that has never heard of conditions
            environ.pop("HTTP_IF_NONE_MATCH", None)
            return self._inner(environ, start_response)
        if fault in REFUSALS:
            status, code, message = REFUSALS[fault]
            length = int(environ.get("CONTENT_LENGTH") or 0)
            environ["wsgi.input"].read(length)
            start_response(status, [("Content-Type", "application/xml")])
            return [f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()]
        if fault == "lost":  # carried out, and the answer never arrives
            b"".join(self._inner(environ, lambda *_: None))
        else:  # cut: the connection breaks in the middle of the upload
            environ["wsgi.input"].read(10)
        connection = environ["werkzeug.socket"]
        connection.shutdown(socket.SHUT_RDWR)
        return []

    @staticmethod
    def _plain(start_response, body):
        start_response("200 OK", [("Content-Type", "application/json")])
        return [body]


if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    server = make_server("127.0.0.1", 0, Faults(DomainDispatcherApplication(create_backend_app)), threaded=False)
    server.log = lambda *_: None
    print(server.port, flush=True)
    server.serve_forever()
