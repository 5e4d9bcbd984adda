"""kill -9 at random moments of ingests into a store: after running again, every table equals the truth."""

from __future__ import annotations

import pytest

from support.killing import check_ten_kills_each


@pytest.mark.slow
@pytest.mark.stores
def test_ten_kills_of_a_first_ingest_and_ten_of_an_increment(s3):
    check_ten_kills_each(s3.target(), s3.target())
