"""What a target names is decided by its text alone, and what may be a secret in it is not shown again."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakeflow_teams import ConfigurationError
from lakeflow_teams.store.address import BucketAddress, parse

ONELAKE = "onelake.dfs.fabric.microsoft.com"


@pytest.mark.parametrize(
    ("target", "kind", "url", "bucket", "path", "account"),
    [
        ("s3://bucket/lake/", "s3", "s3://bucket/lake", "bucket", "lake", None),
        ("s3:/bucket/lake", "s3", "s3://bucket/lake", "bucket", "lake", None),  # what is left of it as a path
        ("S3A://bucket", "s3", "s3a://bucket", "bucket", "", None),
        ("gs://bucket/a/b", "gcs", "gs://bucket/a/b", "bucket", "a/b", None),
        ("az://container/lake", "azure", "az://container/lake", "container", "lake", None),
        (
            "abfss://c@acc.dfs.core.windows.net/lake",
            "azure",
            "abfss://c@acc.dfs.core.windows.net/lake",
            "c",
            "lake",
            "acc",
        ),
        (
            "https://acc.blob.core.windows.net/c/lake",
            "azure",
            "abfss://c@acc.blob.core.windows.net/lake",
            "c",
            "lake",
            "acc",
        ),
        (
            f"https://{ONELAKE}/my%20work/x.Lakehouse/Files",
            "azure",
            f"abfss://my%20work@{ONELAKE}/x.Lakehouse/Files",
            "my work",
            "x.Lakehouse/Files",
            "onelake",
        ),
        (
            f"abfss://ws@{ONELAKE}/x.Lakehouse/Files",
            "azure",
            f"abfss://ws@{ONELAKE}/x.Lakehouse/Files",
            "ws",
            "x.Lakehouse/Files",
            "onelake",
        ),
    ],
)
def test_a_store_is_told_by_its_address(target, kind, url, bucket, path, account):
    expected = BucketAddress(kind, url, bucket, path, account, is_onelake=account == "onelake")
    assert parse(target) == expected


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("lakehouse/demo", "lakehouse/demo"),
        ("/tmp/a:b", "/tmp/a:b"),
        ("C:/lake", "C:/lake"),
        ("file:///tmp/my%20lake", "/tmp/my lake"),
        ("dbfs:/Volumes/main/teams/lake", "/Volumes/main/teams/lake"),
        ("dbfs:/lake", "/dbfs/lake"),
        ("/Volumes/main/teams/lake", "/Volumes/main/teams/lake"),
    ],
)
def test_everything_else_is_a_folder(target, path):
    assert parse(target) == path
    assert parse(str(Path(target))) == str(Path(path))


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("abfsss://c@a/lake", "target abfsss://...@a/lake: there is no store with the scheme abfsss; did you mean abfss?"),
        ("ftp://host/lake", "no store with the scheme ftp; known are s3, "),
        ("s3:///lake", "it names no bucket"),
        ("az:///lake", "it names no container"),
        ("https://bucket.s3.eu-west-1.amazonaws.com/lake", "name others by a scheme such as s3"),
        ("https://acc.dfs.core.windows.net", "of https addresses"),
        ("az://c/lake?sv=1&sig=HIDDEN", "a SAS token belongs in AZURE_STORAGE_SAS_KEY"),
        ("https://acc.blob.core.windows.net/c?sig=HIDDEN", "target https://acc.blob.core.windows.net/c: leave out"),
        ("s3://AKIA:HIDDEN@bucket/lake", "target s3://...@bucket/lake: credentials do not belong in it"),
        ("abfss://c:HIDDEN@acc.dfs.core.windows.net/lake", "credentials do not belong in it"),
        ("s3://[HIDDEN/lake", "it is not a URL"),
    ],
)
def test_what_is_no_target_is_refused_in_one_line_without_its_secret(target, message):
    with pytest.raises(ConfigurationError) as caught:
        parse(target)
    assert message in str(caught.value)
    assert "HIDDEN" not in str(caught.value)
    assert "\n" not in str(caught.value)
