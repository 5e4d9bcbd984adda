"""A communications app: groups that people find and join, messages to them, pair-ups, and answers to questions.

lakeflow-teams bot serve communications:bot --port 3978
python communications.py                                 # each day: pair-ups
"""

import asyncio
import csv
import os
import re
from functools import cache
from pathlib import Path

from members import Members
from search import Index

from lakeflow_teams import broadcast, pairup
from lakeflow_teams.bot import Card, TeamsBot, answer_pauses

HELP = {
    "find WORDS": "groups about that",
    "leave NAME": "leave a group",
    "tell NAME: TEXT": "write to a group that is yours",
    "anything else": "a question, which I answer if I can",
}


def table(path):
    """The rows of a CSV file."""
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


class Communications:
    """The app, on tables that others keep."""

    def __init__(self, groups, questions, members, connection=None, *, target):
        self.groups = {row["name"].lower(): row for row in groups}
        self.questions = {row["question"]: row for row in questions}
        self.members = members
        self._found = Index(groups, ["name", "description", "tags", "location"])
        self._answers = Index(questions, ["question", "answer"])
        self._connection = connection
        self._target = Path(target)
        self.bot = bot = TeamsBot(connection, target=target)
        bot.message(self.written)
        for name, act in {"join": self.join, "decide": self.decide, "ask": self.ask}.items():
            bot.action(name)(act)
        answer_pauses(bot, target)

    # What people write --------------------------------------------------------------------------------------------------

    async def written(self, message):
        """A command, or a question."""
        text = message.text
        for pattern, act in (
            (r"(?i)help\s*$", lambda *_: Card.of("What I can do", facts=HELP)),
            (r"(?i)find\s+(?P<words>.+)", self.find),
            (r"(?i)leave\s+(?P<name>.+)", self.leave),
            (r"(?i)tell\s+(?P<name>[^:]+):\s*(?P<text>.+)", self.tell),
        ):
            found = re.match(pattern, text, re.DOTALL)
            if found:
                reply = act(message, **found.groupdict())
                return await reply if asyncio.iscoroutine(reply) else reply
        return self.answer(text)

    # Groups -------------------------------------------------------------------------------------------------------------

    def find(self, _message, words):
        """Groups about something, with a button for each."""
        rows = self._found.search(words).rows
        if not rows:
            return f"There is no group about {words}."
        facts = {row["name"]: " · ".join(filter(None, (row["description"], row["location"]))) for row in rows}
        buttons = [Card.action(f"Join {row['name']}", "join", {"name": row["name"]}) for row in rows]
        return Card.of("Groups", facts=facts, actions=buttons)

    async def join(self, action):
        """In at once, or once the owner agrees."""
        name, user = action.data["name"], action.user
        group = self.groups[name.lower()]
        asks = group["approval"] == "yes"
        self.members.join(name, user.id, asks=asks)
        if not asks:
            return f"Welcome to {name}."
        data = {"name": name, "user": user.id}
        buttons = [Card.action(title, "decide", {**data, "yes": title == "Agree"}) for title in ("Agree", "Decline")]
        await self.bot.send(group["owner"], Card.of(f"{user.name} asks to join {name}", actions=buttons))
        return f"I asked the owner of {name}."

    async def decide(self, action):
        """The owner's decision. The card was signed for them, so that nobody else can take it."""
        name, user = action.data["name"], action.data["user"]
        if not self.members.asks(name, user):
            return "That is decided already."
        if action.data["yes"]:
            self.members.join(name, user)
            await self.bot.send(user, f"Welcome to {name}.")
            return Card.of("Agreed")
        self.members.leave(name, user)
        return Card.of("Declined")

    def leave(self, message, name):
        """Out of a group."""
        self.members.leave(self.groups.get(name.lower().strip(), {"name": name})["name"], message.user.id)
        return "You are not in it any more."

    async def tell(self, message, name, text):
        """A message to a group, by its owner; a broadcast with a ledger of its own."""
        group = self.groups.get(name.lower().strip())
        if group is None or group["owner"].lower() != message.user.id:
            return f"There is no group {name.strip()} that is yours."
        place = self._target / f"{group['name']}.csv"
        if not self.members.write(group["name"], place):
            return "Nobody is in it yet."
        plan = {
            "name": f"{group['name']} {message.activity['id']}",  # what comes again is the same run
            "recipients": {"table": str(place)},
            "card": Card.of(group["name"], text.replace("${", "\\${")).content,  # what people write is no template
            "summary": f"News from {group['name']}",
            "install": True,
        }
        ran = await asyncio.to_thread(broadcast, plan, self._target, self._connection)
        return f"{ran.counts.get('succeeded', 0)} of {ran.total} got it."

    # Pair-ups -----------------------------------------------------------------------------------------------------------

    def pair_up(self, at=None):
        """Brings the members of groups together that want it; run it each day, and a round comes once a week or month."""
        for group in self.groups.values():
            table = self._target / f"{group['name']}.pairs.csv"
            if group["pairups"] and self.members.write(group["name"], table):
                plan = {
                    "name": group["name"],
                    "every": group["pairups"],
                    "recipients": {"table": str(table)},
                    "install": True,
                }
                yield pairup(plan, self._target, self._connection, at=at)

    # Questions ----------------------------------------------------------------------------------------------------------

    def ask(self, action):
        """A button that asks."""
        return self.reply(self.questions[action.data["question"]])

    def answer(self, text):
        """The answer, or what may have been meant."""
        hits = self._answers.search(text)
        if hits.is_sure:
            return self.reply(hits.rows[0])
        if hits.rows:
            return Card.of("What do you mean?", actions=[ask(row["question"]) for row in hits.rows])
        return "I do not know that. Write *help* to see what I can do."

    def reply(self, row):
        """An answer, and what is asked next."""
        follow_ups = [question for question in row["follow_ups"].split("|") if question in self.questions]
        return Card.of(row["question"], row["answer"], actions=[ask(question) for question in follow_ups])


def ask(question):
    """A button with a question."""
    return Card.action(question, "ask", {"question": question})


@cache
def communications():
    """The app as the environment has it."""
    here = Path(os.environ.get("COMMUNICATIONS_TABLES", Path(__file__).parent))
    target = Path(os.environ.get("COMMUNICATIONS_TARGET", "lakehouse"))
    target.mkdir(parents=True, exist_ok=True)
    members = Members(target / "members.sqlite")
    return Communications(table(here / "groups.csv"), table(here / "questions.csv"), members, target=target)


def __getattr__(name):
    """``bot`` is made when a server asks for it, and not when somebody imports the file."""
    if name == "bot":
        return communications().bot
    raise AttributeError(name)


if __name__ == "__main__":
    for summary in communications().pair_up():
        print(summary.name, summary.round, summary.counts)
