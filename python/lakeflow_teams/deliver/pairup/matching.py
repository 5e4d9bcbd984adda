"""Pairs in a graph: as many as there can be.

Two well-known algorithms: the circle method of tournaments, which gives all pairs of a fixed circle of people in the fewest
rounds, and Edmonds' search for augmenting paths (Paths, Trees, and Flowers, 1965), which finds a maximum matching.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

#: No partner.
NOBODY = -1


def circle(people: int, turn: int) -> list[tuple[int, int]]:
    """The pairs of one turn of an even number of people; ``people - 1`` turns bring everybody together once."""
    round_table = people - 1
    seats = [(turn + seat) % round_table for seat in range(round_table)]
    pairs = [(seats[0], people - 1)]
    pairs += [(seats[seat], seats[-seat]) for seat in range(1, people // 2)]
    return pairs


def complete(partners: list[int], fits: Callable[[int], Iterable[int]]) -> None:
    """Makes a matching maximum. ``partners`` names everybody's partner, or nobody; whoever has one keeps having one.

    ``fits`` gives the people that somebody may be matched with; it is symmetric.
    """
    for one in range(len(partners)):
        if partners[one] == NOBODY:
            _Search(partners, fits).augment(one)


class _Search:
    """A search for a path from somebody without a partner to another one, along which partners are exchanged."""

    def __init__(self, partners: list[int], fits: Callable[[int], Iterable[int]]) -> None:
        count = len(partners)
        self._partners = partners
        self._fits = fits
        #: From where somebody at an odd place of the path was reached.
        self._before = [NOBODY] * count
        #: Of a circle of odd length, which counts as one person, the place where it was entered.
        self._entry = list(range(count))
        self._is_even = [False] * count
        self._queue: deque[int] = deque()

    def augment(self, root: int) -> None:
        self._reach(root)
        while self._queue:
            one = self._queue.popleft()
            for other in self._fits(one):
                if self._entry[one] == self._entry[other] or self._partners[one] == other:
                    continue
                if self._is_even[other]:
                    self._shrink(one, other)
                elif self._before[other] == NOBODY:
                    self._before[other] = one
                    if self._partners[other] == NOBODY:
                        self._exchange(other)
                        return
                    self._reach(self._partners[other])

    def _reach(self, one: int) -> None:
        if not self._is_even[one]:
            self._is_even[one] = True
            self._queue.append(one)

    def _exchange(self, last: int) -> None:
        while last != NOBODY:
            one = self._before[last]
            following = self._partners[one]
            self._partners[last], self._partners[one] = one, last
            last = following

    def _shrink(self, one: int, other: int) -> None:
        """A circle of odd length is found: everybody in it can be reached at an even place."""
        entry = self._meeting(one, other)
        circle: set[int] = set()
        self._walk(one, other, entry, circle)
        self._walk(other, one, entry, circle)
        for person, known in enumerate(self._entry):
            if known in circle:
                self._entry[person] = entry
                self._reach(person)

    def _meeting(self, one: int, other: int) -> int:
        """Where the ways back of two people meet."""
        passed = set()
        while True:
            one = self._entry[one]
            passed.add(one)
            if self._partners[one] == NOBODY:
                break
            one = self._before[self._partners[one]]
        while self._entry[other] not in passed:
            other = self._before[self._partners[self._entry[other]]]
        return self._entry[other]

    def _walk(self, one: int, reached_from: int, entry: int, circle: set[int]) -> None:
        while self._entry[one] != entry:
            partner = self._partners[one]
            circle.update((self._entry[one], self._entry[partner]))
            self._before[one] = reached_from
            reached_from, one = partner, self._before[partner]
