"""A real Kafka broker of one node, whose jars Maven brings."""

from __future__ import annotations

import base64
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from confluent_kafka.admin import AdminClient

from support.listening import free_port, wait_for

COORDINATES = ("org.apache.kafka", "kafka_2.13", "4.1.1")
_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>tests</groupId><artifactId>broker</artifactId><version>1</version><dependencies><dependency>
<groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency></dependencies></project>"""


def jars(folder):
    """The broker's jars, or ``None`` where there is no Maven."""
    maven = shutil.which("mvn")
    if maven is None or shutil.which("java") is None:
        return None
    folder.mkdir(parents=True)
    (folder / "pom.xml").write_text(_POM.format(*COORDINATES), encoding="utf-8")
    command = [maven, "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={folder / 'jars'}"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=600)
    return folder / "jars"


@contextmanager
def broker(found: Path, folder: Path):
    """Runs a broker, and gives its address."""
    port, controller = free_port(), free_port()
    settings = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "log.dirs": folder / "log",
        "offsets.topic.replication.factor": 1,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "group.initial.rebalance.delay.ms": 0,
    }
    folder.mkdir(parents=True)
    file = folder / "broker.properties"
    file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), encoding="utf-8")
    java = ["java", "-Xmx512m", "-cp", f"{found}/*"]
    cluster = base64.urlsafe_b64encode(uuid4().bytes).decode().rstrip("=")
    subprocess.run(
        [*java, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(file)], check=True, capture_output=True
    )
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen([*java, "kafka.Kafka", str(file)], stdout=out, stderr=out)
    try:
        address = f"127.0.0.1:{port}"
        wait_for(lambda: _answers(address), 60)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=60)


def _answers(address):
    try:
        return AdminClient({"bootstrap.servers": address, "log_level": 0}).list_topics(timeout=2).brokers
    except Exception:
        return None
