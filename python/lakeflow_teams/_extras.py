"""What is needed beyond the base install, and the message that says so."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType


def need(module: str, extra: str, purpose: str) -> ModuleType:
    """Imports ``module``, or raises :class:`ImportError` that names the extra which brings it."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        missing = module.split(".", 1)[0]
        if error.name is None or error.name.split(".", 1)[0] != missing:
            raise
        raise ImportError(missing_extra(missing, extra, purpose), name=missing) from None


def missing_extra(missing: str, extra: str, purpose: str) -> str:
    """One line: what is missing, what for, and how to get it."""
    return f'{purpose} needs {missing}, which is not installed: pip install "lakeflow-teams[{extra}]"'
