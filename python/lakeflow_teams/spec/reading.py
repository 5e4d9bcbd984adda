"""YAML files, read so that a mistake can be told with its line, and a key that is written twice is one."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from lakeflow_teams import _core
from lakeflow_teams.spec.document import Lined, refuse


def read_yaml(path: Path, what: str) -> Any:
    """The content of a file, whose mappings know their lines. Raises :class:`ConfigurationError`; ``what`` it is about."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506  (a safe one)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        refuse(f"{what} file {path}: cannot be read ({reason})")
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it is not valid YAML"
        refuse(f"{what} file {path}{place}: {problem}")


@contextmanager
def within(file: str) -> Iterator[None]:
    """Names the file in every mistake of the document that was read from it."""
    try:
        yield
    except _core.ConfigurationError as error:
        text = str(error)
        raise _core.ConfigurationError(f"{file}{', ' if text.startswith('line ') else ': '}{text}") from None


class _Loader(yaml.SafeLoader):
    """YAML itself forbids equal keys in one mapping; PyYAML takes the last one and says nothing."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> Iterator[Lined]:
    found = Lined()
    yield found
    written: dict[Hashable, int] = {}
    for key_node, _ in node.value:
        if key_node.tag == "tag:yaml.org,2002:merge":
            continue
        key, line = loader.construct_object(key_node, deep=True), key_node.start_mark.line + 1
        if not isinstance(key, Hashable):
            continue  # which PyYAML refuses below
        if key in written:
            problem = f"the key {key!r} is written twice, first in line {written[key]}; keep one"
            raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
        written[key] = line
    found.update(loader.construct_mapping(node, deep=True))
    found.lines = {str(key): line for key, line in written.items()}


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
