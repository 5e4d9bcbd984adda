"""What each recipe of the cookbook must answer, worked out of the tenant's truth in plain Python."""

from __future__ import annotations

from collections import Counter
from statistics import median

from support.paths import ROOT
from support.views import access, activity, at, author, counts, posts, threads

COOKBOOK = sorted((ROOT / "examples" / "cookbook").glob("*.sql"))


def check_recipes(graph, query):
    """Every recipe against the truth; ``query`` runs SQL and gives rows as dicts."""
    assert {file.stem for file in COOKBOOK} == set(CHECKS)
    for file in COOKBOOK:
        CHECKS[file.stem](graph, query(file.read_text().strip().rstrip(";")))


def top_posters(graph, rows):
    wanted = sorted(Counter(map(author, posts(graph).values())).values(), reverse=True)[:10]
    assert [row["posts"] for row in rows] == wanted


def response_times(graph, rows):
    everything = posts(graph)
    roots = {post["thread"]: post for post in everything.values() if not post["is_reply"] and post.get("channel_id")}
    waits = {}
    for key, (_, _, answered) in threads(graph).items():
        seconds = (answered - at(roots[key]["createdDateTime"])).total_seconds() // 1 if answered else None
        waits.setdefault(roots[key]["channel_id"], []).append(seconds)
    wanted = []
    for found in waits.values():
        answered = [seconds for seconds in found if seconds is not None]
        wanted.append((len(found), len(answered), median(answered) / 3600 if answered else None))
    found = [(row["threads"], row["answered"], row["median_hours"]) for row in rows]
    assert sorted(map(repr, found)) == sorted(map(repr, wanted))


def most_reacted(graph, rows):
    wanted = sorted(counts(graph, "reactions").items(), key=lambda pair: (-pair[1], pair[0]))[:10]
    assert [row["reactions"] for row in rows] == [count for _, count in wanted]
    assert [row["link"] for row in rows] == [posts(graph)[key]["webUrl"] for key, _ in wanted]


def who_left(graph, rows):
    assert rows
    teams = {row["id"]: row["displayName"] for row in graph.truth("teams")}
    now = {(teams[row["team_id"]], row["email"]) for row in graph.truth("members")}
    assert not now & {(row["team"], row["mail"]) for row in rows}


def unanswered_threads(graph, rows):
    wanted = sum(answered is None for _, _, answered in threads(graph).values())
    assert len(rows) == wanted > 0
    times = [row["unanswered_since"] for row in rows]
    assert times == sorted(times)


def search_in_text(graph, rows):
    hits = set()
    for post in posts(graph).values():
        files = [attachment["name"] or "" for attachment in post["attachments"]]  # the text names them in brackets
        if "plan" in " ".join((post["body"]["content"] or "", *files)).lower():
            hits.add(post["webUrl"])
    links = {row["link"] for row in rows if row["link"]}
    assert rows
    assert links <= hits


def busiest_days(graph, rows):
    days, places = Counter(), Counter()
    for (day, _), (count, _, _) in activity(graph).items():
        days[day] += count
        places[day] += 1
    wanted = sorted(days.items(), key=lambda pair: (-pair[1], pair[0]))[:10]
    assert [(row["day"], row["posts"], row["places"]) for row in rows] == [(day, n, places[day]) for day, n in wanted]


def who_may_see(graph, rows):
    kinds = {row["id"]: row["membershipType"] for row in graph.truth("channels")}
    used = {post["channel_id"] for post in posts(graph).values() if post.get("channel_id")}
    wanted = sorted(user for place, user in access(graph) if place in used and kinds.get(place) != "standard")
    assert sorted(row["entra_id"] for row in rows) == wanted


CHECKS = {
    check.__name__: check
    for check in (
        top_posters,
        response_times,
        most_reacted,
        who_left,
        unanswered_threads,
        search_in_text,
        busiest_days,
        who_may_see,
    )
}
