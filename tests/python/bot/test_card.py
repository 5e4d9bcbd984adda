"""Cards: made, bound to data, checked, and printed by the command."""

from __future__ import annotations

import json
from datetime import date

import pytest

from lakeflow_teams import ConfigurationError, _core
from lakeflow_teams.bot import Card
from lakeflow_teams.cli.app import run

TEMPLATE = {
    "type": "AdaptiveCard",
    "version": "1.5",
    "body": [
        {"type": "TextBlock", "text": "Hello ${name}", "wrap": True},
        {"type": "TextBlock", "$when": "${count(items) > 1}", "text": "${string(count(items))} things"},
        {"type": "TextBlock", "$data": "${items}", "text": "${$index}: ${title} since ${formatDateTime(since, 'd MMM')}"},
    ],
}
DATA = {"name": "Ada", "items": [{"title": "one", "since": date(2026, 1, 2)}, {"title": "two", "since": "2026-02-03"}]}


def texts(card):
    return [element["text"] for element in card.content["body"]]


def test_data_is_bound_into_a_card_from_a_mapping_or_a_file(tmp_path):
    expected = ["Hello Ada", "2 things", "0: one since 2 Jan", "1: two since 3 Feb"]
    assert texts(Card(TEMPLATE).expand(DATA)) == expected
    file = tmp_path / "card.json"
    file.write_text(json.dumps(TEMPLATE), encoding="utf-8")
    assert texts(Card.file(file, DATA)) == expected
    assert Card.file(file) == Card(TEMPLATE)
    assert Card(TEMPLATE).columns == ["items", "name"]


def test_what_is_no_card_is_refused_with_its_place(tmp_path):
    with pytest.raises(ConfigurationError, match="a card is a JSON object"):
        Card("[1]")
    with pytest.raises(ConfigurationError, match=r"/body/0/text: .*no function iff; did you mean if"):
        Card({"body": [{"text": "${iff(a)}"}]}).expand({})
    with pytest.raises(ConfigurationError, match=r"/a: .*a text is no number") as caught:
        Card({"a": "${secret * 2}"}).expand({"secret": "personal"})
    assert "personal" not in str(caught.value)
    broken = tmp_path / "card.json"
    broken.write_text("{", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"card .*card\.json: it is no JSON"):
        Card.file(broken)
    with pytest.raises(ConfigurationError, match=r"none\.json: it cannot be read"):
        Card.file(tmp_path / "none.json")


def test_the_helpers_make_cards_that_teams_shows():
    card = Card.of(
        "Title",
        "Some **text**",
        image="https://example.com/a.png",
        facts={"Owner": "Ada", "Count": 3},
        inputs=[
            Card.input("why", "Why", multiline=True, required=True),
            Card.choices("who", "Who", {"a": "Ada", "b": "Bob"}, value="a"),
            Card.toggle("sure", "Sure?"),
            Card.date("when", "When"),
        ],
        actions=[Card.action("Resolve", "resolve", {"id": 7}, style="positive"), Card.link("Open", "https://example.com")],
    )
    assert card.problems == []
    execute = card.content["body"][-1]["actions"][0]
    assert (execute["verb"], execute["data"]) == ("resolve", {"id": 7})
    assert execute["fallback"]["data"] == {"id": 7, "action": "resolve"}
    assert repr(Card.of("a")) == "Card(TextBlock)"
    assert card.attachment()["contentType"] == "application/vnd.microsoft.card.adaptive"


def test_problems_point_at_their_element():
    card = Card({"type": "AdaptiveCard", "version": "1.6", "body": [{"type": "TextBlock"}, {"type": "Imag", "url": "x"}]})
    found = [str(problem) for problem in card.problems]
    assert any("/version (AdaptiveCard): 1.6 is too new" in line for line in found)
    assert "/body/0 (TextBlock): text is missing" in found
    assert any(line.startswith("/body/1 (Imag): Imag is not an element") and "did you mean Image?" in line for line in found)
    large = Card.of(text="x" * 45_000).problems
    assert [problem.severity for problem in large] == ["error"]
    assert "bytes in UTF-16" in large[0].message


def test_nothing_in_a_template_runs_code():
    for text in ("__import__('os').system('true')", "$root.__class__", "eval('1')", "constructor.constructor('1')()"):
        try:
            shown = Card({"text": f"${{{text}}}"}).expand({}).content["text"]
        except ConfigurationError:
            continue
        assert shown == f"${{{text}}}"
    assert {"if", "formatDateTime", "join", "json"} <= set(_core.card_functions())


def test_the_command_prints_the_card_and_says_what_teams_refuses(tmp_path, capsys):
    card, data = tmp_path / "card.json", tmp_path / "data.json"
    card.write_text(json.dumps(TEMPLATE), encoding="utf-8")
    assert run(["bot", "card", str(card)]) == 0
    assert "takes data with items, name" in capsys.readouterr().err
    data.write_text(json.dumps({**DATA, "items": []}, default=str), encoding="utf-8")
    assert run(["bot", "card", str(card), "--data", str(data)]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["body"][0]["text"] == "Hello Ada"
    assert printed.err == ""
    data.write_text(json.dumps([{"name": "A", "items": []}, {"name": "B", "items": []}]), encoding="utf-8")
    assert run(["bot", "card", str(card), "--data", str(data), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["columns"], len(shown["cards"])) == (["items", "name"], 2)
    assert shown["cards"][0]["bytes"] > 100

    card.write_text(json.dumps({"type": "AdaptiveCard", "version": "1.5", "body": [{"type": "Chart"}]}), encoding="utf-8")
    assert run(["bot", "card", str(card)]) == 2
    assert "error: /body/0 (Chart): Chart is not an element" in capsys.readouterr().err
    data.write_text("{", encoding="utf-8")
    assert run(["bot", "card", str(card), "--data", str(data)]) == 2
    assert "data" in capsys.readouterr().err
