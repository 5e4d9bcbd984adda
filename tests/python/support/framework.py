"""A stand-in for the community framework: its module paths and the shapes of its classes, written for these tests."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

FILES = {
    "__init__.py": "",
    "interface/__init__.py": """
        from abc import ABC, abstractmethod

        class LakeflowConnect(ABC):
            def __init__(self, options):
                pass

            @abstractmethod
            def list_tables(self): ...
            @abstractmethod
            def get_table_schema(self, table_name, table_options): ...
            @abstractmethod
            def read_table_metadata(self, table_name, table_options): ...
            @abstractmethod
            def read_table(self, table_name, start_offset, table_options): ...

            def read_table_deletes(self, table_name, start_offset, table_options):
                raise NotImplementedError("as in the framework: a connector with deletes overrides it")

        class SupportsPartition(ABC):
            def __init_subclass__(cls, **kwargs):
                super().__init_subclass__(**kwargs)
                if any(getattr(value, "__isabstractmethod__", False) for value in vars(cls).values()):
                    return
                if not issubclass(cls, LakeflowConnect):
                    raise TypeError(cls.__name__)

            @abstractmethod
            def get_partitions(self, table_name, table_options): ...
            @abstractmethod
            def read_partition(self, table_name, partition, table_options): ...

        class SupportsPartitionedStream(SupportsPartition):
            def is_partitioned(self, table_name):
                return True
            @abstractmethod
            def latest_offset(self, table_name, table_options, start_offset=None): ...
            @abstractmethod
            def get_partitions(self, table_name, table_options, start_offset=None, end_offset=None): ...

        class AgentError(Exception):
            def __init__(self, code, message=""):
                self.code = code
                super().__init__(message or code)

        class Parameter:
            def __init__(self, name, type="string", description="", required=False, default=None, enum=None):
                self.name, self.required = name, required

        class AgentOperation(ABC):
            name, description, kind, schema, parameters = "", "", "metadata", None, ()

            @abstractmethod
            def pull(self, connector, options): ...

        class SupportsIngestionAgent:
            def agent_operations(self):
                return {}
    """,
    "sparkpds/__init__.py": """
        import importlib, inspect
        from pyspark.sql.datasource import DataSource

        class LakeflowSource(DataSource):
            _lakeflow_connect_cls = None

            def __init__(self, options):
                self.options = options
                self.lakeflow_connect = self._lakeflow_connect_cls(options)

            @classmethod
            def name(cls):
                return "lakeflow_connect"

            def schema(self):
                return "operation string"

            def reader(self, schema):
                raise NotImplementedError("the framework's own reader")

        BASE = "databricks.labs.community_connector.sources"

        def find_data_source(source_name):
            package = importlib.import_module(f"{BASE}.{source_name}")
            for _, found in inspect.getmembers(package, inspect.isclass):
                if issubclass(found, LakeflowSource) and found is not LakeflowSource and found.__module__ == package.__name__:
                    return found
            raise ValueError(source_name)

        def register(spark, source):
            importlib.import_module(
                f"{BASE}.{source}._generated_{source}_python_source"
            ).register_lakeflow_source(spark)
    """,
}


def install(folder: Path) -> None:
    """Puts the stand-in where a wheel would be installed."""
    root = folder / "databricks" / "labs" / "community_connector"
    for name, text in FILES.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text))
