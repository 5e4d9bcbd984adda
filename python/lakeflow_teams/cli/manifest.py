"""``lakeflow-teams bot manifest``: the package of a bot's Teams app, made or checked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from lakeflow_teams.cli.exit_code import BAD_INPUT, OK
from lakeflow_teams.options.environment import connection_from_environment

SCOPES = ("personal", "team", "groupChat")


def _pairs(_context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> Mapping[str, str]:
    found = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals or not name.strip() or not text.strip():
            raise click.BadParameter(f"{value!r} is not NAME=TEXT", param_hint=option.opts[0])
        found[name.strip()] = text.strip()
    return found


@click.command()
@click.option("--to", type=click.Path(path_type=Path), help="Write the package to this .zip.")
@click.option(
    "--check", "checked", type=click.Path(path_type=Path), help="Say what Teams would refuse of a .zip or manifest.json."
)
@click.option("--app-id", help="Application (client) ID of the bot; by default that of the connection in the environment.")
@click.option("--name", help="The app's name, at most 30 characters.")
@click.option("--website", help="Address of a page about it; also of privacy and terms, unless they are given.")
@click.option("--description", default="", help="At most 80 characters.")
@click.option("--details", default="", help="At most 4,000 characters.")
@click.option("--developer", default="", help="Who publishes it; by default its name.")
@click.option("--privacy", default="", help="Address of the privacy statement.")
@click.option("--terms", default="", help="Address of the terms of use.")
@click.option("--id", "own_id", default="", help="The app's own GUID; by default the bot's, by which `broadcast` finds it.")
@click.option("--version", default="1.0.0", help="To be raised with each change.", show_default=True)
@click.option("--color", default="#4464EE", help="Of the icon.", show_default=True)
@click.option(
    "--scope", "scopes", multiple=True, type=click.Choice(SCOPES), help="Where the bot can be; by default everywhere."
)
@click.option("--domain", "domains", multiple=True, help="A domain whose pages it opens, such as app.example.com.")
@click.option("--permission", "permissions", multiple=True, help="Of resource-specific consent: ChannelMessage.Read.Group.")
@click.option("--activity", "activities", multiple=True, callback=_pairs, help="A kind of feed notification, as KIND=TEXT.")
@click.option("--command", "commands", multiple=True, callback=_pairs, help="What the message box offers, as NAME=SENTENCE.")
@click.option("--no-files", is_flag=True, help="The bot takes and sends no files.")
def manifest(
    to: Path | None,
    checked: Path | None,
    app_id: str | None,
    name: str | None,
    website: str | None,
    description: str,
    details: str,
    developer: str,
    privacy: str,
    terms: str,
    own_id: str,
    version: str,
    color: str,
    scopes: tuple[str, ...],
    domains: tuple[str, ...],
    permissions: tuple[str, ...],
    activities: Mapping[str, str],
    commands: Mapping[str, str],
    no_files: bool,
) -> int:
    """Write the package of the bot's Teams app, which an administrator uploads; or say what Teams would refuse of one.

    Exit code 2 where Teams would refuse it; then nothing is written.
    """
    if (to is None) == (checked is None):
        raise click.UsageError("say --to FILE.zip to write a package, or --check FILE to check one")
    if checked is not None:
        return _check(checked)
    from lakeflow_teams.bot.app_package import AppPackage

    app_id = app_id or _of_connection()
    for value, option in ((app_id, "--app-id"), (name, "--name"), (website, "--website")):
        if not value:
            raise click.UsageError(f"{option} is missing")
    package = AppPackage(
        app_id=app_id or "",
        name=name or "",
        website=website or "",
        description=description,
        details=details,
        developer=developer,
        privacy=privacy,
        terms=terms,
        id=own_id,
        version=version,
        color=color,
        scopes=scopes or SCOPES,
        supports_files=not no_files,
        domains=domains,
        permissions=permissions,
        activities=activities,
        commands=commands,
    )
    click.echo(f"wrote {package.write(to or Path())}: upload it in the Teams admin center, Manage apps")
    return OK


def _check(path: Path) -> int:
    from lakeflow_teams.bot.app_package import check_app_package

    problems = check_app_package(path)
    for line in problems:
        click.echo(f"lakeflow-teams: error: {line}", err=True)
    if not problems:
        click.echo(f"{path}: nothing is found that Teams would refuse")
    return BAD_INPUT if problems else OK


def _of_connection() -> str | None:
    options = connection_from_environment({}, has_credential=True)
    return options.get("bot_app_id") or options.get("client_id")
