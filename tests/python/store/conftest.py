"""A server of each kind for a whole run of tests, and each test's own place in it."""

from __future__ import annotations

import pytest

from support.stores import s3_server


@pytest.fixture(scope="session")
def s3_process():
    with s3_server() as server:
        yield server


@pytest.fixture
def s3(s3_process, monkeypatch):
    """The server, with its credentials in the environment and no faults."""
    for name, value in s3_process.environment.items():
        monkeypatch.setenv(name, value)
    s3_process.faults()
    return s3_process
