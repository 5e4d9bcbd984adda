"""Kinds of values that arguments have, each checked where it is typed."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import click

_UNITS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}


class Duration(click.ParamType):  # type: ignore[type-arg]
    """A span of time: ``26h``, ``90min``, ``1d12h``."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """The span, or a click error."""
        if isinstance(value, timedelta):
            return value
        parts = re.findall(r"(\d+(?:\.\d+)?)\s*([a-z]+)", str(value).lower())
        is_whole = "".join(f"{number}{unit}" for number, unit in parts) == re.sub(r"\s", "", str(value).lower())
        if not parts or not is_whole or any(unit not in _UNITS for _, unit in parts):
            self.fail(f"{value!r} is not a span of time such as 26h, 90min or 1d12h", param, ctx)
        return timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in parts))


DURATION = Duration()


class Amount(click.FloatRange):
    """A number, by that name."""

    name = "number"


class Count(click.IntRange):
    """A whole number, by that name."""

    name = "whole number"
