"""Event Hubs by the Kafka protocol: against the mock broker that librdkafka brings."""

from __future__ import annotations

import threading

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from lakeflow_teams import ConfigurationError, GraphEmulator
from lakeflow_teams.listen import kafka, settings
from lakeflow_teams.listen.kafka import Reader
from lakeflow_teams.listen.service import Service
from lakeflow_teams.listen.status import status
from lakeflow_teams.spec.pipeline import load
from support.lakehouse import entry, pipeline
from support.listening import MESSAGES, equal, wait_for

TOPIC = "notifications"


@pytest.fixture
def graph():
    with GraphEmulator(teams=1, channels_per_team=2, messages_per_channel=8, users=6, chats=1, big_threads=0) as emulator:
        yield emulator


@pytest.fixture
def broker():
    """A producer that is the broker too, and its address."""
    producer = Producer({"bootstrap.servers": "ignored", "test.mock.num.brokers": 1, "log_level": 0})
    host = wait_for(lambda: next((str(one) for one in producer.list_topics(timeout=30).brokers.values()), None))
    yield producer, host.split("/")[0]
    producer.flush(5)


def deliver(graph, producer):
    """What Graph sent to the hub since the last time."""
    values = graph.hub_values(TOPIC)
    for value in values:
        producer.produce(TOPIC, value)
    producer.produce(TOPIC, b"no notification")
    producer.flush(5)
    return len(values) + 1


def test_values_are_merged_and_offsets_follow_the_rows(graph, broker, tmp_path):
    producer, servers = broker
    hub = settings.hub(f"contoso-teams/{TOPIC}")
    spec = load(pipeline(*(entry(table) for table in MESSAGES)))
    asked = settings.Settings(hub=hub, hub_tenant="contoso.com", merge_seconds=0.1)

    def run(seconds_after):
        service = Service(spec, tmp_path, asked, graph.options)
        reader = Reader(service, kafka.source(hub, servers, TOPIC))
        service.start()
        thread = threading.Thread(target=reader.run)
        thread.start()
        try:
            seconds_after()
        finally:
            service.end()
            thread.join(60)
            assert service.stop(10.0)

    def first():
        wait_for(graph.subscriptions)
        graph.mutate(new_messages=3, edits=2, deletes=1, late_replies=1)
        sent.append(deliver(graph, producer))
        wait_for(lambda: equal(graph, tmp_path))
        wait_for(lambda: _committed(servers, tmp_path) == sum(sent))

    # A hub is there before it is read.
    sent = [deliver(graph, producer)]
    run(first)
    graph.mutate(new_messages=2)
    sent.append(deliver(graph, producer))

    def second():
        wait_for(lambda: equal(graph, tmp_path))
        wait_for(lambda: _committed(servers, tmp_path) == sum(sent))

    run(second)
    assert status(tmp_path)["losses_found"] == 0


class _Restarting:
    """A consumer whose broker fails at first, at everything that can."""

    def __init__(self, consumer):
        self._consumer = consumer
        self.failed = []

    def __getattr__(self, name):
        call = getattr(self._consumer, name)
        if name not in {"list_topics", "committed", "commit", "get_watermark_offsets"} or name in self.failed:
            return call

        def fail(*_args, **_named):
            self.failed.append(name)
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))

        return fail


def test_a_broker_that_restarts_is_waited_for_and_nothing_is_lost(graph, broker, tmp_path, monkeypatch):
    monkeypatch.setattr(kafka, "_RETRY_SECONDS", 0.1)
    producer, servers = broker
    hub = settings.hub(f"contoso-teams/{TOPIC}")
    sent = deliver(graph, producer)
    asked = settings.Settings(hub=hub, hub_tenant="contoso.com", merge_seconds=0.1)
    service = Service(load(pipeline(*(entry(table) for table in MESSAGES))), tmp_path, asked, graph.options)
    reader = Reader(service, kafka.source(hub, servers, TOPIC))
    reader._consumer = restarting = _Restarting(reader._consumer)
    service.start()
    thread = threading.Thread(target=reader.run)
    thread.start()
    try:
        wait_for(graph.subscriptions)
        graph.mutate(new_messages=3, edits=2)
        sent += deliver(graph, producer)
        wait_for(lambda: equal(graph, tmp_path))
        wait_for(lambda: _committed(servers, tmp_path) == sent)
        wait_for(lambda: len(restarting.failed) == 4)
    finally:
        service.end()
        thread.join(60)
        assert service.stop(10.0)


def _committed(servers, folder):
    consumer = Consumer({"bootstrap.servers": servers, "group.id": kafka.group(folder / "_listen")})
    try:
        offset = consumer.committed([TopicPartition(TOPIC, partition) for partition in range(4)], timeout=30)
        return sum(each.offset for each in offset if each.offset > 0)
    finally:
        consumer.close()


def test_settings_come_from_the_environment_and_a_hub_has_those_of_azure():
    hub = settings.hub("contoso-teams.servicebus.windows.net/in")
    found = kafka.source(hub, None, None).settings({"LAKEFLOW_TEAMS_KAFKA_SASL_PASSWORD": "Endpoint=sb://x"})
    assert found["bootstrap.servers"] == "contoso-teams.servicebus.windows.net:9093"
    assert (found["sasl.username"], found["sasl.password"], found["enable.auto.commit"]) == (
        "$ConnectionString",
        "Endpoint=sb://x",
        False,
    )
    assert (
        hub.address("contoso.com")
        == "EventHub:https://contoso-teams.servicebus.windows.net/eventhubname/in?tenantId=contoso.com"
    )
    with pytest.raises(ConfigurationError, match="SASL_PASSWORD"):
        kafka.source(hub, None, None).settings({})
    plain = kafka.source(None, "127.0.0.1:9092", "t").settings({"LAKEFLOW_TEAMS_KAFKA_GROUP_ID": "mine"})
    assert (plain["group.id"], "sasl.username" in plain) == ("mine", False)
    for asked in ((None, "h:1", None), (hub, None, "t")):
        with pytest.raises(ConfigurationError, match="topic"):
            kafka.source(*asked)
