"""Imports between the package's modules run one way, and between its folders only along the arrows written down here.

Imports inside functions count, those under ``TYPE_CHECKING`` do not: they are about what a module needs when it runs.
"""

from __future__ import annotations

import ast

import pytest

from support.paths import ROOT

PACKAGE = ROOT / "python" / "lakeflow_teams"

#: A folder or a module at the top to what it may import, and why. The foundation knows nothing of the others.
FOUNDATION = {"_core", "_extras", "_suggest"}
ARROWS = {
    "_core": {},
    "_extras": {},
    "_suggest": {},
    "_templates": {},
    "options": {},
    "planner": {},
    "spec": {"options": "values of a spec become option text"},
    "results": {"options": "a check says which options a connection must let through"},
    "telemetry": {"results": "metrics are the difference of two reports"},
    "stream": {"results": "a stream shows its schema in a notebook, and the report in its bar"},
    "client": {
        "options": "keyword arguments become option text",
        "results": "reports and checks are what a client gives back",
        "stream": "a read is a stream",
    },
    "environment": {"options": "the older name of one of its functions"},
    "operations": {"options": "an operation's options", "results": "a connection is validated by a check"},
    "lakeflow": {
        "options": "the connection's map",
        "planner": "partitions of a micro-batch",
        "operations": "the framework is given our answers",
    },
    "spark": {
        "options": "Spark's map",
        "planner": "partitions of a micro-batch",
        "operations": "`operation` asks instead of reading",
        "listen": "notifications are decoded alike everywhere",
    },
    "pipelines": {
        "options": "the connection's options",
        "spec": "the destinations, and how each is written",
        "spark": "the data source that a pipeline reads",
    },
    "store": {"options": "how to get in, and what of it may be shown"},
    "views": {"spec": "the destinations of a pipeline, and how each is written"},
    "run_report": {
        "results": "a page is made of a summary",
        "_templates": "a page is a template",
        "store": "it lies in the lakehouse, and looks into its tables",
    },
    "local": {
        "options": "the connection's options",
        "spec": "the destinations, and how each is written",
        "results": "what a run gives back",
        "run_report": "a run ends with its page",
        "store": "where the tables lie",
        "telemetry": "a run is a span",
        "views": "a DuckDB database has them",
    },
    "deliver": {
        "options": "the connection's options",
        "store": "the folder of the lakehouse",
        "results": "a summary shows in a notebook",
        "run_report": "its page has the same charts",
        "_templates": "and is a template",
    },
    "listen": {
        "options": "those of a decoder become option text",
        "spec": "the tables that are kept fresh",
        "local": "which are written by its writers, and polled by its runs",
        "store": "where the lakehouse lies",
        "results": "a poll is a run",
        "telemetry": "notifications are counted",
        "deliver": "one process at a time, and files that are there whole",
    },
    "bot": {
        "options": "the connection's options",
        "listen": "what comes in over ASGI",
        "deliver": "conversations are shared with broadcasts",
        "local": "small files of its table are put together",
        "store": "the folder of the lakehouse",
    },
    "testing": {},
    "pytest_plugin": {"testing": "the plugin is its fixtures"},
    "demo": {
        "local": "the demo is two runs",
        "spec": "of a spec",
        "results": "shown on a terminal",
        "testing": "and compared with the tenant",
    },
    "cli": {
        "options": "options come from -o, a file and the environment",
        "spec": "most commands take a spec",
        "results": "and show what came of it",
        "local": "`ingest`, `status` and `maintain`",
        "deliver": "`import` and `broadcast`",
        "bot": "`bot`",
        "listen": "`listen`",
        "store": "`views` writes beside the tables",
        "views": "`views`",
        "demo": "`demo`",
        "_templates": "`init` and `databricks` write files",
    },
    "__main__": {"cli": "`python -m lakeflow_teams`"},
}

Graph = dict[str, set[str]]


def modules(package=PACKAGE):
    """Module name to its tree; a package's ``__init__`` has the package's name."""
    found = {}
    for file in [*package.rglob("*.py"), *package.rglob("*.pyi")]:
        parts = [package.name, *file.relative_to(package).with_suffix("").parts]
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(file.read_text(encoding="utf-8"))
    return found


def imports(trees) -> Graph:
    """Module to the modules it imports. Importing from a package counts as importing the submodule, where there is one."""
    return {name: {target for target in _imported(tree, set(trees)) if target != name} for name, tree in trees.items()}


def _imported(node, known):
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for other in child.orelse:
                yield from _imported(ast.Module([other], []), known)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"imports are written out: {ast.unparse(child)}"
            for alias in child.names:
                full = f"{child.module}.{alias.name}"
                yield from {full if full in known else child.module} & known
        elif isinstance(child, ast.Import):
            yield from {alias.name for alias in child.names} & known
        else:
            yield from _imported(child, known)


def folders(graph: Graph) -> Graph:
    """The same between what lies at the top of the package."""
    found: Graph = {}
    for name, targets in graph.items():
        own = _top(name)
        if own:
            found.setdefault(own, set()).update({_top(target) for target in targets} - {own})
    return found


def _top(name):
    return ".".join(name.split(".")[1:2])


def circle(graph: Graph) -> list[str] | None:
    """The first circle, as the names along it."""
    done: set[str] = set()

    def walk(name, path):
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done:
            return None
        for target in sorted(graph.get(name, ())):
            found = walk(target, [*path, name])
            if found:
                return found
        done.add(name)
        return None

    return next(filter(None, (walk(name, []) for name in sorted(graph))), None)


@pytest.fixture(scope="module")
def graph():
    return imports(modules())


def test_no_modules_import_each_other(graph):
    assert circle(graph) is None


def test_no_folders_import_each_other(graph):
    assert circle(folders(graph)) is None


def test_folders_import_along_the_arrows_only(graph):
    found = folders(graph)
    assert set(found) == set(ARROWS)
    for name, targets in found.items():
        assert targets - FOUNDATION == set(ARROWS[name]), name
    assert all(reason for arrows in ARROWS.values() for reason in arrows.values())


def test_nothing_imports_the_names_that_the_package_loads_when_they_are_used(graph):
    """The package's own ``__init__`` leads to everything, so whatever imported from it would close a circle."""
    assert [name for name, targets in graph.items() if "lakeflow_teams" in targets] == []


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("from lakeflow_teams.local import runner", "results/report.py"),
        ("def late():\n    import lakeflow_teams.cli.app", "results/report.py"),
        ("if True:\n    from lakeflow_teams.spark import stream", "spark/connection.py"),
    ],
    ids=["at the top", "in a function", "inside one folder"],
)
def test_a_planted_circle_is_found(text, path):
    trees = modules()
    name = f"lakeflow_teams.{path.removesuffix('.py').replace('/', '.')}"
    trees[name].body.extend(ast.parse(text).body)
    planted = imports(trees)
    assert name in circle(planted)
    if "spark" not in path:
        assert "results" in circle(folders(planted))


def test_what_only_a_type_checker_imports_is_no_arrow():
    tree = ast.parse("if TYPE_CHECKING:\n    import a\nelse:\n    import b\n")
    assert set(_imported(tree, {"a", "b"})) == {"b"}
