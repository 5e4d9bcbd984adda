"""Problems of a source, each once however often it is read."""

from __future__ import annotations

from lakeflow_teams.deliver.sources.model import Problem


class Problems(list[Problem]):
    """A list that takes a problem it has no second time."""

    def __init__(self) -> None:
        super().__init__()
        self._known: set[Problem] = set()

    def append(self, problem: Problem) -> None:
        """Adds the problem at the end, unless it is there."""
        if problem not in self._known:
            self._known.add(problem)
            super().append(problem)
