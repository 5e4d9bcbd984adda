"""The bot of an alerting product: a card for each issue, which changes with the issue.

lakeflow-teams bot serve alerts:bot --port 3978
"""

import os
from functools import cache

from cards import IGNORE, help_card, issue_card, link_card
from links import Links
from store import Store

from lakeflow_teams.bot import NotSentError, Sent, TeamsBot


class Alerts:
    """Issues, and the bot that shows them."""

    def __init__(self, store, links, connection=None, *, target, channel):
        self.store = store
        self.links = links
        self.channel = channel
        self.bot = TeamsBot(connection, target=target)
        for name, act in {
            "resolve": self.resolve,
            "ignore": self.ignore,
            "assign": self.assign,
            "reopen": self.reopen,
        }.items():
            self.bot.action(name)(self._as_somebody(act))
        self.bot.message(self.written)
        self.bot.installed(self.welcome)

    async def report(self, title, detail, severity="warning"):
        """A new issue, with its card in the channel; returns its id."""
        issue = self.store.add(title, detail, severity)
        self.store.keep_card(issue, await self.bot.send(self.channel, self.card(issue), summary=title))
        return issue

    async def change(self, issue, login, **changes):
        """A change that was made elsewhere: the card in Teams follows."""
        self.store.change(issue, login, **changes)
        held = self.store.get(issue)
        if held.activity_id:
            await self.bot.update(Sent(held.conversation_id, held.activity_id, held.service_url), self.card(issue))

    def card(self, issue):
        """The card of an issue as it is now."""
        return issue_card(self.store.get(issue), self.store.logins())

    def _as_somebody(self, act):
        """A button that is pressed by somebody whom the product knows; others are asked in private who they are."""

        async def handler(action):
            login = self.store.login_of(action.user.id)
            if login is None:
                try:
                    await self.bot.send(action.user, link_card(self.links.link(action.user.id)))
                except NotSentError:  # they see the channel, and do not have the app themselves
                    return "Link your account first: add me, and write “link” to me."
                return "Link your account first: I have written to you."
            issue = action.data["issue"]
            act(issue, login, action.inputs)
            return self.card(issue)

        return handler

    def resolve(self, issue, login, _inputs):
        """It is done."""
        self.store.change(issue, login, state="resolved")

    def ignore(self, issue, login, inputs):
        """Not now. What people fill in is theirs: only words that were offered are taken."""
        how_long = inputs.get("how_long")
        if how_long in IGNORE:
            self.store.change(issue, login, state=f"ignored {IGNORE[how_long].lower()}")

    def assign(self, issue, login, inputs):
        """Somebody looks at it."""
        if inputs.get("assignee") in self.store.logins():
            self.store.change(issue, login, assignee=inputs["assignee"])

    def reopen(self, issue, login, _inputs):
        """It is not done after all."""
        self.store.change(issue, login, state="open")

    async def written(self, message):
        """What people write to the bot."""
        text, user = message.text.lower(), message.user
        if message.conversation.kind != "personal" or "help" in text:
            return help_card()
        if text == "unlink":
            return "Forgotten." if self.store.unlink(user.id) else "I did not know you."
        if text == "link":
            login = self.store.login_of(user.id)
            return f"You are {login} already." if login else link_card(self.links.link(user.id))
        return help_card(f"I do not know “{message.text}”. Here is what I understand.")

    async def welcome(self, installed):
        """The first thing that somebody sees."""
        if installed.conversation.kind == "personal":
            return link_card(self.links.link(installed.user.id))
        return help_card()


@cache
def alerts():
    """The product as the environment has it."""
    links = Links(os.environ["ALERTS_SITE"], os.environ["ALERTS_SECRET"])
    store = Store(os.environ.get("ALERTS_DATABASE", "alerts.sqlite"))
    return Alerts(store, links, target=os.environ.get("ALERTS_TARGET", "lakehouse"), channel=os.environ["ALERTS_CHANNEL"])


def __getattr__(name):
    """``bot`` is made when a server asks for it, and not when somebody imports the file."""
    if name == "bot":
        return alerts().bot
    raise AttributeError(name)
