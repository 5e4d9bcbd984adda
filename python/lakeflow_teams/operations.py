"""The community framework's agent operations: questions about a connection, answered as rows.

``option("operation", NAME)`` on either Spark format asks one. An operation of kind ``metadata`` answers rows with a column
``_meta`` (``status``, ``code``, ``message``) and turns an error into a single row, whose code is one of ``CODES``;
``read_table`` is of kind ``data``: it has the table's own rows, and its errors are raised.

Follows ``interface/agent_protocol.py`` and ``sparkpds/ingestion_agent_datasource.py`` of the community framework. Needs
nothing but the core.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from lakeflow_teams import _core
from lakeflow_teams._suggest import did_you_mean
from lakeflow_teams.options import as_options
from lakeflow_teams.results.check import CheckResult, run_check

OPERATION = "operation"
READ_TABLE = "read_table"
#: Options of the operations themselves, which a connection knows nothing of; in lower case, as Spark hands them over.
OWN = frozenset({OPERATION, "search", "path", "name", "metadatakey", "catalogname", "schemaname"})

#: What ``_meta.code`` says, by the class of the error; subclasses come before their base.
CODES: tuple[tuple[type[BaseException], str], ...] = (
    (_core.AuthenticationError, "auth_failed"),
    (_core.PermissionDeniedError, "permission_denied"),
    (_core.NotFoundError, "not_found"),
    (_core.ThrottledError, "rate_limited"),
    (_core.ConfigurationError, "bad_request"),
    (_core.ServiceError, "connection_failed"),
)
INTERNAL = "internal_error"

Row = dict[str, Any]
Options = Mapping[str, str]


@dataclass(frozen=True)
class Parameter:
    """An option that an operation takes, in the framework's fields."""

    name: str
    description: str
    required: bool = False
    type: str = "string"
    default: str | None = None
    enum: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Operation:
    """One operation: ``columns`` are names of text columns, in their order, without ``_meta``."""

    name: str
    description: str
    kind: Literal["metadata", "data"]
    columns: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    answer: Callable[[Options], Iterable[Row]]

    def rows(self, options: Options) -> list[Row]:
        """The answer, each row with its ``_meta``. An error is one row, which says what kind of error it is."""
        try:
            return [{**row, "_meta": row.get("_meta") or meta()} for row in self.answer(self._complete(options))]
        except Exception as error:  # whatever it is, an agent is told and not thrown at
            return [{"_meta": meta("error", code_of(error), str(error))}]

    def _complete(self, options: Options) -> Options:
        given = as_options(options)
        missing = [p.name for p in self.parameters if p.required and not given.get(p.name.lower(), "").strip()]
        if missing:
            raise _core.ConfigurationError(f"operation {self.name} needs option {', '.join(missing)}")
        return given


def code_of(error: BaseException) -> str:
    """The framework's code for an error."""
    return next((code for kind, code in CODES if isinstance(error, kind)), INTERNAL)


def meta(status: str = "ok", code: str | None = None, message: str | None = None) -> Row:
    """The value of ``_meta``."""
    return {"status": status, "code": code, "message": message}


def find(name: str) -> Operation:
    """The operation of a name. Raises :class:`ConfigurationError` with the nearest one."""
    if name not in OPERATIONS:
        near = did_you_mean(name, OPERATIONS, otherwise=f"; there are {', '.join(OPERATIONS)}")
        raise _core.ConfigurationError(f"option operation: there is no operation {name}{near}")
    return OPERATIONS[name]


def is_operation(options: Options) -> bool:
    """Whether a map of options asks an operation, and not for a table."""
    return bool(as_options(options).get(OPERATION, "").strip())


def connection_options(options: Options) -> dict[str, str]:
    """What is left for the connection and the table."""
    return {key: value for key, value in as_options(options).items() if key not in OWN}


def _list_objects(options: Options) -> Iterator[Row]:
    if options.get("path", "").strip("/ "):
        return  # tables of Teams lie at the top; a path has nothing below it
    try:
        search = re.compile(options.get("search", ""))
    except re.error as error:
        raise _core.ConfigurationError(f"option search: {options['search']!r} is no regular expression: {error}") from None
    for info in _core.tables():
        if search.search(info["name"]):
            yield {"name": info["name"], "type": "table", "full_path": info["name"]}


def _get_object_metadata(options: Options) -> Iterator[Row]:
    info = _table(options["name"])
    found = {
        "primary_key": ",".join(info["primary_keys"]),
        "cursor_column": info["cursor_field"],
        "ingestion_type": info["ingestion_type"],
        "description": info["description"],
        "permissions": ",".join(info["permissions"]),
        "required_options": info["required_options"],
        "endpoint": info["endpoint"],
    }
    wanted = options.get("metadatakey", "").strip().lower()
    for key, value in found.items():
        if wanted in ("", key):
            yield {"key": key, "value": value}


def _validate_connection(options: Options) -> Iterator[Row]:
    """What ``check`` finds: of the tables that are named, or of all."""
    named = [name for key in ("tablename", "tablenamelist") for name in _names(options.get(key, ""))]
    connection = {key: value for key, value in connection_options(options).items() if key not in _TABLE_NAMES}
    tables = [(_table(name)["name"], connection) for name in named] or [(i["name"], connection) for i in _core.tables()]
    client = _core.Client(connection, strict=False)
    yield {"_meta": _health(run_check(client, connection, tables), all_of_them=bool(named))}


def _health(result: CheckResult, *, all_of_them: bool) -> Row:
    """One line about a check. Nobody grants the permissions of all tables: without names, one that can be read is enough."""
    if not result.authenticated:
        code = "auth_failed" if "AADSTS" in result.authentication else "connection_failed"
        return meta("error", code, result.authentication)
    wrong = {row.table: row for row in result.rows if row.status not in ("granted", "unknown")}
    tables = {row.table for row in result.rows}
    if not wrong:
        return meta(message=result.authentication)
    grant = f"grant with admin consent: {', '.join(result.missing)}" if result.missing else ""
    details = [f"{row.table}: {row.detail or row.status}" for row in wrong.values() if row.status != "missing"]
    message = "; ".join(part for part in (grant, *details) if part)
    if all_of_them or wrong.keys() == tables:
        refused = result.missing or any(row.status == "prerequisite missing" for row in wrong.values())
        return meta("error", "permission_denied" if refused else "connection_failed", message)
    readable = f"{len(tables - wrong.keys())} of {len(tables)} tables can be read"
    return meta(message=f"{result.authentication}; {readable}; for the others {message}")


def _list_operations(_: Options) -> Iterator[Row]:
    for operation in OPERATIONS.values():
        yield {
            "name": operation.name,
            "description": operation.description,
            "kind": operation.kind,
            "result_schema_json": _schema_json(operation) if operation.kind == "metadata" else None,
            "parameters_json": json.dumps([asdict(parameter) for parameter in operation.parameters]),
        }


def _no_rows(_: Options) -> Iterator[Row]:
    raise NotImplementedError("a table is read by the data source")


def _schema_json(operation: Operation) -> str:
    fields = [{"name": name, "type": "string", "nullable": True, "metadata": {}} for name in operation.columns]
    return json.dumps({"type": "struct", "fields": fields}, separators=(",", ":"))


def _table(name: str) -> _core.TableInfo:
    tables = {info["name"]: info for info in _core.tables()}
    if name not in tables:
        raise _core.NotFoundError(f"there is no table {name}{did_you_mean(name, tables, otherwise='')}")
    return tables[name]


def _names(text: str) -> list[str]:
    if text.lstrip().startswith("["):
        try:
            text = ",".join(map(str, json.loads(text)))
        except ValueError:
            raise _core.ConfigurationError("option tableNameList: it is not JSON") from None
    return [name.strip() for name in text.split(",") if name.strip()]


_TABLE_NAMES = frozenset({"tablename", "tablenamelist", "tableconfigs", "isdeleteflow"})

#: In the framework's order.
OPERATIONS = {
    operation.name: operation
    for operation in (
        Operation(
            "list_objects",
            "The tables that can be read: name, type, full_path.",
            "metadata",
            ("name", "type", "full_path"),
            (
                Parameter("path", "Tables lie at the top: a path has none."),
                Parameter("search", "Regular expression of names."),
            ),
            _list_objects,
        ),
        Operation(
            READ_TABLE,
            "A table with its own columns.",
            "data",
            (),
            (Parameter("tableName", "The table to read; its options stand beside it.", required=True),),
            _no_rows,
        ),
        Operation(
            "get_object_metadata",
            "What is known of a table, as rows of key and value. Sends no request.",
            "metadata",
            ("key", "value"),
            (
                Parameter("name", "The table.", required=True),
                Parameter("path", "Has no meaning here."),
                Parameter("metadataKey", "Only this key, in any case."),
            ),
            _get_object_metadata,
        ),
        Operation(
            "validate_connection",
            "Whether the connection signs in and may read: one cheap request per table. One row, with _meta only.",
            "metadata",
            (),
            (
                Parameter("tableName", "Ask about this table; without one, about all."),
                Parameter("tableNameList", "Ask about these tables, all of which must be readable.", type="json"),
            ),
            _validate_connection,
        ),
        Operation(
            "list_operations",
            "These operations, with their parameters and the columns of their answers. Sends no request.",
            "metadata",
            ("name", "description", "kind", "result_schema_json", "parameters_json"),
            (),
            _list_operations,
        ),
    )
}
