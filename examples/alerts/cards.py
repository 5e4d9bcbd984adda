"""How an issue looks in Teams, and what else the bot shows."""

from lakeflow_teams.bot import Card

HELP = {
    "link": "Tell me who you are in the product",
    "unlink": "Forget that",
    "help": "Show this",
}
IGNORE = {"day": "For a day", "week": "For a week", "ever": "For good"}


def issue_card(issue, logins):
    """An issue with what can be done about it now."""
    facts = {"State": issue.state, "Severity": issue.severity, "Assigned to": issue.assignee or "nobody"}
    if issue.changed_by:
        facts["Changed by"] = issue.changed_by
    data = {"issue": issue.id}
    if issue.state != "open":
        return Card.of(issue.title, issue.detail, facts=facts, actions=[Card.action("Open again", "reopen", data)])
    inputs = [Card.choices("how_long", "Ignore", IGNORE, value="day")]
    actions = [
        Card.action("Resolve", "resolve", data, style="positive"),
        Card.action("Ignore", "ignore", data),
    ]
    if logins:
        inputs.append(Card.choices("assignee", "Assign to", logins, value=issue.assignee or logins[0]))
        actions.append(Card.action("Assign", "assign", data))
    return Card.of(issue.title, issue.detail, facts=facts, inputs=inputs, actions=actions)


def link_card(address):
    """What somebody gets who is nobody here yet."""
    return Card.of(
        "Who are you?",
        "Link your account, so that what you do here is done in your name.",
        actions=[Card.link("Link account", address)],
    )


def help_card(text="Here is what I understand."):
    """What the bot understands."""
    return Card.of("Alerts", text, facts=HELP)
