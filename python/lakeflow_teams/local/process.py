"""Whether a process of this machine lives."""

from __future__ import annotations

import os

#: Of Windows' ``OpenProcess`` and ``WaitForSingleObject``.
_SYNCHRONIZE, _TIMED_OUT, _ACCESS_DENIED = 0x0010_0000, 0x102, 5


def lives(pid: int) -> bool:
    """Whether there is a process of this number, anybody's."""
    return _lives_on_windows(pid) if os.name == "nt" else _lives_on_posix(pid)


def _lives_on_posix(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # it is there, and another user's
    return True


def _lives_on_windows(pid: int) -> bool:
    """Asks the kernel: ``os.kill(pid, 0)`` would send Ctrl+C there, because that is number 0."""
    import ctypes

    kernel = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined,unused-ignore]
    handle = kernel.OpenProcess(_SYNCHRONIZE, False, pid)
    if not handle:
        return bool(ctypes.get_last_error() == _ACCESS_DENIED)  # type: ignore[attr-defined,unused-ignore]
    try:
        return bool(kernel.WaitForSingleObject(handle, 0) == _TIMED_OUT)
    finally:
        kernel.CloseHandle(handle)
