"""A server of each kind for a whole run of tests, and each test's own place in it."""

from __future__ import annotations

import pytest

from support.stores import Google, azurite_server, s3_server


@pytest.fixture(scope="session")
def s3_process():
    with s3_server() as server:
        yield server


@pytest.fixture
def s3(s3_process, monkeypatch):
    """The server, with its credentials in the environment and no faults."""
    _known(s3_process, monkeypatch)
    s3_process.faults()
    return s3_process


@pytest.fixture(scope="session")
def azurite_process():
    with azurite_server() as server:
        yield server


@pytest.fixture
def azure(azurite_process, monkeypatch):
    """Azurite, with its credentials in the environment."""
    _known(azurite_process, monkeypatch)
    return azurite_process


@pytest.fixture
def google(s3_process, monkeypatch):
    """A server of Google's dialect, with its credentials in the environment."""
    google = Google(s3_process)
    _known(google, monkeypatch)
    s3_process.faults()
    return google


def _known(server, monkeypatch):
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
