"""Why a store said no, and what helps, in one line. Nothing that could be a secret is in it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lakeflow_teams.options.redaction import HIDDEN
from lakeflow_teams.store.address import BucketAddress, Kind

_NAMES: dict[Kind, str] = {"s3": "S3", "azure": "Azure", "gcs": "Google Cloud Storage"}
_VARIABLES: dict[Kind, str] = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (with AWS_SESSION_TOKEN where they are temporary), or AWS_PROFILE",
    "azure": "AZURE_STORAGE_ACCOUNT_KEY, AZURE_STORAGE_SAS_KEY, or AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET",
    "gcs": "GOOGLE_SERVICE_ACCOUNT or GOOGLE_APPLICATION_CREDENTIALS, the path of a key file",
}
_RIGHTS: dict[Kind, str] = {
    "s3": "s3:ListBucket, s3:GetObject, s3:PutObject and s3:DeleteObject",
    "azure": "the role Storage Blob Data Contributor (OneLake: Contributor of the workspace)",
    "gcs": "the role Storage Object User",
}

_SHORTEST_SECRET = 8
_CODE = re.compile(r"<Code>(\w+)</Code>|x-ms-error-code[\"': ]+(\w+)|\"code\": ?\"(\w+)\"")
_STATUS = re.compile(r"(?:status(?: code)?:? )?\b([45]\d\d) [A-Z][a-z]+")
_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
_QUERY = re.compile(r"\?[^\s\"'<>)]*")

_EXPIRED = ("ExpiredToken", "TokenRefreshRequired", "ExpiredAuthenticationToken", "RequestExpired", "token is expired")
#: What a message holds, and what it means; the first that fits. In the meaning ``what`` is the bucket's kind, ``bucket`` its
#: name, ``store`` the store's, ``code`` the one it answered with, and ``text`` the beginning of the message.
_MEANINGS: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("NoSuchBucket", "ContainerNotFound", "FilesystemNotFound", "the specified bucket does not exist"),
        "there is no {what} {bucket}; create it, or correct the target, the account, the region or the endpoint",
    ),
    (
        _EXPIRED,
        "the credentials of {store} have expired ({code}); renew them and run again, which goes on from here",
    ),
    (
        ("Account must be specified",),
        "no storage account is named; set AZURE_STORAGE_ACCOUNT_NAME, or azure_storage_account_name in storage_options",
    ),
    (
        (
            "169.254.169.254",
            "metadata.google",
            "computeMetadata",
            "/latest/api/token",
            "identity/oauth2/token",
            "Missing AccessKeyId",
            "Missing SecretAccessKey",
            "CredentialsNotLoaded",
        ),
        "there are no credentials for {store}; set {variables}, or storage_options in the pipeline file",
    ),
    (
        (
            "InvalidAccessKeyId",
            "SignatureDoesNotMatch",
            "InvalidToken",
            "AuthenticationFailed",
            "InvalidAuthenticationInfo",
            "NoAuthenticationInformation",
            "Invalid Access Key",
            "GCP credential error",
            "invalid_client",
            "invalid_grant",
            "401 Unauthorized",
        ),
        "{store} does not accept the credentials ({code}); check {variables}, or storage_options",
    ),
    (
        ("PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "301 Moved"),
        "the bucket is in another region ({code}); set AWS_REGION, or aws_region in storage_options, to its region",
    ),
    (
        ("BadScheme", "URL scheme is not allowed", "builder error"),
        "its endpoint is no https address; for a test server on http set allow_http: true in storage_options",
    ),
    (
        ("SlowDown", "ServerBusy", "503 Service", "429 Too", "OperationTimedOut"),
        "{store} is busy and refused every repeat ({code}); run again later, which goes on from here",
    ),
    (
        ("403 Forbidden", "AccessDenied", "PermissionDenied", "AuthorizationFailure", "AuthorizationPermissionMismatch"),
        "{store} refuses ({code}); the credentials need {rights}",
    ),
    (
        ("error sending request", "dns error", "Connect", "operation timed out", "connection closed"),
        "{store} cannot be reached ({text}); check the network, the region and the endpoint",
    ),
    (("",), "{store} refuses ({text})"),
)
_STORE_ERROR = re.compile(
    r"Generic (S3|MicrosoftAzure|GCS|Config) error|Error performing (GET|PUT|POST|HEAD|DELETE)|Object at location"
)


def is_from_store(error: BaseException) -> bool:
    """Whether the error is a store's, told by deltalake or obstore."""
    return _STORE_ERROR.search(str(error)) is not None


def line(address: BucketAddress, options: Mapping[str, str], error: BaseException) -> str:
    """``target``, reason and remedy for an error of the store at ``address``, opened with these options.

    Libraries quote a value that they cannot use, and it may be a secret under the wrong name.
    """
    text = _ESCAPE.sub("", str(error))
    for value in options.values():
        if len(value) >= _SHORTEST_SECRET and not value.startswith("http"):
            text = text.replace(value, HIDDEN)
    return f"target {address.url}: {_why(address, text)}"


def _why(address: BucketAddress, text: str) -> str:
    meaning = next(meaning for signs, meaning in _MEANINGS if any(sign in text for sign in signs))
    return meaning.format(
        what="container" if address.kind == "azure" else "bucket",
        bucket=address.bucket,
        store=_NAMES[address.kind],
        variables=_VARIABLES[address.kind],
        rights=_RIGHTS[address.kind],
        code=_code(text),
        text=_short(text),
    )


def _code(text: str) -> str:
    found = _CODE.search(text)
    if found:
        return next(group for group in found.groups() if group)
    status = _STATUS.search(text)
    return status.group(0) if status else "no code"


def _short(text: str) -> str:
    """The first sentence, without what a link carries behind its question mark."""
    first = " ".join(text.split("Debug source:", maxsplit=1)[0].split())
    return _QUERY.sub("", first)[:200]
