"""Groups: the fewest pairs meet again, nobody is twice in a round or alone, and the same round is formed the same way again."""

from __future__ import annotations

import random
from datetime import datetime, timezone
from itertools import combinations
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakeflow_teams.deliver.pairup.grouping import Met, form, repeats, sizes
from lakeflow_teams.deliver.pairup.matching import NOBODY, circle, complete
from lakeflow_teams.deliver.pairup.period import begins, round_of
from support.examples import examples


def fewest(people, shape, met):
    """By trying all ways."""
    if not people:
        return 0
    first, *rest = people
    best = len(met) + 1
    for size in set(shape):
        left = list(shape)
        left.remove(size)
        for others in combinations(rest, size - 1):
            again = repeats([[first, *others]], met)
            best = min(best, again + fewest([one for one in rest if one not in others], left, met))
    return best


def whole(groups, people):
    return sorted(one for group in groups for one in group) == sorted(people)


histories = st.tuples(st.integers(2, 8), st.integers(2, 4), st.floats(0, 1), st.randoms(use_true_random=False))


@examples(60)
@given(histories)
def test_a_few_people_meet_again_as_rarely_as_can_be(drawn):
    count, size, known, chance = drawn
    people = [f"p{at}" for at in range(count)]
    met = {
        pair: Met(chance.randint(1, 3), chance.randint(1, 9)) for pair in combinations(people, 2) if chance.random() < known
    }
    if len(met) == count * (count - 1) // 2:
        return  # everybody knows everybody: all pairs are repeats
    groups = form(people, size, met, name="n", round_="r")
    assert whole(groups, people)
    assert sorted(map(len, groups)) == sorted(sizes(count, size))
    assert repeats(groups, met) == fewest(people, sizes(count, size), met)
    assert groups == form(reversed(people), size, met, name="n", round_="r")


@examples(15)
@given(st.integers(7, 20), st.sampled_from([0.0, 0.02, 0.1]), st.randoms(use_true_random=False))
def test_the_only_pairs_of_strangers_are_found(half, strangers, chance):
    """All but a hidden set of pairs, and a few more, have met: only a search for a maximum matching finds it."""
    people = [f"p{at:02}" for at in range(2 * half)]
    shuffled = chance.sample(people, len(people))
    hidden = {tuple(sorted(pair)) for pair in zip(shuffled[::2], shuffled[1::2], strict=True)}
    rest = (pair for pair in combinations(people, 2) if pair not in hidden)
    met = {pair: Met(1, 1) for pair in rest if chance.random() >= strangers}
    groups = form(people, 2, met, name="n", round_="r")
    assert (repeats(groups, met), whole(groups, people)) == (0, True)


@examples(30)
@given(st.integers(2, 9), st.floats(0, 1), st.randoms(use_true_random=False))
def test_a_matching_is_as_large_as_can_be_and_nobody_loses_a_partner(count, share, chance):
    edges = {pair for pair in combinations(range(count), 2) if chance.random() < share}
    fits = {one: [other for other in range(count) if tuple(sorted((one, other))) in edges] for one in range(count)}
    partners = [NOBODY] * count
    if edges:
        one, other = min(edges)
        partners[one], partners[other] = other, one
    before = [one for one in range(count) if partners[one] != NOBODY]
    complete(partners, fits.__getitem__)
    for one, other in enumerate(partners):
        assert other == NOBODY or (partners[other] == one and tuple(sorted((one, other))) in edges)
    assert all(partners[one] != NOBODY for one in before)

    def largest(left):
        if len(left) < 2:
            return 0
        first, *rest = left
        with_first = [1 + largest([one for one in rest if one != other]) for other in rest if (first, other) in edges]
        return max([largest(rest), *with_first])

    assert sum(one != NOBODY for one in partners) == 2 * largest(list(range(count)))


@pytest.mark.parametrize(("count", "size", "rounds"), [(4, 2, 3), (6, 2, 5), (20, 2, 19), (7, 2, 3), (9, 3, 3), (41, 2, 30)])
def test_people_who_stay_together_meet_anew_for_many_rounds(count, size, rounds):
    people, met = [f"p{at}" for at in range(count)], {}
    for round_ in range(rounds):
        groups = form(people, size, met, name="coffee", round_=str(round_))
        assert (repeats(groups, met), whole(groups, people)) == (0, True), round_
        met |= {pair: Met(1, 1) for group in groups for pair in combinations(sorted(group), 2)}
    if count % 2 == 0 and size == 2:
        assert len(met) == count * (count - 1) // 2, "everybody met everybody"
        again = form(people, size, met, name="coffee", round_="next")
        twice = met | {tuple(group): Met(2, 1) for group in again}
        assert {tuple(one) for one in form(people, size, twice, name="coffee", round_="later")}.isdisjoint(map(tuple, again))


def test_people_come_and_go_and_thousands_meet_nobody_twice():
    chance, met = random.Random(5), {}
    everybody = [f"p{at}" for at in range(3_001)]
    for round_ in range(8):
        people = chance.sample(everybody, 2_901)
        groups = form(people, 2, met, name="coffee", round_=str(round_))
        assert (repeats(groups, met), whole(groups, people)) == (0, True)
        met |= {pair: Met(1, 1) for group in groups for pair in combinations(sorted(group), 2)}


def test_groups_are_near_the_size_and_nobody_is_alone():
    shapes = {
        (2, 2): [2],
        (3, 2): [3],
        (5, 2): [3, 2],
        (2, 5): [2],
        (4, 3): [4],
        (5, 3): [3, 2],
        (6, 4): [3, 3],
        (7, 4): [4, 3],
    }
    assert {given: sizes(*given) for given in shapes} == shapes
    assert (sizes(1, 2), sizes(0, 2)) == ([], [])
    assert all(min(sizes(people, size)) > 1 for people in range(2, 60) for size in range(2, 9))
    assert all(sum(sizes(people, size)) == people for people in range(2, 60) for size in range(2, 9))
    assert form(["a"], 2, {}, name="n", round_="r") == []


def test_a_circle_brings_everybody_together_once():
    for people in (2, 4, 10):
        pairs = [tuple(sorted(pair)) for turn in range(people - 1) for pair in circle(people, turn)]
        assert sorted(pairs) == sorted(combinations(range(people), 2))


def test_a_round_is_a_week_or_month_of_a_time_zone():
    new_year = datetime(2027, 1, 3, 23, 30, tzinfo=timezone.utc)
    assert round_of("week", new_year, ZoneInfo("UTC")) == "2026-W53"
    assert round_of("week", new_year, ZoneInfo("Europe/Amsterdam")) == "2027-W01"
    assert round_of("month", new_year, ZoneInfo("UTC")) == "2027-01"
    assert sorted(["2027-01", "2026-W53", "2026-12", "2027-W01"], key=begins) == [
        "2026-12",
        "2026-W53",
        "2027-01",
        "2027-W01",
    ]
