"""The run report: its figures are the tenant's, its page loads and runs nothing, and a browser shows it."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
from collections import Counter
from datetime import date, timedelta
from html.parser import HTMLParser

import pytest
from deltalake import DeltaTable
from hypothesis import given
from hypothesis import strategies as st

from lakeflow_teams import LakeflowTeamsError, ThrottledError, ingest_local
from lakeflow_teams.cli.app import run
from lakeflow_teams.run_report import charts, files, volume
from lakeflow_teams.run_report import page as report_page
from lakeflow_teams.store.folder import Folder
from support.lakehouse import TABLES, differences, entry, later, pipeline

HOSTILE = "\"'><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">{{ 7 * 7 }}"


def written(target):
    return json.loads((target / "_reports" / "latest.json").read_text())


def page(target):
    return (target / "_reports" / "latest.html").read_text()


def people_wrote(graph, table):
    return [row for row in graph.truth(table) if row["messageType"] == "message"]


def rename(target, table):
    literal = "'" + HOSTILE.replace("'", "''") + "'"
    DeltaTable(str(target / "main" / "teams" / table)).update(updates={"displayName": literal})


class Elements(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text = Counter(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        self.attributes += attrs

    def handle_data(self, data):
        self.text.append(data)


def test_the_figures_are_the_tenants(graph, options, tmp_path):
    first = ingest_local(pipeline(), tmp_path, options)
    later(graph)
    second = ingest_local(pipeline(), tmp_path, options)
    report = written(tmp_path)
    assert second.page == str(tmp_path / "_reports" / f"{report['run']}.html")
    assert [each["rows"]["main.teams.messages"] for each in report["history"]] == [
        next(line.rows for line in done.destinations if line.source_table == "messages") for done in (first, second)
    ]
    batched = len(graph.truth("teams"))  # items of a batch count for their endpoint, and travel as one request
    by_endpoint = sum(count["requests"] for count in report["endpoints"].values())
    assert report["requests"] == second.requests == by_endpoint - batched
    assert report["timeline"][-1]["requests"] == second.requests
    assert report["timeline"][0]["requests"] == 0
    for table, series in (("messages", "messages"), ("message_replies", "replies")):
        truth = Counter(row["createdDateTime"][:10] for row in people_wrote(graph, table))
        days = {each["day"]: each[series] for each in report["volume"]["days"]}
        assert len(days) == 90
        assert sum(days.values()) > 0
        assert days == {day: truth[day] for day in days}
        first_day = min(days)
        channels = Counter(
            row["channel_id"] for row in people_wrote(graph, table) if row["createdDateTime"][:10] >= first_day
        )
        for each in report["volume"]["channels"]:
            assert each[series] == channels[each["channel_id"]]
    newest = max(
        row["createdDateTime"][:10] for name in ("messages", "message_replies") for row in people_wrote(graph, name)
    )
    assert report["volume"]["days"][-1]["day"] == newest
    assert report["volume"]["days"][0]["day"] == (date.fromisoformat(newest) - timedelta(days=89)).isoformat()
    names = {row["id"]: row["displayName"] for row in graph.truth("channels")}
    busiest = report["volume"]["channels"]
    assert [each["channel"] for each in busiest] == [names[each["channel_id"]] for each in busiest]
    totals = [each["messages"] + each["replies"] for each in busiest]
    assert totals == sorted(totals, reverse=True)


def test_messages_are_counted_again_only_where_something_changed(graph, options, tmp_path, monkeypatch):
    counted = []
    monkeypatch.setattr(report_page, "volume", lambda *given: counted.append(1) or volume.volume(*given))
    spec = pipeline(entry("messages"), entry("channels"))
    ingest_local(spec, tmp_path, options)
    first = written(tmp_path)["volume"]
    graph.advance(3600)
    ingest_local(spec, tmp_path, options)
    assert (written(tmp_path)["volume"], len(counted)) == (first, 1)
    later(graph)
    ingest_local(spec, tmp_path, options)
    assert len(counted) == 2
    assert written(tmp_path)["volume"] != first


@pytest.mark.parametrize("way", ["SCD_TYPE_2", "APPEND_ONLY"])
def test_a_message_counts_once_however_it_is_kept(graph, options, tmp_path, way):
    spec = pipeline(entry("messages", scd_type=way))
    ingest_local(spec, tmp_path, options)
    graph.mutate(edits=10)
    graph.advance(3600)
    ingest_local(spec, tmp_path, options)
    report = written(tmp_path)
    table = next(each for each in report["tables"] if each["source_table"] == "messages")
    assert table["rows"] > len(graph.truth("messages"))
    truth = Counter(row["createdDateTime"][:10] for row in people_wrote(graph, "messages"))
    assert all(each["messages"] == truth[each["day"]] for each in report["volume"]["days"])


def test_names_are_text_whatever_they_hold(graph, options, tmp_path):
    ingest_local(pipeline(), tmp_path, options)
    for table in ("channels", "teams"):
        rename(tmp_path, table)
    ingest_local({**pipeline(entry("messages"), entry("message_replies")), "connection_name": HOSTILE}, tmp_path, options)
    html = page(tmp_path)
    found = Elements(html)
    assert {each["channel"] for each in written(tmp_path)["volume"]["channels"]} == {HOSTILE}
    assert found.text.count(HOSTILE) >= 2 * len(written(tmp_path)["volume"]["channels"])
    assert not {"script", "img", "link", "iframe", "object"} & set(found.tags)
    assert not {name for name, _ in found.attributes if name.startswith("on") or name in ("src", "href")}
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in found.attributes
    assert "://" not in html.replace("http://www.w3.org", "")


def test_a_run_that_fails_is_reported_with_its_error(graph, options, tmp_path):
    ingest_local(pipeline(), tmp_path, options)
    graph.fault(path="/teams", status=429, times=100_000, retry_after="3000")
    with pytest.raises(ThrottledError) as caught:
        ingest_local(pipeline(entry("teams"), entry("chats")), tmp_path, options)
    report = written(tmp_path)
    assert report["failed"] is True
    assert str(caught.value).split(";")[0] in report["error"]
    assert [each["failed"] for each in report["history"]] == [False, True]
    assert "What failed" in page(tmp_path)


def test_skipped_scopes_stand_with_their_remedy(graph, options, tmp_path):
    team = graph.truth("teams")[0]["id"]
    graph.fault(path=f"/teams/{team}/channels", status=403, times=100_000)
    done = ingest_local(pipeline(entry("messages", on_forbidden="skip")), tmp_path, options)
    assert done.skipped_count >= 1
    text = " ".join(Elements(page(tmp_path)).text)
    for scope in done.skipped:
        assert scope["scope"] in text
        assert scope["remedy"] in text


def test_it_can_be_turned_off(options, tmp_path, monkeypatch):
    assert ingest_local(pipeline(entry("teams")), tmp_path / "a", options, report=False).page is None
    for name, value in options.items():
        monkeypatch.setenv(f"LAKEFLOW_TEAMS_{name.upper()}", value)
    (tmp_path / "p.yaml").write_text(json.dumps(pipeline(entry("teams"))))
    arguments = ["ingest", str(tmp_path / "p.yaml"), "--target", str(tmp_path / "a"), "--quiet"]
    assert run([*arguments, "--no-report"]) == 0
    assert not (tmp_path / "a" / "_reports").exists()
    assert run(arguments) == 0
    assert (tmp_path / "a" / "_reports" / "latest.html").exists()


def test_a_report_that_cannot_be_written_fails_nothing(graph, options, tmp_path):
    (tmp_path / "_reports").write_text("in the way")
    done = ingest_local(pipeline(), tmp_path, options)
    assert differences(graph, tmp_path) == []
    assert done.page is None
    assert any("the run report could not be written" in note for note in done.notes)


def test_old_reports_go(tmp_path):
    for number in range(files.KEPT + 5):
        files.write(Folder(tmp_path), f"run{number:04}", {"number": number}, "")
    kept = sorted(file.stem for file in (tmp_path / "_reports").glob("run*.html"))
    assert kept == sorted(file.stem for file in (tmp_path / "_reports").glob("run*.json"))
    assert (len(kept), kept[0]) == (files.KEPT, "run0005")
    assert files.latest(Folder(tmp_path)) == {"number": files.KEPT + 4}
    assert [each["number"] for each in files.earlier(Folder(tmp_path), 2)] == [files.KEPT + 3, files.KEPT + 4]


@given(st.floats(min_value=1e-3, max_value=1e12))
def test_an_axis_holds_its_values_and_has_few_marks(highest):
    top, marks = charts.scale(highest)
    assert top >= highest
    assert top < 1.5 * highest
    assert 2 <= len(marks) <= 5
    assert marks[0] == 0.0


def test_nothing_has_an_axis_too():
    assert charts.scale(0) == (1.0, [0.0])
    assert charts.columns([], "day", ["messages"]).bars == []


@given(st.lists(st.tuples(st.floats(0.01, 100), st.integers(0, 1000)), min_size=1, max_size=130))
def test_what_is_drawn_adds_up_to_the_run(steps):
    samples = [{"second": 0.0, "requests": 0, "rows": 0, "throttled_seconds": 0.0, "planned_seconds": 0.0}]
    for seconds, requests in steps:
        before = samples[-1]
        samples.append(
            {
                **before,
                "second": before["second"] + seconds,
                "requests": before["requests"] + requests,
                "throttled_seconds": before["throttled_seconds"] + requests / 7,
            }
        )
    drawn = charts.rates(samples)
    assert len(drawn) <= 61
    assert sum(each["requests"] for each in drawn) == pytest.approx(samples[-1]["requests"], abs=0.05 * len(drawn) + 0.01)


def browser():
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.mark.skipif(browser() is None, reason="no Chromium on this machine: apt-get install chromium")
def test_a_browser_shows_it(graph, options, tmp_path):
    ingest_local(pipeline(), tmp_path / "l", options)
    for table in ("channels", "teams"):
        rename(tmp_path / "l", table)
    ingest_local(pipeline(*(entry(table) for table in TABLES if table.startswith("message"))), tmp_path / "l", options)
    blank = tmp_path / "blank.html"
    blank.write_text("<!doctype html><title>blank</title>")
    shown = tmp_path / "l" / "_reports" / "latest.html"
    sizes = {file.stem: look(file, tmp_path / f"{file.stem}.png") for file in (blank, shown)}
    assert sizes["latest"] > 5 * sizes["blank"]
    dom = in_browser(tmp_path, "--dump-dom", shown.as_uri())
    assert "owned" not in "".join(Elements(dom).text[:3])
    assert "<title>test, " in dom


def look(file, picture):
    """Takes a picture of 1200 by 2000 points, and returns its size in bytes."""
    in_browser(picture.parent, "--hide-scrollbars", "--window-size=1200,2000", f"--screenshot={picture}", file.as_uri())
    content = picture.read_bytes()
    assert content.startswith(b"\x89PNG")
    assert struct.unpack(">II", content[16:24]) == (1200, 2000)
    return len(content)


def in_browser(folder, *arguments):
    quiet = ["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    command = [browser(), "--headless", "--no-sandbox", "--disable-gpu", *quiet, f"--user-data-dir={folder / 'profile'}"]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=120, check=True).stdout


def test_every_cause_stands_with_its_tables(graph, options, tmp_path):
    graph.set(revoke_permission=["TeamMember.Read.All", "Chat.Read.All", "Chat.ReadBasic.All", "Chat.ReadWrite.All"])
    with pytest.raises(LakeflowTeamsError):
        ingest_local(pipeline(entry("teams"), entry("members"), entry("chats")), tmp_path, options)
    text = " ".join(" ".join(Elements(page(tmp_path)).text).split())
    for table, permission in (("main.teams.members", "TeamMember.Read.All"), ("main.teams.chats", "Chat.Read.All")):
        assert f"{table} : PermissionDeniedError: the token does not hold {permission}" in text
    assert text.count("more in the documentation: errors, PermissionDeniedError") == 2
    links = [value for name, value in Elements(page(tmp_path)).attributes if name == "href"]
    assert links == ["https://learn.microsoft.com/graph/permissions-reference"] * 2


def test_a_refused_login_links_the_page_of_its_number(options, tmp_path):
    with pytest.raises(LakeflowTeamsError, match="AADSTS7000215"):
        ingest_local(pipeline(entry("teams")), tmp_path, {**options, "client_secret": "wrong"})
    links = [value for name, value in Elements(page(tmp_path)).attributes if name == "href"]
    assert links == ["https://login.microsoftonline.com/error?code=7000215"]


def test_no_time_in_a_page_depends_on_when_it_is_read(options, tmp_path):
    ingest_local(pipeline(), tmp_path, options)
    html = page(tmp_path)
    assert " ago" not in html
    committed = written(tmp_path)["tables"][0]["committed"]
    assert committed[:16].replace("T", " ") in html


def test_on_a_phone_a_row_is_a_card_that_names_its_figures(options, tmp_path):
    ingest_local(pipeline(), tmp_path, options)
    html = page(tmp_path)
    assert "@media (max-width: 640px)" in html
    found = Elements(html)
    labels = Counter(value for name, value in found.attributes if name == "data-of")
    assert {"rows read", "inserted", "updated", "deleted", "rows stored"} <= set(labels)
    assert labels["rows read"] == len(TABLES)


@pytest.mark.skipif(browser() is None, reason="no Chromium on this machine: apt-get install chromium")
def test_a_phone_shows_it_without_scrolling_aside(options, tmp_path):
    ingest_local(pipeline(), tmp_path / "l", options)
    shown = tmp_path / "l" / "_reports" / "latest.html"
    wide = tmp_path / "wide.html"
    wide.write_text(
        shown.read_text()
        .replace("default-src 'none';", "default-src 'none'; script-src 'unsafe-inline';")
        .replace(
            "</body>", "<script>document.title = document.documentElement.scrollWidth + ' of ' + innerWidth</script></body>"
        )
    )
    dom = in_browser(tmp_path, "--window-size=500,900", "--dump-dom", wide.as_uri())
    scroll, inner = map(int, dom.partition("<title>")[2].partition("</title>")[0].split(" of "))
    assert scroll <= inner
