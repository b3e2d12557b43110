"""
docker-compose.yml without Docker: what can be held against its own rules here, so that it is not wrong where nobody looks.

Held: the compose schema (shipped by check-jsonschema), every reference inside the file, the configurations that it carries
(Milepost's by its own reader, the Collector's keys by a strict model of those that are used, ClickHouse's settings against the
client's), and the columns that the Collector's ClickHouse exporter inserts against our tables.
"""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree

import jsonschema
import pytest
from pydantic import BaseModel, ConfigDict
from ruamel.yaml import YAML

from collectors import config
from collectors.keys import Keyring
from collectors.sender import Sender
from dashboard import access
from schema import cluster
from schema.store import Store

ROOT = Path(__file__).resolve().parents[1]
COMPOSE: dict[str, Any] = YAML(typ="safe").load(ROOT / "docker-compose.yml")
SERVICES: dict[str, Any] = COMPOSE["services"]
SCALE = {name for name, service in SERVICES.items() if "scale" in service.get("profiles", ())}


def content(name: str) -> str:
    """A configuration as the container sees it: compose makes one dollar of two."""
    return str(COMPOSE["configs"][name]["content"]).replace("$$", "$")


def test_the_file_is_a_compose_file() -> None:
    """Compose refuses the whole file for one unknown key, and this machine may have no compose to say so."""
    text = files("check_jsonschema").joinpath("builtin_schemas", "vendor", "compose-spec.json").read_text("utf-8")
    errors = jsonschema.Draft202012Validator(json.loads(text)).iter_errors(COMPOSE)
    assert [f"{'.'.join(map(str, e.path))}: {e.message}" for e in errors] == []


def test_everything_that_a_service_names_is_there() -> None:
    """A misspelt volume or dependency stops the start, and a configuration that nobody mounts does nothing."""
    mounted = {use["source"] for service in SERVICES.values() for use in service.get("configs", ())}
    assert mounted == set(COMPOSE["configs"])
    volumes = {v.partition(":")[0] for s in SERVICES.values() for v in s.get("volumes", ()) if ":" in v}
    assert volumes == set(COMPOSE["volumes"])
    for name, service in SERVICES.items():
        needs = set(service.get("depends_on", ()))
        assert needs <= (SCALE if name in SCALE else set(SERVICES) - SCALE), name


def test_starting_the_proxy_starts_all_that_the_scale_profile_has_and_nothing_of_the_single_machine() -> None:
    """The command in the file's head: both halves publish the same ports, so one of them must stay down."""
    started, asked = set(), ["proxy"]
    while asked:
        started.add(name := asked.pop())
        asked += [other for other in SERVICES[name].get("depends_on", ()) if other not in started]
    assert started == SCALE


def test_ports_are_published_on_this_machine_only() -> None:
    """Inside the containers nobody is asked for a key or a login; a port of all interfaces would open the house."""
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_what_the_container_runs_can_be_reached_through_its_published_ports(tmp_path: Path) -> None:
    """On loopback inside its container nobody hears it; on all interfaces it starts only with the explicit words."""
    file = tmp_path / "milepost.toml"
    file.write_text(content("milepost_toml"))
    settings = config.load(file, {"MILEPOST_STORE": "chdb:///nowhere", "MILEPOST_DATA": str(tmp_path)})
    assert settings.listen.host == "0.0.0.0"
    access.only_on_loopback(settings.listen.host, None, allow_without_login=settings.listen.allow_without_login)
    for source in settings.sources:
        Sender(source, settings.listen, Keyring(settings.keys_file))
    published = [p.split(":")[1:] for p in SERVICES["milepost"]["ports"]]
    assert published == [[str(port), str(port)] for port in (settings.listen.pages, settings.listen.intake)]


def test_processes_that_are_replicated_keep_their_data_folders_apart() -> None:
    """Each keeps there what it has under way; one folder for two would mix them up."""
    for name in ("collector", "dashboard"):
        assert SERVICES[name]["deploy"]["replicas"] > 1
        assert SERVICES[name]["volumes"] == [SERVICES[name]["environment"]["MILEPOST_DATA"]]


# --- the Collector -----------------------------------------------------------------------------------------------------------
class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Endpoint(Strict):
    endpoint: str


class Protocols(Strict):
    grpc: Endpoint
    http: Endpoint


class Otlp(Strict):
    protocols: Protocols


class Written(Strict):
    topic: str
    encoding: Literal["otlp_proto"]


class Read(Strict):
    topics: list[str]
    encoding: Literal["otlp_proto"]


class Producer(Strict):
    required_acks: Literal[-1]
    compression: Literal["none", "gzip", "snappy", "lz4", "zstd"]


class Off(Strict):
    enabled: Literal[False]


class Batch(Strict):
    flush_timeout: str
    min_size: int
    sizer: Literal["items", "bytes"]


class Queue(Strict):
    enabled: Literal[True]
    wait_for_result: Literal[True]
    batch: Batch


class Retry(Strict):
    enabled: Literal[True]
    max_elapsed_time: Literal[0]


class KafkaExporter(Strict):
    brokers: list[str]
    traces: Written
    logs: Written
    metrics: Written
    partition_traces_by_id: bool
    producer: Producer
    sending_queue: Off


class Marking(Strict):
    after: Literal[True]
    on_error: Literal[False]


class KafkaReceiver(Strict):
    brokers: list[str]
    group_id: str
    initial_offset: Literal["earliest", "latest"]
    traces: Read
    logs: Read
    metrics: Read
    message_marking: Marking


class ClickHouseExporter(Strict):
    endpoint: str
    username: str
    password: str
    database: str
    create_schema: Literal[False]
    async_insert: Literal[False]
    connection_params: dict[str, str]
    timeout: str
    sending_queue: Queue
    retry_on_failure: Retry


class Receivers(Strict):
    otlp: Otlp | None = None
    kafka: KafkaReceiver | None = None


class Exporters(Strict):
    kafka: KafkaExporter | None = None
    clickhouse: ClickHouseExporter | None = None


class Pipeline(Strict):
    receivers: list[str]
    exporters: list[str]


class Pipelines(Strict):
    traces: Pipeline
    logs: Pipeline
    metrics: Pipeline


class Service(Strict):
    pipelines: Pipelines


class Collector(Strict):
    """The keys that are used, as otelcol-contrib 0.160 has them; what keeps the promise is a literal."""

    receivers: Receivers
    exporters: Exporters
    service: Service


def collector(name: str) -> Collector:
    return Collector.model_validate(YAML(typ="safe").load(content(name)))


def test_the_collectors_keys_are_those_it_knows_and_none_of_its_queues_forgets() -> None:
    """The Collector stops at an unknown key; and a queue in memory would acknowledge what a crash loses."""
    edge, writer = collector("otel_edge"), collector("otel_writer")
    for one in (edge, writer):
        for pipeline in (one.service.pipelines.traces, one.service.pipelines.logs, one.service.pipelines.metrics):
            assert set(pipeline.receivers) == {k for k, v in one.receivers if v}
            assert set(pipeline.exporters) == {k for k, v in one.exporters if v}
    written, read = edge.exporters.kafka, writer.receivers.kafka
    assert written
    assert read
    for signal in ("traces", "logs", "metrics"):
        assert [getattr(written, signal).topic] == getattr(read, signal).topics
    assert written.brokers == read.brokers


def test_the_collector_writes_where_milepost_does_and_waits_for_the_shards() -> None:
    """A Distributed table queues on the disk of the node that was asked, unless it is told not to."""
    exporter = collector("otel_writer").exporters.clickhouse
    assert exporter
    store = SERVICES["collector"]["environment"]["MILEPOST_STORE"]
    assert exporter.endpoint == f"http://{store.partition('@')[2].partition('/')[0]}"
    assert exporter.connection_params["distributed_foreground_insert"] == "1"


# --- ClickHouse --------------------------------------------------------------------------------------------------------------
def nodes() -> dict[str, int]:
    """The hosts of the cluster with the number of their shard."""
    shards = ElementTree.fromstring(content("cluster_xml")).findall("remote_servers/milepost/shard")
    return {str(host.text): n for n, shard in enumerate(shards, 1) for host in shard.findall("replica/host")}


def test_the_cluster_is_two_shards_of_two_replicas_and_each_node_knows_which_it_is() -> None:
    """A node under another's macro would take the other's place in Keeper."""
    told = {name: int(s["environment"]["SHARD"]) for name, s in SERVICES.items() if "SHARD" in s.get("environment", {})}
    assert nodes() == told
    assert sorted(told.values()) == [1, 1, 2, 2]
    assert len({(s["environment"]["SHARD"], s["environment"]["REPLICA"]) for n, s in SERVICES.items() if n in told}) == 4
    assert {h + ":8123" for h in told} == set(re.findall(r"shard\w+:8123", content("entry_caddyfile")))
    store = SERVICES["collector"]["environment"]["MILEPOST_STORE"]
    assert store.endswith("@entry:8123/milepost?cluster=milepost")


def test_whoever_else_asks_the_cluster_gets_the_settings_of_our_client() -> None:
    """Grafana and a colleague's client send the same SQL; under other settings it would give other numbers."""
    profile = ElementTree.fromstring(content("profile_xml")).find("profiles/default")
    assert profile is not None
    assert {setting.tag: setting.text for setting in profile} == {k: str(v) for k, v in cluster.SETTINGS.items()}
    for name in ("keeper_xml", "cluster_xml"):
        ElementTree.fromstring(content(name))


def test_the_single_server_of_the_file_is_of_the_same_version_as_the_cluster() -> None:
    """Who moves from one to the other moves one thing at a time."""
    assert len({s["image"].partition(":")[2] for s in SERVICES.values() if "clickhouse/" in s["image"]}) == 1


# --- the exporter's DDL against ours -----------------------------------------------------------------------------------------
# What the exporter inserts, by the INSERT statements and tables of its source at 0.160 (exporter/clickhouseexporter,
# internal/sqltemplates; Map columns, no JSON). EventName is inserted where the table has it. Zones do not change the bytes.
ATTRIBUTES = "Map(LowCardinality(String), String)"
RESOURCE = {
    "ResourceAttributes": ATTRIBUTES, "ResourceSchemaUrl": "String", "ScopeName": "String", "ScopeVersion": "String",
    "ScopeAttributes": ATTRIBUTES, "ScopeDroppedAttrCount": "UInt32", "ScopeSchemaUrl": "String",
    "ServiceName": "LowCardinality(String)", "MetricName": "LowCardinality(String)", "MetricDescription": "String",
    "MetricUnit": "String", "Attributes": ATTRIBUTES, "StartTimeUnix": "DateTime", "TimeUnix": "DateTime", "Flags": "UInt32",
}  # fmt: skip
EXEMPLARS = {
    "Exemplars.FilteredAttributes": f"Array({ATTRIBUTES})", "Exemplars.TimeUnix": "Array(DateTime)",
    "Exemplars.Value": "Array(Float64)", "Exemplars.SpanId": "Array(String)", "Exemplars.TraceId": "Array(String)",
}  # fmt: skip
SUMMED = {"Count": "UInt64", "Sum": "Float64"}
RANGED = {"Min": "Float64", "Max": "Float64", "AggregationTemporality": "Int32"}
INSERTED: dict[str, dict[str, str]] = {
    "otel_traces": {
        "Timestamp": "DateTime64(9)", "TraceId": "String", "SpanId": "String", "ParentSpanId": "String",
        "TraceState": "String", "SpanName": "LowCardinality(String)", "SpanKind": "LowCardinality(String)",
        "ServiceName": "LowCardinality(String)", "ResourceAttributes": ATTRIBUTES, "ScopeName": "String",
        "ScopeVersion": "String", "SpanAttributes": ATTRIBUTES, "Duration": "UInt64",
        "StatusCode": "LowCardinality(String)", "StatusMessage": "String", "Events.Timestamp": "Array(DateTime64(9))",
        "Events.Name": "Array(LowCardinality(String))", "Events.Attributes": f"Array({ATTRIBUTES})",
        "Links.TraceId": "Array(String)", "Links.SpanId": "Array(String)", "Links.TraceState": "Array(String)",
        "Links.Attributes": f"Array({ATTRIBUTES})",
    },
    "otel_logs": {
        "Timestamp": "DateTime64(9)", "TraceId": "String", "SpanId": "String", "TraceFlags": "UInt8",
        "SeverityText": "LowCardinality(String)", "SeverityNumber": "UInt8", "ServiceName": "LowCardinality(String)",
        "Body": "String", "ResourceSchemaUrl": "LowCardinality(String)", "ResourceAttributes": ATTRIBUTES,
        "ScopeSchemaUrl": "LowCardinality(String)", "ScopeName": "String", "ScopeVersion": "LowCardinality(String)",
        "ScopeAttributes": ATTRIBUTES, "LogAttributes": ATTRIBUTES, "EventName": "String",
    },
    "otel_metrics_gauge": RESOURCE | EXEMPLARS | {"Value": "Float64"},
    "otel_metrics_sum": RESOURCE | EXEMPLARS | {"Value": "Float64", "AggregationTemporality": "Int32", "IsMonotonic": "Bool"},
    "otel_metrics_histogram": RESOURCE | EXEMPLARS | SUMMED | RANGED
    | {"BucketCounts": "Array(UInt64)", "ExplicitBounds": "Array(Float64)"},
    "otel_metrics_exponential_histogram": RESOURCE | EXEMPLARS | SUMMED | RANGED
    | {"Scale": "Int32", "ZeroCount": "UInt64", "PositiveOffset": "Int32", "PositiveBucketCounts": "Array(UInt64)",
       "NegativeOffset": "Int32", "NegativeBucketCounts": "Array(UInt64)"},
    "otel_metrics_summary": RESOURCE | SUMMED
    | {"ValueAtQuantiles.Quantile": "Array(Float64)", "ValueAtQuantiles.Value": "Array(Float64)"},
}  # fmt: skip


@pytest.mark.parametrize("table", INSERTED)
def test_a_table_takes_what_the_exporter_inserts_and_needs_no_more(shared_store: Store, table: str) -> None:
    """With create_schema off the exporter sends INSERTs only: a column of another name or type stops all telemetry."""
    sql = "SELECT name, type, default_kind AS made FROM system.columns WHERE database = currentDatabase() AND table = {t:String}"
    rows = shared_store.query(sql, {"t": table})
    ours = {row["name"]: re.sub(r"(, )?'UTC'", "", row["type"]).replace("()", "") for row in rows if not row["made"]}
    assert ours == INSERTED[table]
