"""Groups of a round: with the fewest pairs that met before, nobody twice, and nobody alone.

Pairs of an even number are exact, and so is any size for up to a dozen people. Beyond that groups of three and more are
searched for: whether nobody has to meet again is the social golfer problem, which nobody can decide quickly. The same
people, history and round give the same groups.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from lakeflow_teams.deliver.pairup.matching import NOBODY, circle, complete

#: Up to so many people all ways to group them are looked through.
_FEW = 12
#: Up to so many people the turns of a fixed circle are looked through for one of strangers, so that people who stay together
#: all meet in the fewest rounds.
_CIRCLE = 128
#: How many people somebody is tried to change places with.
_MOST_TRIED = 2_000
#: How often the search begins anew from other groups.
_STARTS = 12
#: What one pair that met before weighs; how often and how long ago only decides among as few of them.
_REPEAT = 10**15

Groups = list[list[int]]


class Met(NamedTuple):
    """How often two people were in a group, and how many rounds ago the last time was."""

    times: int
    rounds_ago: int


def sizes(people: int, size: int) -> list[int]:
    """How large the groups are: as near to ``size`` as can be, and none of one person."""

    def shape(groups: int) -> list[int]:
        small, larger = divmod(people, groups)
        return [small + 1] * larger + [small] * (groups - larger)

    def distance(shape: list[int]) -> tuple[int, int]:
        off = [abs(one - size) for one in shape]
        return max(off), sum(off)

    around = people // size
    possible = [shape(groups) for groups in (around, around + 1) if 1 <= groups <= people // 2]
    return min(possible, key=distance, default=[])


def form(people: Iterable[str], size: int, met: Mapping[tuple[str, str], Met], *, name: str, round_: str) -> list[list[str]]:
    """The groups of a round; none for fewer than two people.

    ``met`` has the pairs of earlier rounds, each in the order of its ids. ``name`` is the pair-up's, ``round_`` the week or
    month.
    """
    # A fixed circle: by a digest, so that people of one department are not neighbours.
    around = sorted(set(people), key=lambda one: hashlib.sha256(f"{name}\n{one}".encode()).digest())
    shape = sizes(len(around), size)
    if not shape:
        return []
    search = _Search(around, shape, met, random.Random(f"{name}\n{round_}"))  # noqa: S311, no secret
    return sorted(sorted(around[one] for one in group) for group in search.best())


def repeats(groups: Iterable[Sequence[str]], met: Mapping[tuple[str, str], Met]) -> int:
    """Pairs that are in a group again."""
    return sum(pair in met for group in groups for pair in combinations(sorted(group), 2))


class _Search:
    def __init__(
        self, people: Sequence[str], shape: list[int], met: Mapping[tuple[str, str], Met], chance: random.Random
    ) -> None:
        self._count = len(people)
        self._shape = shape
        self._chance = chance
        self._weights = _weights(people, met)

    def best(self) -> Groups:
        """The cheapest groups that are found, the first that cost nothing."""
        best: Groups | None = None
        for make in self._ways():
            groups = make()
            if best is None or self._cost(groups) < self._cost(best):
                best = groups
            if not self._cost(best):
                break
        if best is None:
            raise AssertionError("there is always one way")
        return best

    def _ways(self) -> Iterable[Callable[[], Groups]]:
        pairs_only = self._shape[-1] == 2 and self._shape[0] <= 3 and sum(one == 3 for one in self._shape) <= 1
        if pairs_only:
            yield self._around
        if self._count <= _FEW:
            yield self._all
            return
        if pairs_only and self._count % 2 == 0:
            yield lambda: self._matched(list(range(self._count)))
            return
        for _ in range(_STARTS):
            yield self._with_an_odd_one if pairs_only else self._shuffled

    def _weight(self, one: int, other: int) -> int:
        return self._weights[one].get(other, 0)

    def _within(self, group: Sequence[int]) -> int:
        return sum(self._weight(one, other) for one, other in combinations(group, 2))

    def _cost(self, groups: Groups) -> int:
        return sum(map(self._within, groups))

    def _around(self) -> Groups:
        """A turn of the circle, with an empty seat where the number is odd: its neighbour joins a pair."""
        seats = self._count + self._count % 2
        turns = seats - 1
        first = self._chance.randrange(turns)
        tried = range(first, first + (turns if seats <= _CIRCLE else 1))
        made = (self._joined(self._turn(seats, turn % turns)) for turn in tried)
        return min(made, key=self._cost)

    def _turn(self, seats: int, turn: int) -> Groups:
        return [[one for one in pair if one < self._count] for pair in circle(seats, turn)]

    def _joined(self, groups: Groups) -> Groups:
        """With the one who is alone in the group where that costs least."""
        alone = next((group for group in groups if len(group) == 1), None)
        if alone is None:
            return groups
        others = [group for group in groups if group is not alone]
        cheapest = min(range(len(others)), key=lambda at: self._within([*others[at], *alone]))
        others[cheapest] = others[cheapest] + alone
        return others

    def _matched(self, people: list[int]) -> Groups:
        """Pairs of an even number of people: the most strangers that are possible, the rest as well as can be."""
        place = {one: at for at, one in enumerate(people)}
        turn = circle(len(people), self._chance.randrange(len(people) - 1))
        groups = self._improved([[people[one], people[other]] for one, other in turn])
        if not self._cost(groups):
            return groups
        partners = [NOBODY] * len(people)
        for one, other in groups:
            if not self._weight(one, other):
                partners[place[one]], partners[place[other]] = place[other], place[one]

        def strangers(at: int) -> Iterable[int]:
            known = self._weights[people[at]]
            return (other for other, person in enumerate(people) if other != at and person not in known)

        complete(partners, strangers)
        pairs = [[people[at], people[other]] for at, other in enumerate(partners) if at < other]
        left = [people[at] for at, partner in enumerate(partners) if partner == NOBODY]
        pairs += [[one, other] for one, other in zip(left[::2], left[1::2], strict=True)]
        return self._improved(pairs)

    def _with_an_odd_one(self) -> Groups:
        odd = self._chance.randrange(self._count)
        pairs = self._matched([one for one in range(self._count) if one != odd])
        return self._improved(self._joined([*pairs, [odd]]))

    def _shuffled(self) -> Groups:
        people = list(range(self._count))
        self._chance.shuffle(people)
        waiting = iter(people)
        return self._improved([[next(waiting) for _ in range(size)] for size in self._shape])

    def _improved(self, groups: Groups) -> Groups:
        """People change places as long as that makes it cheaper."""
        groups = [list(group) for group in groups]
        while sum(self._moved(groups, at) for at in range(len(groups)) if self._within(groups[at])):
            pass
        return groups

    def _moved(self, groups: Groups, at: int) -> bool:
        """Whether one of a group found somebody elsewhere to change places with."""
        others = [other for other in range(len(groups)) if other != at]
        if len(others) > _MOST_TRIED:
            others = self._chance.sample(others, _MOST_TRIED)
        else:
            self._chance.shuffle(others)
        own = self._within(groups[at])
        for other in others:
            before = own + self._within(groups[other])
            for here in range(len(groups[at])):
                for there in range(len(groups[other])):
                    self._change(groups, (at, here), (other, there))
                    if self._within(groups[at]) + self._within(groups[other]) < before:
                        return True
                    self._change(groups, (at, here), (other, there))
        return False

    @staticmethod
    def _change(groups: Groups, one: tuple[int, int], other: tuple[int, int]) -> None:
        (a, here), (b, there) = one, other
        groups[a][here], groups[b][there] = groups[b][there], groups[a][here]

    def _all(self) -> Groups:
        """The cheapest of all ways to group a few people."""
        people = list(range(self._count))
        self._chance.shuffle(people)
        best: tuple[int, Groups] | None = None

        def place(left: list[int], shape: list[int], made: Groups, cost: int) -> None:
            nonlocal best
            if best is not None and cost >= best[0]:
                return
            if not left:
                best = cost, made
                return
            first, *rest = left
            for size in sorted(set(shape)):
                fewer = list(shape)
                fewer.remove(size)
                for with_ in combinations(rest, size - 1):
                    group = [first, *with_]
                    remaining = [one for one in rest if one not in with_]
                    place(remaining, fewer, [*made, group], cost + self._within(group))

        place(people, self._shape, [], 0)
        return best[1] if best else []


def _weights(people: Sequence[str], met: Mapping[tuple[str, str], Met]) -> list[dict[int, int]]:
    """What it costs that somebody meets somebody again; strangers cost nothing.

    Once everybody knows everybody, those are strangers who met least often.
    """
    place = {one: at for at, one in enumerate(people)}
    known = {pair: how for pair, how in met.items() if pair[0] in place and pair[1] in place}
    all_pairs = len(people) * (len(people) - 1) // 2
    least = min(how.times for how in known.values()) if len(known) == all_pairs else 0
    weights: list[dict[int, int]] = [{} for _ in people]
    for (one, other), how in known.items():
        if how.times > least:
            recent = max(0, 1_000 - how.rounds_ago)
            weight = _REPEAT + (how.times - least) * 10**4 + recent
            weights[place[one]][place[other]] = weights[place[other]][place[one]] = weight
    return weights
