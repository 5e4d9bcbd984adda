"""Tables of any system: `users`, `containers` and `messages` as Parquet, Delta, CSV or JSON lines."""

from lakeflow_teams.deliver.sources.tables.source import Tables

__all__ = ["Tables"]
