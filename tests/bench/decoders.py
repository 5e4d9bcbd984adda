"""Decrypting and decoding notifications: the core on all cores, and a straightforward Python consumer on one.

``python decoders.py COUNT`` prints its figures as JSON. Each notification has a key of its own, so that unwrapping it with RSA
is nearly all of the work: ``openssl speed rsa2048`` says what a core can do.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

OAEP = rsa_padding.OAEP(rsa_padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
LABEL = "bench"


def _certificate(key: rsa.RSAPrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, LABEL)])
    now = dt.datetime.now(dt.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + dt.timedelta(days=1))
    certificate = builder.sign(key, hashes.SHA256())
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private + certificate.public_bytes(serialization.Encoding.PEM)


def _message(number: int) -> dict[str, Any]:
    return {
        "id": str(number),
        "etag": str(number),
        "messageType": "message",
        "createdDateTime": "2026-01-01T00:00:00.123Z",
        "lastModifiedDateTime": "2026-01-01T00:00:00.123Z",
        "deletedDateTime": None,
        "importance": "normal",
        "from": {
            "user": {"id": "8c0a1a67-50ce-4114-bb6c-da9c5dbcf6ca", "displayName": "Ada", "userIdentityType": "aadUser"}
        },
        "body": {"contentType": "html", "content": "<p>" + "A sentence of some length. " * 12 + "</p>"},
        "attachments": [],
        "mentions": [],
        "reactions": [{"reactionType": "like", "createdDateTime": "2026-01-01T00:00:01Z", "user": {"user": {"id": "u"}}}],
        "subject": None,
        "locale": "en-us",
        "webUrl": "https://teams.microsoft.com/l/message/" + "x" * 120,
        "channelIdentity": {"teamId": "t", "channelId": "19:c@thread.tacv2"},
    }


def _item(key: rsa.RSAPrivateKey, number: int) -> dict[str, Any]:
    secret = os.urandom(32)
    padder = padding.PKCS7(128).padder()
    plain = padder.update(json.dumps(_message(number)).encode()) + padder.finalize()
    encryptor = Cipher(algorithms.AES(secret), modes.CBC(secret[:16])).encryptor()
    data = encryptor.update(plain) + encryptor.finalize()
    text = lambda raw: base64.b64encode(raw).decode()  # noqa: E731
    content = {
        "data": text(data),
        "dataSignature": text(hmac.digest(secret, data, "sha256")),
        "dataKey": text(key.public_key().encrypt(secret, OAEP)),
        "encryptionCertificateId": LABEL,
    }
    resource = f"teams('t')/channels('19:c@thread.tacv2')/messages('{number}')"
    return {"subscriptionId": "s", "changeType": "created", "resource": resource, "encryptedContent": content}


def _python(key: rsa.RSAPrivateKey, values: Sequence[bytes]) -> int:
    """What a consumer of a few lines does: unwrap, compare, decrypt, parse."""
    rows = []
    for value in values:
        for item in json.loads(value)["value"]:
            content = item["encryptedContent"]
            secret = key.decrypt(base64.b64decode(content["dataKey"]), OAEP)
            data = base64.b64decode(content["data"])
            signature = base64.b64encode(hmac.new(secret, data, hashlib.sha256).digest()).decode()
            if not hmac.compare_digest(signature, content["dataSignature"]):
                continue
            decryptor = Cipher(algorithms.AES(secret), modes.CBC(secret[:16])).decryptor()
            unpadder = padding.PKCS7(128).unpadder()
            plain = unpadder.update(decryptor.update(data) + decryptor.finalize()) + unpadder.finalize()
            rows.append(json.loads(plain))
    return len(rows)


def _timed(work: Callable[[], int], expected: int) -> dict[str, float]:
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    done = work()
    took, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
    if done != expected:
        raise AssertionError(f"{done} rows of {expected}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"a_second": expected / took, "cpu_microseconds_each": cpu / expected * 1e6}


def main() -> None:
    count = int(sys.argv[1])
    from lakeflow_teams import _core

    key = rsa.generate_private_key(65537, 2048)
    items = [_item(key, number) for number in range(count)]
    values = [json.dumps({"value": items[at : at + 20]}).encode() for at in range(0, count, 20)]
    pem = _certificate(key)
    few = min(count, 2000) // 20

    def core(tables: list[str]) -> int:
        decoder = _core.NotificationDecoder([(table, {}, None) for table in tables], [(LABEL, pem)])
        done = 0
        for at in range(0, len(values), 100):
            done += decoder.decode(values[at : at + 100]).counts["rows"]
        return done

    unwrap = base64.b64decode(items[0]["encryptedContent"]["dataKey"])
    figures = {
        "core, messages": _timed(lambda: core(["messages"]), count),
        "core, messages and their details": _timed(
            lambda: core(["messages", "message_reactions", "message_mentions", "message_attachments"]), count
        ),
        "Python, cryptography and json, one core": _timed(lambda: _python(key, values[:few]), few * 20),
        "RSA alone, cryptography, one core": _timed(lambda: sum(bool(key.decrypt(unwrap, OAEP)) for _ in range(1000)), 1000),
    }
    print(json.dumps({"cores": os.cpu_count(), "figures": figures}))


if __name__ == "__main__":
    main()
