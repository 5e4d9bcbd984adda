"""Full-text search over rows, by SQLite's FTS5 (https://sqlite.org/fts5.html): words, their stems, ranked by BM25."""

import re
import sqlite3
from dataclasses import dataclass

#: Words that say nothing about what is asked.
STOP = frozenset(
    "a an and are can do does for how i in is it me my of on or the to we what when where which who with you your".split()  # noqa: SIM905
)
#: The best hit is taken where it is so much better than the next one, and has so many of the words.
CLEARLY_BETTER = 1.5
ENOUGH_WORDS = 0.5


@dataclass(frozen=True)
class Hits:
    """What was found, the best first."""

    rows: list
    is_sure: bool


class Index:
    """Rows that can be searched by the text in some of their columns; the first of them counts most."""

    def __init__(self, rows, columns):
        self._rows = list(rows)
        self._columns = columns
        self._texts = sqlite3.connect(":memory:", check_same_thread=False)
        names = ", ".join(f"c{at}" for at in range(len(columns)))
        self._texts.execute(
            f"create virtual table texts using fts5 ({names}, tokenize = 'porter unicode61 remove_diacritics 2')"
        )
        marks = ", ".join("?" for _ in columns)
        texts = [[row[column] for column in columns] for row in self._rows]
        self._texts.executemany(f"insert into texts values ({marks})", texts)

    def search(self, text, limit=3):
        """The rows that have some of the words."""
        words = [word for word in re.findall(r"\w+", text.lower()) if word not in STOP]
        if not words:
            return Hits([], is_sure=False)
        # Quoted, so that nothing of what people write is read as a query.
        query = " OR ".join(f'"{word}"*' for word in words)
        weights = ", ".join(["4"] + ["1"] * (len(self._columns) - 1))
        ranked = f"select rowid, -bm25(texts, {weights}) from texts where texts match ? order by 2 desc, rowid limit ?"
        found = self._texts.execute(ranked, (query, limit)).fetchall()
        rows = [self._rows[at - 1] for at, _ in found]
        clear = len(found) == 1 or (len(found) > 1 and found[0][1] >= CLEARLY_BETTER * found[1][1])
        return Hits(rows, is_sure=bool(rows) and clear and self._share(words, found[0][0]) >= ENOUGH_WORDS)

    def _share(self, words, row):
        """How many of the words a row has."""
        has = "select 1 from texts where texts match ? and rowid = ?"
        return sum(bool(self._texts.execute(has, (f'"{word}"*', row)).fetchone()) for word in words) / len(words)
