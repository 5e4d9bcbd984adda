"""The same inside FastAPI, beside the product's own pages.

uvicorn --factory web:site
"""

import hmac
import os
from typing import Annotated

from alerts import alerts
from fastapi import FastAPI, Header, HTTPException, Response
from pydantic import BaseModel


#: Who is signed in at the product: its own sign-in sets this header, and takes it off what comes from outside.
Login = Annotated[str, Header(alias="X-Login")]
ApiKey = Annotated[str, Header(alias="X-Api-Key")]


class Report(BaseModel):
    """What a monitoring system tells."""

    title: str
    detail: str
    severity: str = "warning"


def site(product=None, api_key=None):
    """The product's site, with the bot in it."""
    product = product or alerts()
    api_key = api_key or os.environ["ALERTS_API_KEY"]
    app = FastAPI(lifespan=product.bot.lifespan)

    @app.get("/link")
    def link(user: str, expires: int, signature: str, login: Login) -> Response:
        """Somebody followed the link of the bot; who they are here is what the product's own sign-in says."""
        if not product.links.is_good(user, expires, signature):
            raise HTTPException(403, "this link is not good any more: write “link” to the bot again")
        product.store.link(user, login)
        return Response(f"You are {login} in Teams from now on. You can close this page.")

    @app.post("/issues", status_code=201)
    async def report(report: Report, key: ApiKey) -> dict[str, int]:
        """A monitoring system found something."""
        if not hmac.compare_digest(key.encode(), api_key.encode()):
            raise HTTPException(403, "wrong key")
        return {"issue": await product.report(report.title, report.detail, report.severity)}

    @app.post("/issues/{issue}/resolve", status_code=204)
    async def resolve(issue: int, login: Login) -> None:
        """Somebody resolved it on the site; the card in Teams follows."""
        await product.change(issue, login, state="resolved")

    app.mount("/", product.bot)
    return app
