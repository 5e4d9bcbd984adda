"""users.csv and channels.csv: written, opened in a spreadsheet, saved in its own way, and read again."""

from __future__ import annotations

import pytest

from lakeflow_teams.deliver.mapping import (
    MappedContainer,
    MappedUser,
    read_channels,
    read_users,
    write_channels,
    write_users,
)
from lakeflow_teams.deliver.sources.model import SourceError

ADA = MappedUser("U1", "ada@contoso.com", "Ada, Countess of Lovelace", "8b0e4a3c-97a5-4a5a-9d57-1f1d4e2f8a11")
CHANNELS = [
    MappedContainer("C1", "général", "standard", None, "Général", None, "import"),
    MappedContainer("D1", None, "oneOnOne", None, None, None, "skip"),
]


def test_what_is_written_is_read(tmp_path):
    users = [ADA, MappedUser("U2", display_name='="x"&"y"'), MappedUser("=U3", display_name="'quoted'")]
    problems = []
    write_users(tmp_path / "users.csv", users)
    write_channels(tmp_path / "channels.csv", CHANNELS)
    assert list(read_users(tmp_path / "users.csv", problems).values()) == users
    assert list(read_channels(tmp_path / "channels.csv", problems).values()) == CHANNELS
    assert problems == []


def test_no_cell_is_a_formula_and_names_show_in_a_spreadsheet(tmp_path):
    write_users(tmp_path / "users.csv", [MappedUser("U2", display_name="=cmd|' /C calc'!A0")])
    text = (tmp_path / "users.csv").read_bytes()
    assert text.startswith(b"\xef\xbb\xbfsource_id,email,display_name,entra_id\r\n")
    assert b",'=cmd" in text


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_separators_and_encodings_of_spreadsheets(tmp_path, separator, encoding):
    lines = ["source_id,email,display_name,entra_id", "U1,bo@contoso.com,Bø,"]
    (tmp_path / "users.csv").write_text("\r\n".join(lines).replace(",", separator), encoding=encoding)
    problems = []
    assert read_users(tmp_path / "users.csv", problems) == {"U1": MappedUser("U1", "bo@contoso.com", "Bø")}
    assert problems == []


def test_a_bad_row_is_named_by_its_line_and_costs_itself_only(tmp_path):
    (tmp_path / "users.csv").write_text(
        "source_id,email,display_name,entra_id\n"
        'U1,,"Ada\nLovelace",\n'
        "U1,,again,\n"
        ",no@id.com,,\n"
        "U2,,,not-a-guid\n"
        "\n"
        "U3,a,b\n"
        "U4,,,\n"
    )
    problems = []
    assert list(read_users(tmp_path / "users.csv", problems)) == ["U1", "U4"]
    assert [problem.where for problem in problems] == [f"users.csv line {line}" for line in (4, 5, 6, 8)]
    assert "stands in line 2 already" in problems[0].what
    assert "not-a-guid" in problems[2].what
    assert all(problem.remedy for problem in problems)


def test_actions_and_kinds_are_known_ones(tmp_path):
    (tmp_path / "channels.csv").write_text("source_id,kind,action\nC1,standart,import\nC2,,ignore\nC3,private,skip\n")
    problems = []
    assert read_channels(tmp_path / "channels.csv", problems) == {"C3": MappedContainer("C3", kind="private", action="skip")}
    assert "did you mean standard?" in problems[0].what
    assert "import, skip" in problems[1].remedy


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no header"),
        ("id,email\n", "no column source_id"),
        ("source_id,emial\n", "did you mean email?"),
        ("source_id,email,email\n", "twice"),
    ],
)
def test_a_file_that_is_no_mapping_is_refused(tmp_path, text, says):
    (tmp_path / "users.csv").write_text(text)
    with pytest.raises(SourceError, match=r"users\.csv") as refused:
        read_users(tmp_path / "users.csv", [])
    assert says in str(refused.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SourceError, match="check the path"):
        read_users(tmp_path / "nowhere.csv", [])
