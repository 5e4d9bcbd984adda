"""The reference pages of the documentation, from the declarations that the code itself reads.

``tools/reference.py FOLDER`` writes them; ``make reference`` does so where the documentation is.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path

import pyarrow as pa

from lakeflow_teams import _core
from lakeflow_teams.results.cost import RUNS, RunCost, duration, predict
from lakeflow_teams.results.html import type_name

_MADE = "<!-- Made by `make reference`; a test fails when it is out of date. -->"
_INGESTION = {
    "snapshot": "snapshot: the whole table at each read; what is missing has been deleted",
    "cdc": "cdc: new versions of rows, merged by key",
    "cdc_with_deletes": "cdc_with_deletes: new versions of rows, and the keys of deleted ones",
    "append": "append: rows that never change",
}
_DOORS = {"connection": "Connection options", "table": "Table options"}
_ERRORS = (
    "ConfigurationError",
    "AuthenticationError",
    "PermissionDeniedError",
    "NotFoundError",
    "ThrottledError",
    "ServiceError",
    "ProtocolError",
)


def tables() -> str:
    """``tables.md``: every table, its columns and what it takes to read it."""
    infos = _core.tables()
    lines = ["# Tables", "", _MADE, ""]
    lines += [
        "Every column is nullable: Graph leaves out or nulls anything. Open objects are JSON in text, as Graph sent them.",
        "`include_raw=true` adds `_raw`, the whole item. `lakeflow-teams check` compares permissions with those granted.",
        "Columns of type `timestamp` are text as Graph sent it with `timestamps=text`, which is the default on Spark and in",
        "the Lakeflow interface. The last column is the property of Graph, or where the value comes from. The same",
        "sentences are comments of the columns in Delta tables and Unity Catalog, and `lakeflow-teams schema` prints them.",
        "",
    ]
    lines += _grid(
        ("table", "what it holds", "how"),
        ((f"[{info['name']}](#{info['name']})", info["description"], info["ingestion_type"]) for info in infos),
    )
    for info in infos:
        together = [other["name"] for other in infos if other["reading"] == info["reading"] and other is not info]
        lines += ["", f"## {info['name']}", "", info["description"], ""]
        lines += _grid(("", ""), _facts(info, together))
        lines += ["", *_grid(("column", "type", "what it holds", "from"), _columns(info))]
    return _page(lines)


def _facts(info: _core.TableInfo, together: list[str]) -> list[tuple[str, str]]:
    facts = [
        ("read from", " ".join(f"`{part.strip()}`" for part in info["endpoint"].split(";"))),
        ("key", _codes(info["primary_keys"])),
        ("cursor", _codes([info["cursor_field"]] if info["cursor_field"] else []) or "none"),
        ("ingestion type", _INGESTION[info["ingestion_type"]]),
        ("options", info["required_options"] or "none needed"),
        ("permissions", "<br>".join(_permission(name, info) for name in info["permissions"])),
        ("needs beside them", info["prerequisite"] or ""),
        ("cost of a first run", "<br>".join(_formulas(info["name"])) + "; see [cost](cost.md)"),
        ("read in one pass with", _codes(together)),
    ]
    return [(name, text) for name, text in facts if text]


def _permission(name: str, info: _core.TableInfo) -> str:
    wider = info["wider_permissions"][name]
    return f"`{name}`" + (f" (or {', '.join(wider)})" if wider else "")


def _formulas(table: str) -> Iterable[str]:
    (step,) = predict([(table, {})], EXAMPLE).passes
    return (f"`{part.endpoint}`: {part.formula}" for part in step.first.parts)


def _columns(info: _core.TableInfo) -> Iterable[tuple[str, str, str, str]]:
    schema = _core.schema(info["name"], {"timestamps": "timestamp"})
    arrow = pa.schema(schema)
    for field in schema.to_dict()["fields"]:
        name = field["name"]
        json = " (JSON)" if name in info["json_columns"] else ""
        source = arrow.field(name).metadata[b"source"].decode()
        yield f"`{name}`", f"`{type_name(field['type'])}`{json}", field["metadata"]["comment"], source


def options() -> str:
    """``options.md``: every option of the catalogue."""
    lines = ["# Options", "", _MADE, ""]
    lines += [
        "Values are text, names are case-insensitive, and a map may hold options of both doors. Where an option may come",
        "from is in [connections](../connections.md). `TeamsClient` and the command line refuse an unknown name; Spark and",
        "the Lakeflow interface warn.",
    ]
    for door, title in _DOORS.items():
        found = [option for option in _core.options() if option["door"] == door]
        rows = ((f"`{o['name']}`", f"{o['description']} *{_allowed(o)}*{_default(o)}") for o in found)
        lines += ["", f"## {title}", "", *_grid(("option", "what it does, and what it takes"), rows)]
    return _page(lines)


def _default(option: _core.OptionInfo) -> str:
    return f" Default: `{option['default']}`." if option["default"] else ""


def _allowed(option: _core.OptionInfo) -> str:
    """A sentence, which names the kind unless the words do so themselves."""
    allowed = option["allowed"]
    sentence = f"{allowed[0].upper()}{allowed[1:]}{'; a secret, never shown' if option['secret'] else ''}."
    return f"A list: {sentence[0].lower()}{sentence[1:]}" if option["kind"] == "list" else sentence


def errors() -> str:
    """``errors.md``: the classes, and the numbers of Entra ID."""
    lines = ["# Error classes and numbers", "", _MADE, ""]
    lines += ["What each class means at length is in [errors](../errors.md).", ""]
    classes = ((f"[{name}](../errors.md#{name.lower()})", getattr(_core, name).__doc__ or "") for name in _ERRORS)
    lines += _grid(("class", "raised when"), classes)
    lines += ["", "## Numbers of Entra ID", "", "An `AuthenticationError` carries the number as `code`.", ""]
    numbers = ((", ".join(f"AADSTS{number}" for number in group), remedy) for group, remedy in _core.login_errors())
    return _page(lines + _grid(("number", "what to do"), numbers))


#: What the cost page counts with.
EXAMPLE = {
    "teams": 1_000.0,
    "channels": 8_000.0,
    "special_channels": 800.0,
    "shared_channels": 100.0,
    "messages": 1_000_000.0,
    "replies_per_message": 1.0,
    "members_per_team": 50.0,
    "deleted_teams": 20.0,
    "users": 5_000.0,
    "groups": 1_200.0,
    "chats": 20_000.0,
    "members_per_chat": 2.5,
    "chat_messages": 2_000_000.0,
}
_STRATEGIES = ("auto", "export", "channels", "delta")
_HAVE_STRATEGIES = ("channel_messages", "chat_messages")


def costs() -> str:
    """``cost.md``: the formula of each table and strategy, and the rates that requests are planned with."""
    example = ", ".join(f"{count:,.10g} {name.replace('_', ' ')}" for name, count in EXAMPLE.items())
    lines = ["# Cost in requests", "", _MADE, ""]
    lines += [
        "The formulas that `lakeflow-teams plan` computes with. Quotients are rounded up, and a list that is empty costs a",
        f"request. The numbers are those of a tenant with {example}.",
        "",
        "A *first* run reads everything, a *quiet* one finds nothing new, and the *daily* one is the quiet one in 24 hours",
        "that sweeps for late edits. What has changed since costs its rows / 50 more, / 250 where it is exported. Time is",
        "that of the slowest budget, at 80 % of Graph's documented limits. Tables of one pass cost what one of them costs.",
    ]
    rates: dict[str, tuple[str, str]] = {}
    done = set()
    for info in _core.tables():
        if info["reading"] in done:
            continue
        done.add(info["reading"])
        names = [other["name"] for other in _core.tables() if other["reading"] == info["reading"]]
        lines += ["", f"## {', '.join(names)}"]
        for strategy in _STRATEGIES if info["reading"] in _HAVE_STRATEGIES else (None,):
            lines += _cost(info["name"], strategy, rates)
    lines += ["", "## Planned rates", "", *_grid(("endpoint", "per second and app", "beside that"), _rates(rates))]
    return _page(lines)


def _cost(table: str, strategy: str | None, rates: dict[str, tuple[str, str]]) -> list[str]:
    options = {"strategy": strategy} if strategy else {}
    (step,) = predict([(table, options)], EXAMPLE).passes
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for run in RUNS:
        for part in getattr(step, run).parts:
            rows.setdefault((part.endpoint, part.formula), {})[run] = f"{part.requests:,.0f}"
            rates[part.endpoint] = (f"{part.rate:g}", part.narrow)
    grid = [
        (f"`{endpoint}`", formula, *(numbers.get(run, "") for run in RUNS)) for (endpoint, formula), numbers in rows.items()
    ]
    costs: list[RunCost] = [getattr(step, run) for run in RUNS]
    grid.append(("all on the wire", "", *(f"{cost.requests:,}" for cost in costs)))
    grid.append(("time", f"at first {step.first.limit}", *(duration(cost.seconds) for cost in costs)))
    heading = ["", f"`strategy={strategy}`"] if strategy else []
    return [*heading, "", *_grid(("requests to", "formula", *RUNS), grid)]


def _rates(rates: dict[str, tuple[str, str]]) -> Iterable[tuple[str, str, str]]:
    for endpoint, (rate, narrow) in sorted(rates.items()):
        yield f"`{endpoint}`", rate, narrow


#: Section to what it lists: names that can be imported, of Python's own classes and functions.
PUBLIC = {
    "Read": ("lakeflow_teams.TeamsClient", "lakeflow_teams.stream.TableStream"),
    "Ingest": ("lakeflow_teams.ingest_local", "lakeflow_teams.ingest"),
    "Ask": (
        "lakeflow_teams.local.analysis.connect",
        "lakeflow_teams.local.analysis.polars",
        "lakeflow_teams.local.documents.thread_documents",
    ),
    "Write into Teams": (
        "lakeflow_teams.import_messages",
        "lakeflow_teams.broadcast",
        "lakeflow_teams.export_deliveries",
        "lakeflow_teams.pairup",
        "lakeflow_teams.pause_pairup",
        "lakeflow_teams.resume_pairup",
    ),
    "A bot": (
        "lakeflow_teams.bot.TeamsBot",
        "lakeflow_teams.bot.Incoming",
        "lakeflow_teams.bot.User",
        "lakeflow_teams.bot.Conversation",
        "lakeflow_teams.bot.File",
        "lakeflow_teams.bot.Sent",
        "lakeflow_teams.bot.NotSentError",
        "lakeflow_teams.bot.answer_pauses",
        "lakeflow_teams.bot.Card",
        "lakeflow_teams.bot.CardProblem",
        "lakeflow_teams.bot.AppPackage",
        "lakeflow_teams.bot.check_app_package",
    ),
    "What came of it": (
        "lakeflow_teams.results.summary.RunSummary",
        "lakeflow_teams.results.summary.DestinationSummary",
        "lakeflow_teams.ImportSummary",
        "lakeflow_teams.BroadcastSummary",
        "lakeflow_teams.PairUpSummary",
        "lakeflow_teams.Report",
        "lakeflow_teams.CheckResult",
        "lakeflow_teams.results.check.CheckRow",
    ),
    "Spark and Lakeflow": (
        "lakeflow_teams.TeamsDataSource",
        "lakeflow_teams.MicrosoftTeamsDataSource",
        "lakeflow_teams.MicrosoftTeamsLakeflowConnect",
    ),
    "Change notifications": (
        "lakeflow_teams.listen.Receiver",
        "lakeflow_teams.listen.Change",
        "lakeflow_teams.spark.decode_notifications",
        "lakeflow_teams.spark.notification_rows",
        "lakeflow_teams.spark.notification_problems",
        "lakeflow_teams.listen.decoding.decode",
    ),
    "Options": ("lakeflow_teams.options.connection_from_environment",),
    "Telemetry": ("lakeflow_teams.telemetry.reading",),
    "Fixtures of pytest": (
        "lakeflow_teams.testing.fixtures.graph_emulator",
        "lakeflow_teams.testing.fixtures.graph_emulator_factory",
    ),
}
#: The same of the native core, from its stub.
CORE = {
    "The emulator": (
        "GraphEmulator",
        "EmulatorSizes",
        "EmulatorBehaviour",
        "PushBehaviour",
        "EmulatorKnobs",
        "EmulatorActions",
        "Mutation",
        "PostDetails",
        "Fault",
    ),
    "Errors": ("LakeflowTeamsError", *_ERRORS),
    "Batches and schemas": ("Batch", "BatchStream", "Schema"),
    "Decoded notifications": ("Notifications", "LifecycleEvent", "OversizedItem"),
    "Declarations": ("TableInfo", "OptionInfo"),
}


def python() -> str:
    """``python.md``: directives for everything that can be imported; Sphinx fills them from docstrings and stubs."""
    lines = ["# Python", "", _MADE, ""]
    lines += [
        "Everything public, from the docstrings and the stub of the native core. Names without a dot are imported from",
        "`lakeflow_teams`: `from lakeflow_teams import TeamsClient`. Options are in [options](options.md).",
    ]
    for title, names in PUBLIC.items():
        lines += ["", f"## {title}"]
        for name in names:
            lines += ["", *_directive(_kind(name), name, native=False)]
    for title, names in CORE.items():
        lines += ["", f"## {title}"]
        for name in names:
            lines += ["", *_directive("class", f"lakeflow_teams._core.{name}", native=True)]
    return _page(lines)


def _kind(name: str) -> str:
    module, _, last = name.rpartition(".")
    return "class" if isinstance(getattr(import_module(module), last), type) else "function"


def _directive(kind: str, name: str, *, native: bool) -> list[str]:
    members = ["   :members:", "   :show-inheritance:"] if kind == "class" else []
    return ["```{eval-rst}", f".. auto{'api' if native else ''}{kind}:: {name}", *members, "```"]


#: File name to what makes its text.
PAGES: dict[str, Callable[[], str]] = {
    "tables.md": tables,
    "options.md": options,
    "python.md": python,
    "errors.md": errors,
    "cost.md": costs,
}


def write(folder: Path) -> None:
    """Writes every page."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in PAGES.items():
        (folder / name).write_text(make(), encoding="utf-8")


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _grid(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """A Markdown table; a bar inside a cell would end it."""
    grid = [headings, tuple("---" for _ in headings), *rows]
    return [f"|{'|'.join(_cell(text) for text in row)}|" for row in grid]


def _cell(text: str) -> str:
    return " {} ".format(text.replace("|", "\\|")) if text else " "


def _page(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    write(Path(sys.argv[1]))
