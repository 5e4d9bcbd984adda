"""Databricks' community framework, where it is installed: its interfaces become our base class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lakeflow_teams.operations import OPERATIONS, Operation, code_of
from lakeflow_teams.options import as_options

if TYPE_CHECKING:

    class Interfaces:
        """What the framework's readers look for with isinstance."""

else:
    try:
        from databricks.labs.community_connector.interface import LakeflowConnect, SupportsPartitionedStream
    except ImportError:
        Interfaces = object
    else:
        try:
            from databricks.labs.community_connector.interface import SupportsIngestionAgent
        except ImportError:  # older ones know no agent
            _AGENT = ()
        else:
            _AGENT = (SupportsIngestionAgent,)
        Interfaces = type("Interfaces", (LakeflowConnect, SupportsPartitionedStream, *_AGENT), {})


def agent_operations() -> dict[str, Any]:
    """Our answers as the framework's operations; how a table is read and what operations there are stays its own."""
    ours = (name for name, operation in OPERATIONS.items() if operation.kind == "metadata" and name != "list_operations")
    return {name: _adapted(OPERATIONS[name]) for name in ours}


def _adapted(operation: Operation) -> Any:
    from databricks.labs.community_connector.interface import AgentError, AgentOperation, Parameter
    from pyspark.sql.types import StringType, StructField, StructType

    def pull(_self: Any, _connector: Any, options: Mapping[str, str]) -> Iterable[Mapping[str, Any]]:
        try:
            return list(operation.answer(as_options(options)))
        except Exception as error:  # the framework makes a row of this one, with the code
            raise AgentError(code_of(error), str(error)) from error

    body = {
        "name": operation.name,
        "description": operation.description,
        "kind": operation.kind,
        "schema": StructType([StructField(name, StringType()) for name in operation.columns]),
        "parameters": tuple(Parameter(**asdict(parameter)) for parameter in operation.parameters),
        "pull": pull,
    }
    return type(operation.name, (AgentOperation,), body)()
