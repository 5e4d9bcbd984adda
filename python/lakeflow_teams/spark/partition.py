"""What travels with a Spark task."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql.datasource import InputPartition

from lakeflow_teams.spark.options import ReadOptions


class Share(InputPartition):
    """Part of a read: texts that the core understands, and among how many tasks the rate budget is divided."""

    def __init__(self, texts: Sequence[str] | None, readers: int) -> None:
        super().__init__(None)
        self.texts = None if texts is None else tuple(texts)
        self.readers = readers

    def __repr__(self) -> str:
        return f"Share(texts={'all' if self.texts is None else len(self.texts)}, readers={self.readers})"


def shares(texts: Sequence[str], options: ReadOptions) -> list[Share]:
    """Divides texts into tasks. Neighbours go to different ones: teams made together are often of one size."""
    count = min(len(texts), options.num_partitions)
    readers = min(options.tasks_at_once or count, max(count, 1))
    return [Share(texts[first::count], readers) for first in range(count)]
