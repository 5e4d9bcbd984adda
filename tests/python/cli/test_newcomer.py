"""What somebody meets who types as people type: a page where one is wanted, and otherwise one line with the nearest name."""

from __future__ import annotations

import pytest
import yaml

from lakeflow_teams.cli.app import run
from support.lakehouse import pipeline


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.yaml").write_text(yaml.safe_dump(pipeline()))
    return tmp_path


@pytest.mark.parametrize("arguments", [[], ["import"]], ids=["all", "import"])
def test_a_command_without_its_command_shows_the_page(arguments, capfd):
    assert run(arguments) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("Usage: lakeflow-teams")
    assert "\nCommands:\n" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["preview", "mesages"], "table 'mesages' is not supported: did you mean 'messages'?"),
        (["emulator", "--messages", "3"], "there is no option --messages; did you mean -o messages_per_channel=...?"),
        (["emulator", "--chat", "3"], "there is no option --chat; did you mean -o chats=...?"),
        (["emulator", "-o", "mesages_per_channel=3"], "no knob 'mesages_per_channel'; did you mean messages_per_channel?"),
        (["plan", "p.yaml", "--teams", "x"], "'x' is not a valid number"),
        (["preview", "teams", "-n", "x"], "'x' is not a valid whole number"),
        (["status", "--target", "nowhere"], "there is no Delta table in nowhere; lakeflow-teams ingest fills it"),
        (["maintain", "--target", "nowhere"], "there is no Delta table in nowhere; lakeflow-teams ingest fills it"),
        (["views", "--target", "nowhere"], "there is no Delta table in nowhere; lakeflow-teams ingest fills it"),
        (["databricks", "nope.yaml"], "pipeline file nope.yaml: cannot be read"),
        (["databricks", "p.yaml", "--manged"], "No such option '--manged'. Did you mean '--managed'?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_one_short_line(here, options, monkeypatch, capfd, arguments, said):
    for name, value in options.items():
        monkeypatch.setenv(f"LAKEFLOW_TEAMS_{name.upper()}", value)
    assert run(arguments) == 2
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert said in err
    assert len(err) < 160


@pytest.mark.parametrize("columns", [80, 40])
def test_what_is_told_of_a_lakehouse_fits_the_terminal(here, options, monkeypatch, capfd, columns):
    for name, value in options.items():
        monkeypatch.setenv(f"LAKEFLOW_TEAMS_{name.upper()}", value)
    assert run(["ingest", "p.yaml", "--target", "lakehouse", "--quiet"]) == 0
    monkeypatch.setenv("COLUMNS", str(columns))
    capfd.readouterr()
    for arguments in (
        ["views", "--target", "lakehouse"],
        ["maintain", "--target", "lakehouse"],
        ["verify", "p.yaml", "--target", "lakehouse"],
        ["databricks", "p.yaml", "--to", "b", "--force"],
        ["databricks", "p.yaml", "--to", "m", "--managed", "--force"],
    ):
        assert run(arguments) == 0, arguments
        out, err = capfd.readouterr()
        assert max(map(len, (out + err).splitlines())) <= columns, arguments


def test_what_came_after_the_last_ingest_is_told_apart_from_a_gap(here, graph, options, monkeypatch, capfd):
    for name, value in options.items():
        monkeypatch.setenv(f"LAKEFLOW_TEAMS_{name.upper()}", value)
    assert run(["ingest", "p.yaml", "--target", "lakehouse", "--quiet"]) == 0
    graph.advance(3600)
    graph.post("something new")
    capfd.readouterr()
    assert run(["verify", "p.yaml", "--target", "lakehouse"]) == 0
    assert "what Graph has beyond the rows came after the last ingest, and is no gap" in capfd.readouterr().out
