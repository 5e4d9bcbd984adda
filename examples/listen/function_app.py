"""The same in Azure Functions, on a plan that does not go to sleep and with one instance: the spool is on its disk.

Where instances come and go, let Graph send to an Event Hub instead (docs/event-hubs.md).
"""

import asyncio
import os

import azure.functions as func

from lakeflow_teams.listen import Receiver

receiver = Receiver("pipeline.yaml", os.environ["TARGET"], url=os.environ["PUBLIC_URL"])
_started = asyncio.Lock()
_is_running = False


async def app(scope, receive, send):
    """Starts the receiver with the first request: Functions have no lifespan."""
    global _is_running  # noqa: PLW0603
    async with _started:
        if not _is_running:
            await receiver.start()
            _is_running = True
    await receiver(scope, receive, send)


function_app = func.AsgiFunctionApp(app=app, http_auth_level=func.AuthLevel.ANONYMOUS)
