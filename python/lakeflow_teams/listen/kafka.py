"""Values of an Event Hub, or of any Kafka broker that gets them: read, merged, and only then committed.

Needs the extra ``kafka``. Settings of the client come from ``LAKEFLOW_TEAMS_KAFKA_*``, such as
``LAKEFLOW_TEAMS_KAFKA_SASL_PASSWORD`` for ``sasl.password``. For an Event Hub the others are set as Azure documents them
(https://learn.microsoft.com/azure/event-hubs/apache-kafka-configurations).
"""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from lakeflow_teams import _core
from lakeflow_teams.listen.files import read_json, replace_json
from lakeflow_teams.listen.service import Service
from lakeflow_teams.listen.settings import Hub

if TYPE_CHECKING:
    from confluent_kafka import Consumer, Message

_log = logging.getLogger(__name__)

PREFIX = "LAKEFLOW_TEAMS_KAFKA_"
_STATE = "kafka.json"
#: The hub ends a connection that is idle for 240 seconds.
_HUB_SETTINGS = {
    "security.protocol": "SASL_SSL",
    "sasl.mechanism": "PLAIN",
    "sasl.username": "$ConnectionString",
    "metadata.max.age.ms": 180_000,
    "connections.max.idle.ms": 180_000,
    "socket.timeout.ms": 60_000,
}
_MOST_VALUES = 500
_WAIT_SECONDS = 0.5
_RETRY_SECONDS = 2.0
_TIMEOUT_SECONDS = 10.0
#: How often partitions are looked at: a hub can get more of them.
_LOOK_SECONDS = 180.0


@dataclass(frozen=True)
class Source:
    """Where values are read."""

    servers: str
    topic: str
    hub: Hub | None = None

    def settings(self, environment: Mapping[str, str], group: str = "") -> dict[str, Any]:
        """What the client is configured with. Raises :class:`ConfigurationError` where a hub lacks its secret."""
        given = {
            name[len(PREFIX) :].lower().replace("_", "."): value
            for name, value in environment.items()
            if name.startswith(PREFIX) and value
        }
        if self.hub is not None and "sasl.password" not in given and given.get("sasl.mechanism", "PLAIN") == "PLAIN":
            raise _core.ConfigurationError(
                f"event hub {self.hub.namespace}/{self.hub.name}: set {PREFIX}SASL_PASSWORD to a connection string with the "
                "right Listen"
            )
        base: dict[str, Any] = dict(_HUB_SETTINGS) if self.hub is not None else {}
        fixed = {"bootstrap.servers": self.servers, "enable.auto.commit": False, "enable.auto.offset.store": False}
        return {"group.id": group, "auto.offset.reset": "earliest", **base, **given, **fixed}


def source(hub: Hub | None, servers: str | None, topic: str | None) -> Source:
    """Where to read: what is named, else the hub itself. Raises :class:`ConfigurationError`."""
    if servers is None:
        if hub is None or topic is not None:
            raise _core.ConfigurationError("kafka: --topic goes with --kafka HOST:PORT")
        return Source(f"{hub.host}:9093", hub.name, hub)
    if topic is None and hub is None:
        raise _core.ConfigurationError("kafka: say which topic holds the notifications: --topic NAME")
    return Source(servers, topic or (hub.name if hub else ""), None)


def group(folder: Path) -> str:
    """The name that a target's offsets are kept under: every lakehouse reads all of a hub."""
    known = read_json(folder / _STATE).get("group")
    if known is None:
        known = f"lakeflow-teams-{secrets.token_hex(6)}"
        replace_json(folder / _STATE, {"group": known})
    return str(known)


class Reader:
    """Reads values until it is told to end."""

    def __init__(self, service: Service, source: Source) -> None:
        from confluent_kafka import Consumer, KafkaException

        self._service = service
        try:
            self._consumer: Consumer = Consumer(source.settings(os.environ, group(service.folder)))
        except (KafkaException, ValueError, TypeError) as error:
            raise _core.ConfigurationError(f"kafka: the client refuses its settings: {_text(error)}") from None
        self._topic = source.topic
        self._at_end = False
        self._looked_at = -_LOOK_SECONDS
        service.reads_elsewhere()

    def run(self) -> None:
        """Offsets are committed after the rows are, so that what is read again merges into itself."""
        from confluent_kafka import KafkaException

        try:
            while not self._service.stopping:
                try:
                    self._once()
                except KafkaException as error:  # noqa: PERF203  (a hub restarts for minutes, and then goes on)
                    _log.error("kafka: topic %s: %s", self._topic, _text(error))
                    self._service.pause(_RETRY_SECONDS)
        finally:
            self._consumer.close()

    def _once(self) -> None:
        if monotonic() - self._looked_at > _LOOK_SECONDS:
            self._assign()
        messages = self._some()
        if not messages and not self._at_end and self._is_at_end():
            self._at_end = True
            self._service.caught_up()
        if messages and not self._take(messages):
            self._rewind(messages)

    def _assign(self) -> None:
        """Takes all partitions, also those that came since.

        There is one reader per target, so that it joins no group and waits for none; offsets are kept under its name.
        """
        from confluent_kafka import KafkaException, TopicPartition

        found = self._consumer.list_topics(self._topic, timeout=_TIMEOUT_SECONDS).topics[self._topic]
        if found.error is not None:
            raise KafkaException(found.error)
        if len(found.partitions) != len(self._consumer.assignment()):
            wanted = [TopicPartition(self._topic, each) for each in found.partitions]
            # Those that have an offset go on there, the others from their beginning.
            self._consumer.assign(self._consumer.committed(wanted, timeout=_TIMEOUT_SECONDS))
        self._looked_at = monotonic()

    def _is_at_end(self) -> bool:
        """Whether everything that was there is merged and committed."""
        for each in self._consumer.committed(self._consumer.assignment(), timeout=_TIMEOUT_SECONDS):
            low, high = self._consumer.get_watermark_offsets(each, timeout=_TIMEOUT_SECONDS)
            if max(low, each.offset) < high:
                return False
        return True

    def _some(self) -> list[Message]:
        begin = monotonic()
        messages = self._consumer.consume(_MOST_VALUES, _WAIT_SECONDS)
        for message in messages:
            if (error := message.error()) is not None:
                _log.error("kafka: %s", _text(error))
        pause = self._service.settings.merge_seconds - (monotonic() - begin)
        if messages and len(messages) < _MOST_VALUES and pause > 0:
            messages += self._consumer.consume(_MOST_VALUES - len(messages), pause)
        return [message for message in messages if message.error() is None]

    def _take(self, messages: Sequence[Message]) -> bool:
        from confluent_kafka import KafkaException

        values = [message.value() or b"" for message in messages]
        batch = self._service.core.decode(values, [_time(message) for message in messages])
        if not self._service.take(batch):
            return False
        try:
            self._consumer.commit(offsets=_after(messages), asynchronous=False)
        except KafkaException as error:
            # Merged once more, they are the same rows; but what is not committed is never read to its end.
            _log.error("kafka: topic %s: %s", self._topic, _text(error))
            return False
        return True

    def _rewind(self, messages: Sequence[Message]) -> None:
        from confluent_kafka import TopicPartition

        first: dict[int, int] = {}
        for message in messages:
            partition, offset = message.partition() or 0, message.offset() or 0
            first[partition] = min(offset, first.get(partition, offset))
        for partition, offset in first.items():
            self._consumer.seek(TopicPartition(self._topic, partition, offset))
        self._service.pause(_RETRY_SECONDS)


def _after(messages: Sequence[Message]) -> list[Any]:
    from confluent_kafka import TopicPartition

    last: dict[tuple[str, int], int] = {}
    for message in messages:
        place = (message.topic() or "", message.partition() or 0)
        last[place] = max(message.offset() or 0, last.get(place, 0))
    return [TopicPartition(topic, partition, offset + 1) for (topic, partition), offset in last.items()]


def _time(message: Message) -> datetime | None:
    kind, milliseconds = message.timestamp()
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc) if kind and milliseconds > 0 else None


def _text(error: object) -> str:
    return " ".join(str(error).split())
