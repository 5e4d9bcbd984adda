"""Databricks' community framework, where it is installed: its interfaces become our base class."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:

    class Interfaces:
        """What the framework's readers look for with isinstance."""

else:
    try:
        from databricks.labs.community_connector.interface import LakeflowConnect, SupportsPartitionedStream
    except ImportError:
        Interfaces = object
    else:
        Interfaces = type("Interfaces", (LakeflowConnect, SupportsPartitionedStream), {})
