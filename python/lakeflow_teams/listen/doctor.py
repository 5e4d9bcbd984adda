"""Whether Graph could reach us and would let us subscribe, before it is tried: address, handshake, TLS, permissions."""

from __future__ import annotations

import json
import secrets
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic
from typing import Any, Literal
from urllib.parse import parse_qs, quote_plus, urlsplit

from lakeflow_teams import _core
from lakeflow_teams.listen.settings import checked
from lakeflow_teams.local.plan import Job

#: Graph waits so long in a handshake, and calls what takes longer than this slow when it notifies.
_PATIENCE_SECONDS = 10.0
_SLOW_SECONDS = 3.0

State = Literal["ok", "warning", "failed"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, what came of it, and what helps."""

    check: str
    state: State
    found: str
    remedy: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def look(url: str, client: _core.Client, jobs: Sequence[Job], host: str, port: int) -> list[Finding]:
    """Looks at everything. Where nothing listens at ``host`` and ``port`` yet, something that answers handshakes does."""
    checked(url)
    findings: list[Finding] = []
    with _answering(host, port) as own:
        findings.append(
            Finding("endpoint", "ok", f"{host}:{port} is answered {'for this check' if own else 'by something that runs'}")
        )
        for name, address in (("handshake", url), ("lifecycle handshake", _lifecycle(url))):
            findings += _handshake(name, address)
    return findings + _permissions(client, jobs)


def _lifecycle(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(path=parts.path.rstrip("/") + "/lifecycle").geturl()


def _handshake(name: str, url: str) -> list[Finding]:
    """Posts what Graph posts, and looks at the answer as Graph does: 200, plain text, the token and nothing else."""
    token = f"Validation: Testing client application reachability for subscription Request-Id: {secrets.token_hex(16)}"
    parts = urlsplit(url)
    mark = "&" if parts.query else "?"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "") + f"{mark}validationToken={quote_plus(token)}"
    begin = monotonic()
    try:
        connection = _connection(parts)
        connection.request("POST", target, body=b"", headers={"Content-Type": "text/plain; charset=utf-8"})
        answer = connection.getresponse()
        body, kind = answer.read(65_536), answer.getheader("Content-Type") or ""
        connection.close()
    except ssl.SSLCertVerificationError as error:
        text = f"its certificate is refused: {error.verify_message}"
        return [Finding("tls", "failed", text, "use one of a public authority, with its whole chain; Graph trusts no other")]
    except ssl.SSLError as error:
        return [Finding("tls", "failed", f"no TLS connection: {error.reason}", "offer TLS 1.2 or later")]
    except (OSError, HTTPException) as error:
        text = f"{parts.hostname} cannot be reached: {' '.join(str(error).split()) or type(error).__name__}"
        return [
            Finding(name, "failed", text, "forward the address to the listener's host and port; Graph calls it from outside")
        ]
    is_echo = kind.lower().startswith("text/plain") and body == token.encode()
    return [_judged(name, answer.status, monotonic() - begin, is_echo=is_echo)]


def _connection(parts: Any) -> HTTPConnection:
    if parts.scheme == "https":
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return HTTPSConnection(parts.hostname, parts.port or 443, timeout=_PATIENCE_SECONDS, context=context)
    return HTTPConnection(parts.hostname, parts.port or 80, timeout=_PATIENCE_SECONDS)


def _judged(name: str, status: int, seconds: float, *, is_echo: bool) -> Finding:
    if 300 <= status < 400:
        return Finding(
            name, "failed", f"it answers {status}, a redirect", "name the address that it leads to: Graph follows none"
        )
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        text = "let requests to this path through without a sign-in: Graph signs in nowhere, and each item proves itself"
        return Finding(name, "failed", f"it answers {status}", text)
    if status != HTTPStatus.OK:
        return Finding(
            name, "failed", f"it answers {status}", "forward this path, and the one with /lifecycle, to the listener"
        )
    if not is_echo:
        text = "another program answers, such as the warning page of a tunnel; it has to be the listener"
        return Finding(name, "failed", "it answers 200, and not with the token that was sent", text)
    if seconds > _SLOW_SECONDS:
        return Finding(
            name, "warning", f"it took {seconds:.1f} s", "keep it awake and near: Graph takes back what needs 3 s"
        )
    return Finding(name, "ok", f"answered in {seconds * 1000:.0f} ms")


def _permissions(client: _core.Client, jobs: Sequence[Job]) -> list[Finding]:
    tables = [(job.spec.source_table, job.spec.options, None) for job in jobs]
    plan: Mapping[str, Any] = json.loads(_core.plan_subscriptions(tables))
    roles = client.roles()
    findings = []
    for wanted in plan["subscriptions"]:
        name, needed = f"subscription {wanted['resource']}", wanted["permissions"]
        feeds = ", ".join(wanted["tables"])
        if roles is None:
            findings.append(Finding(name, "warning", f"for {feeds}; the token does not tell its permissions"))
        elif not set(needed) & set(roles):
            text = f"give the application one of {', '.join(needed)}, and have an administrator consent"
            findings.append(Finding(name, "failed", f"for {feeds}; it needs one of {', '.join(needed)}", text))
        else:
            quota = f"; {wanted['quota']}" if wanted.get("quota") else ""
            findings.append(Finding(name, "ok", f"for {feeds}{quota}"))
    left_out = plan["not_pushed"]
    return findings + [Finding(f"table {left['table']}", "warning", f"polled only: {left['reason']}") for left in left_out]


@contextmanager
def _answering(host: str, port: int) -> Iterator[bool]:
    """Answers handshakes at the address, unless something listens there. Whether it does itself."""
    try:
        server = ThreadingHTTPServer((host, port), _Echo)
    except OSError:
        yield False
        return
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield True
    finally:
        server.shutdown()
        server.server_close()


class _Echo(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        token = parse_qs(urlsplit(self.path).query).get("validationToken", [""])[0]
        body = token.encode()
        self.send_response(HTTPStatus.OK if token else HTTPStatus.BAD_REQUEST)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing: the findings say it."""
