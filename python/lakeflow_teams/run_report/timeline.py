"""Requests and waiting over the time of a run, sampled from the core's report."""

from __future__ import annotations

from threading import Event, Thread
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING

from lakeflow_teams import _core
from lakeflow_teams.results.report import Report
from lakeflow_teams.results.summary import Sample

if TYPE_CHECKING:
    from typing_extensions import Self

#: Samples that are kept. When there are more, every other one goes and the pause doubles, so that a day's run fits.
MOST = 120
FIRST_PAUSE = 0.1


class Timeline:
    """Samples a client's report on a thread of its own, from ``__enter__`` to ``__exit__``."""

    def __init__(self, client: _core.Client) -> None:
        self.samples: list[Sample] = []
        self._client = client
        self._pause = FIRST_PAUSE
        self._over = Event()
        self._thread = Thread(target=self._run, name="lakeflow-teams-timeline", daemon=True)

    def __enter__(self) -> Self:
        self._begin = monotonic()
        self._sample()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()
        self._sample()

    def _run(self) -> None:
        while not self._over.wait(self._pause):
            self._sample()
            if len(self.samples) >= MOST:
                self.samples = self.samples[::2]
                self._pause *= 2

    def _sample(self) -> None:
        report = Report.parse(self._client.report())
        self.samples.append(
            Sample(
                round(monotonic() - self._begin, 3),
                report.requests,
                report.retries,
                round(report.throttled_seconds, 3),
                round(report.planned_seconds, 3),
                sum(report.rows.values()),
            )
        )
