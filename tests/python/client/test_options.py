"""Python values become option text, and the environment fills what is not given."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from lakeflow_teams import ConfigurationError
from lakeflow_teams.options import as_options, as_text, redacted, whole_number
from lakeflow_teams.options.environment import connection_from_environment


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        (50, "50"),
        (0.5, "0.5"),
        ("a,b", "a,b"),
        (["a", "b"], "a,b"),
        ((1, 2), "1,2"),
        (datetime(2025, 1, 15, 10, 30), "2025-01-15T10:30:00Z"),
        (datetime(2025, 1, 15, 10, 30, tzinfo=timezone(timedelta(hours=2))), "2025-01-15T08:30:00Z"),
        (date(2025, 1, 15), "2025-01-15"),
        (timedelta(minutes=5), "300"),
        (Path("a") / "b", "a/b"),
    ],
)
def test_values_become_text(value, text):
    assert as_text("option", value) == text


@pytest.mark.parametrize("value", [{"a": 1}, b"bytes", object(), ["a,b"]])
def test_what_has_no_text_form_is_refused(value):
    with pytest.raises(ConfigurationError, match="option team_id"):
        as_text("team_id", value)


@pytest.mark.parametrize("value", [True, 12345, 31, 0.5, date(2024, 5, 6), ["a", "b"], b"bytes"])
@pytest.mark.parametrize("name", ["client_secret", "client_certificate", "client_certificate_password", "proxy"])
def test_a_secret_that_is_no_text_is_refused_with_the_quotes_it_needs(name, value):
    with pytest.raises(ConfigurationError, match=f"option {name}: a secret must be text.*write it in quotes") as caught:
        as_options({name: value})
    assert str(value) not in str(caught.value)


def test_a_secret_may_be_text_and_a_certificate_a_path():
    given = {"client_secret": "0x1F", "client_certificate": Path("a.pem")}
    assert as_options(given) == {"client_secret": "0x1F", "client_certificate": "a.pem"}


def test_names_lose_their_case_and_none_is_not_given():
    assert as_options({"Team_ID": "a", "top": None}) == {"team_id": "a"}


@pytest.mark.parametrize("text", ["0", "-1", "ten", "1.5", ""])
def test_whole_numbers(text):
    assert whole_number({}, "top") is None
    with pytest.raises(ConfigurationError, match=f"option top: {text!r} is not a whole number"):
        whole_number({"top": text}, "top")


def test_only_what_is_known_to_be_harmless_is_shown():
    shown = redacted({"tenant_id": "t", "client_secret": "s", "clientsecret": "typo"})
    assert shown == {"tenant_id": "t", "client_secret": "***", "clientsecret": "***"}


def test_the_environment_fills_gaps():
    env = {
        "AZURE_TENANT_ID": "t",
        "AZURE_CLIENT_ID": "c",
        "AZURE_CLIENT_SECRET": "s",
        "AZURE_AUTHORITY_HOST": "https://login.microsoftonline.us/",
        "LAKEFLOW_TEAMS_GRAPH_BASE_URL": "http://127.0.0.1:1",
        "LAKEFLOW_TEAMS_CLIENT_ID": "own",
        "PATH": "x",
    }
    assert connection_from_environment({"tenant_id": "given"}, env) == {
        "tenant_id": "given",
        "client_id": "own",
        "client_secret": "s",
        "authority_host": "https://login.microsoftonline.us",
        "graph_base_url": "http://127.0.0.1:1",
    }


def test_a_given_credential_keeps_the_environments_out():
    env = {"AZURE_CLIENT_SECRET": "s", "AZURE_TENANT_ID": "t"}
    assert connection_from_environment({"managed_identity": "true"}, env) == {"managed_identity": "true", "tenant_id": "t"}
    assert connection_from_environment({}, env, has_credential=True) == {"tenant_id": "t"}


def test_a_misspelt_variable_is_an_error():
    with pytest.raises(ConfigurationError, match="did you mean LAKEFLOW_TEAMS_GRAPH_BASE_URL"):
        connection_from_environment({}, {"LAKEFLOW_TEAMS_GRAPH_BASE_UR": "x"})
