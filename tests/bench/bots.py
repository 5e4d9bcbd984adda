"""Bots for the stage `bots`: ours, and a straightforward one in Python. Each is a server of its own.

``python bots.py NAME '{"options": ..., "folder": ...}'`` prints its port, and serves until its stdin ends.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import threading
from pathlib import Path
from typing import Any
from urllib.request import urlopen

Job = dict[str, Any]


def engine(job: Job) -> Any:
    """The core proves each activity; it is on disk before the answer, and in a Delta table soon after."""
    from lakeflow_teams.bot import TeamsBot

    bot = TeamsBot(job["options"], target=job["folder"])

    @bot.message
    async def take(_message: Any) -> None:
        return None

    return bot


def plain(job: Job) -> Any:
    """What one writes first: PyJWT, a set of ids, and a line of a file that nobody waits for."""
    import jwt

    with urlopen(job["options"]["bot_openid_metadata"]) as answer:
        keys = jwt.PyJWKClient(json.load(answer)["jwks_uri"])
    app_id = job["options"]["client_id"]
    seen: set[tuple[str, str]] = set()
    file = (Path(job["folder"]) / "activities.jsonl").open("a")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        status = 200
        try:
            token = dict(scope["headers"])[b"authorization"].decode().removeprefix("Bearer ")
            key = keys.get_signing_key_from_jwt(token)
            claims = jwt.decode(
                token, key.key, ["RS256"], audience=app_id, issuer="https://api.botframework.com", leeway=300
            )
            activity = json.loads(body)
            if claims["serviceurl"] != activity["serviceUrl"]:
                status = 403
            elif (which := (activity["conversation"]["id"], activity["id"])) not in seen:
                seen.add(which)
                file.write(json.dumps(activity) + "\n")
        except (jwt.InvalidTokenError, KeyError, ValueError):
            status = 403
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    return app


BOTS = {one.__name__: one for one in (engine, plain)}


def main() -> None:
    import uvicorn

    app = BOTS[sys.argv[1]](json.loads(sys.argv[2]))
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    server = uvicorn.Server(uvicorn.Config(app, lifespan="auto", log_level="error", access_log=False))

    def end() -> None:
        sys.stdin.read()
        server.should_exit = True

    threading.Thread(target=end, daemon=True).start()
    print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
    asyncio.run(server.serve(sockets=[listener]))


if __name__ == "__main__":
    main()
