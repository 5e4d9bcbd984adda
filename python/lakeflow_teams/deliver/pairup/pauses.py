"""Who does not want to be matched for now. The bot writes it when somebody clicks, also while a round is being formed.

SQLite, because several processes write to it. A pause lasts until the person ends it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import time

from lakeflow_teams.deliver.pairup.rounds import FOLDER, Rounds
from lakeflow_teams.deliver.yaml_file import refuse

_CREATE = """
create table if not exists pauses (
    pairup text not null, person_id text not null, since integer not null, primary key (pairup, person_id)
)"""
_WAIT_SECONDS = 30.0


@contextmanager
def _open(target: Path) -> Iterator[sqlite3.Connection]:
    folder = target / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(folder / "pauses.sqlite", timeout=_WAIT_SECONDS)) as connection, connection:
        connection.execute(_CREATE)
        yield connection


def pause_pairup(name: str, target: str | Path, user: str) -> bool:
    """Leaves a person out of a pair-up from the next round on; False where they were left out already.

    ``user`` is an object id, or the user principal name of somebody who was in a round. Raises :class:`ConfigurationError`
    for a pair-up that had no round yet, and for a name that nobody had in one.
    """
    person = _person(name, Path(target), user)
    with _open(Path(target)) as connection:
        insert = "insert or ignore into pauses values (?, ?, ?)"
        return connection.execute(insert, (name, person, int(time() * 1000))).rowcount > 0


def resume_pairup(name: str, target: str | Path, user: str) -> bool:
    """Takes a person into a pair-up again from the next round on; False where they were not left out."""
    person = _person(name, Path(target), user)
    with _open(Path(target)) as connection:
        delete = "delete from pauses where pairup = ? and person_id = ?"
        return connection.execute(delete, (name, person)).rowcount > 0


def paused(target: Path, name: str) -> set[str]:
    """Ids of those who pause."""
    if not (target / FOLDER / "pauses.sqlite").is_file():
        return set()
    with _open(target) as connection:
        return {row[0] for row in connection.execute("select person_id from pauses where pairup = ?", (name,))}


def _person(name: str, target: Path, user: str) -> str:
    rounds = Rounds(target, name)
    if not rounds.names():
        refuse(f"target {target}: the pair-up {name!r} had no round yet")
    if "@" not in user:
        return user.strip().lower()
    for one in reversed(rounds.names()):
        for person in rounds.load(one).people:
            if (person.user_principal_name or "").lower() == user.strip().lower():
                return person.id
    return refuse(f"user {user}: nobody of this name was in a round of {name!r}; give the object id")
