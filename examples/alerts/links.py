"""Addresses that prove who asked for them: the parameters are signed, and good for a quarter of an hour."""

import hashlib
import hmac
import time
from urllib.parse import urlencode

LIFETIME_SECONDS = 900


class Links:
    """Makes and checks them, with a secret of the product's own."""

    def __init__(self, site, secret):
        self._site = site.rstrip("/")
        self._secret = secret.encode()

    def link(self, user_id):
        """Where somebody in Teams goes to say who they are here."""
        expires = int(time.time()) + LIFETIME_SECONDS
        return f"{self._site}/link?" + urlencode(
            {"user": user_id, "expires": expires, "signature": self._sign(user_id, expires)}
        )

    def is_good(self, user_id, expires, signature):
        """Whether the parameters are ours, and not too old."""
        good = hmac.compare_digest(self._sign(user_id, expires).encode(), signature.encode())
        return good and time.time() <= int(expires)

    def _sign(self, user_id, expires):
        return hmac.new(self._secret, f"link\n{user_id}\n{expires}".encode(), hashlib.sha256).hexdigest()
