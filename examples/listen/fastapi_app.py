"""Teams' changes in one's own FastAPI app: ``uvicorn fastapi_app:app --port 8443`` behind a proxy that ends TLS."""

import os
from contextlib import asynccontextmanager

from fastapi import FastAPI

from lakeflow_teams.listen import Receiver

receiver = Receiver(
    os.environ.get("PIPELINE", "pipeline.yaml"),
    os.environ.get("TARGET", "lakehouse"),
    url=os.environ["PUBLIC_URL"],  # such as https://in.example.org/teams
)


@receiver.on("messages", "created")
async def announce(change):
    """Called once the row is stored, at least once for each message."""
    print("new message", change.row["id"], "in", change.row["channel_id"])


@asynccontextmanager
async def lifespan(_):
    async with receiver.running():
        yield


app = FastAPI(lifespan=lifespan)
app.mount("/teams", receiver)
