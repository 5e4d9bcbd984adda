"""The buttons of pair-ups: somebody does not want to be matched for now, or wants to again."""

from __future__ import annotations

import asyncio
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from lakeflow_teams.bot.card import Card
from lakeflow_teams.bot.incoming import Incoming

if TYPE_CHECKING:
    from lakeflow_teams.bot.teams_bot import TeamsBot


def answer_pauses(bot: TeamsBot, target: str | PathLike[str]) -> None:
    """Lets a bot answer the buttons *Pause* and *Resume* of the pair-ups into a target.

    Whoever clicks is left out, or taken in again, from the next round on. The card with the names stays where it is.
    """
    from lakeflow_teams.deliver.pairup.invitation import PAUSE, RESUME
    from lakeflow_teams.deliver.pairup.pauses import pause_pairup, resume_pairup

    place = Path(target)

    @bot.action(PAUSE)
    async def pause(action: Incoming) -> str:
        name = str(action.data["pairup"])
        await asyncio.to_thread(pause_pairup, name, place, action.user.id)
        text = f"You are left out of **{name}** from the next round on, until you resume."
        await bot.send(action, Card.of(text=text, actions=[Card.action("Resume", RESUME, {"pairup": name})]))
        return "You pause"

    @bot.action(RESUME)
    async def resume(action: Incoming) -> Card:
        name = str(action.data["pairup"])
        await asyncio.to_thread(resume_pairup, name, place, action.user.id)
        return Card.of(text=f"You are part of **{name}** again, from the next round on.")
