"""How many examples a property test tries: few enough for `make test`, and EXAMPLES=10 tries ten times as many."""

import os

from hypothesis import HealthCheck, settings


def examples(number):
    """Settings of a property test, whose examples may take as long as this machine needs, and share a test's fixtures."""
    times = int(os.environ.get("EXAMPLES", "1"))
    allowed = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
    return settings(max_examples=times * number, deadline=None, suppress_health_check=allowed)
