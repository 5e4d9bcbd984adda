"""Values of change notifications to Arrow, without a server, a connection or state: what a hub or a file holds.

The same decoder serves :func:`decode` here and :func:`lakeflow_teams.spark.decode_notifications`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakeflow_teams import _core
from lakeflow_teams.options import as_options

if TYPE_CHECKING:
    from datetime import datetime

    from typing_extensions import Unpack

    from lakeflow_teams.options.typed import TableOptions

#: A path (of a file, or of a folder of keys), or what a PEM or PKCS#12 file holds; several of them, or each by its label.
Certificate = str | PathLike[str] | bytes
Certificates = Certificate | Sequence[Certificate] | Mapping[str, Certificate]
Tables = str | Sequence[str] | Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class DecoderSpec:
    """What a decoder is made of: it travels to other processes, which a decoder itself cannot. Keys are not shown."""

    tables: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    certificates: tuple[tuple[str | None, str | bytes], ...] = field(repr=False)
    password: str | None = field(default=None, repr=False)
    client_states: tuple[str, ...] | None = field(default=None, repr=False)

    @classmethod
    def of(
        cls,
        tables: Tables,
        certificate: Certificates,
        *,
        password: str | None = None,
        client_states: Sequence[str] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> DecoderSpec:
        """From what a caller gives. ``options`` are for every table, those of a mapping of tables for one."""
        common = dict(options or {})
        if isinstance(tables, str):
            tables = [tables]
        each = tables if isinstance(tables, Mapping) else {table: {} for table in tables}
        wanted = ((name, tuple(sorted(as_options({**common, **own}).items()))) for name, own in each.items())
        states = None if client_states is None else tuple(client_states)
        return cls(tuple(wanted), tuple(_labelled(certificate)), password, states)

    @property
    def names(self) -> list[str]:
        """The tables, in order."""
        return [name for name, _ in self.tables]

    def make(self) -> _core.NotificationDecoder:
        """The decoder. Paths are read now, where this runs."""
        certificates: list[Any] = []
        for label, source in self.certificates:
            found = _keys_in(source) if label is None else []
            certificates.extend(found or [source if label is None else (label, source)])
        return _core.NotificationDecoder(
            [(name, dict(options), None) for name, options in self.tables],
            certificates,
            password=self.password,
            client_states=self.client_states,
        )


def _labelled(certificate: Certificates) -> Iterable[tuple[str | None, str | bytes]]:
    if isinstance(certificate, Mapping):
        yield from ((label, _plain(source)) for label, source in certificate.items())
    elif isinstance(certificate, (str, bytes, PathLike)):
        yield None, _plain(certificate)
    else:
        yield from ((None, _plain(source)) for source in certificate)


def _plain(source: Certificate) -> str | bytes:
    if isinstance(source, (bytes, bytearray)):
        return bytes(source)
    if isinstance(source, str) and "-----BEGIN" in source:
        return source.encode()
    return str(source)


def _keys_in(source: str | bytes) -> list[tuple[str, str]]:
    """The keys of a folder such as ``_listen/keys``, by their labels."""
    if isinstance(source, bytes) or not Path(source).is_dir():
        return []
    return [(path.stem, str(path)) for path in sorted(Path(source).glob("*.pem"))]


def decode(
    values: Any,
    tables: Tables,
    *,
    certificate: Certificates,
    certificate_password: str | None = None,
    client_states: Sequence[str] | None = None,
    arrived_at: Sequence[datetime | None] | None = None,
    **options: Unpack[TableOptions],
) -> _core.Notifications:
    """Decrypts and decodes change notifications, such as the values of an Event Hub that were captured to files.

    ``values`` are bytes or texts, each a collection as Graph posts it or one item; or an Arrow record batch with the
    columns ``value`` and, if it has it, ``timestamp``. ``tables`` are names, or a mapping from names to their options;
    ``options`` are for all of them, and times are timestamps unless told otherwise, as in :meth:`TeamsClient.read`.
    ``certificate`` is the private key with its certificate: a path (of a file, or of a listener's folder
    ``_listen/keys``), PEM or PKCS#12 bytes, several of these, or a mapping from ``encryptionCertificateId`` to them.
    Items with another clientState than one of ``client_states`` are refused; without them nothing is compared, and what
    proves an item is its signature and the right to write to the hub.

    The result has rows by table, what is told of each row beside it, and counts that say what became of every item. Raises
    :class:`ConfigurationError` for a table that Graph sends no notifications of, and for a certificate that cannot be used.
    """
    spec = DecoderSpec.of(
        tables,
        certificate,
        password=certificate_password,
        client_states=client_states,
        options={"timestamps": "timestamp", **options},
    )
    decoder = spec.make()
    if hasattr(values, "__arrow_c_array__"):
        return decoder.decode_batch(values)
    return decoder.decode([values] if isinstance(values, (str, bytes)) else list(values), arrived_at)
