"""The files this package writes for people: pipelines, bundles and run reports, each from one template."""

from __future__ import annotations

import json
import re
import sys
from contextlib import suppress
from functools import cache
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemBytecodeCache, PackageLoader, StrictUndefined, select_autoescape
from jinja2.bccache import Bucket

from lakeflow_teams import _core

_PLAIN = re.compile(r"[A-Za-z_][\w.-]*")
_WORD = re.compile(r"[A-Za-z_]\w*", re.ASCII)
#: Words that YAML reads as something other than text.
_TAKEN = {"true", "false", "yes", "no", "on", "off", "y", "n", "null"}


def render(name: str, /, **values: Any) -> str:
    """The template ``name`` filled in. In HTML every value is escaped; a value that a template lacks is an error."""
    return _environment().get_template(f"{name}.j2").render(**values)


def yaml_text(value: Any) -> str:
    """A value as a YAML scalar that is read back as the same text."""
    text = str(value)
    if _PLAIN.fullmatch(text) and text.lower() not in _TAKEN:
        return text
    return json_text(text)


def json_text(value: Any) -> str:
    """A value as JSON, which is also a quoted text of YAML."""
    return json.dumps(value, ensure_ascii=False)


def sql_name(value: str) -> str:
    """A name as Databricks' SQL quotes it."""
    return value if _WORD.fullmatch(value) else "`" + value.replace("`", "``") + "`"


def shell_text(value: str) -> str:
    """A text as it stands in a here document, where a shell still replaces variables."""
    return re.sub(r"([$`\\])", r"\\\1", value)


class _Compiled(FileSystemBytecodeCache):
    """Compiled templates beside compiled modules, where those may be written: to compile a page takes half a second."""

    def __init__(self) -> None:
        super().__init__(str(Path(cache_from_source(__file__)).parent), f"%s.{_core.__version__}.jinja")

    def dump_bytecode(self, bucket: Bucket) -> None:
        if not sys.dont_write_bytecode:
            with suppress(OSError):
                super().dump_bytecode(bucket)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("lakeflow_teams"),
        bytecode_cache=_Compiled(),
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"yaml": yaml_text, "json": json_text, "sql_name": sql_name, "shell_text": shell_text}
    return environment
