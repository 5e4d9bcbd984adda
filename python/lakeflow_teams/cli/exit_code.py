"""What the command tells the shell."""

from __future__ import annotations

from lakeflow_teams import _core

OK, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


def exit_code(error: BaseException) -> int:
    """2 for what the user wrote, 1 for what failed outside: the server, the network, the disk."""
    return BAD_INPUT if isinstance(error, _core.ConfigurationError | ImportError) else FAILED
