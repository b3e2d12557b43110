"""
A real ClickHouse server for tests, in a process of its own, without Docker.

Why so: the suite must hold on a server as on the embedded engine, and Docker is not on every machine. A `clickhouse`
program on the PATH is used if there is one. Otherwise the npm package of chDB carries a library whose public function
`chdb_query_cmdline` is clickhouse-local; that can open the server's own HTTP and native listeners. `serve.py` beside
this file is the child process that loads it. Two such processes that are told of each other are a cluster of two shards.
"""

from __future__ import annotations

import os
import platform
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType

from tests.parts import CACHE, PartMissing, node

VERSION = "26.7.3-stable.1"
PACKAGES = {
    ("Linux", "x86_64"): "lib-linux-x64-gnu",
    ("Linux", "aarch64"): "lib-linux-arm64-gnu",
    ("Darwin", "arm64"): "lib-darwin-arm64",
    ("Darwin", "x86_64"): "lib-darwin-x64",
}
LISTEN = (
    "SYSTEM START LISTEN HTTP; SYSTEM START LISTEN TCP; SELECT sleepEachRow(1) FROM numbers(1000000) "
    "SETTINGS function_sleep_max_microseconds_per_block = 0, max_block_size = 1 FORMAT Null"
)
CONFIG = """<clickhouse>
    <path>{folder}/</path>
    <timezone>UTC</timezone>
    <max_server_memory_usage>3000000000</max_server_memory_usage>
    <mark_cache_size>268435456</mark_cache_size>
    <listen_host>127.0.0.1</listen_host>
    <http_port>{http}</http_port>
    <tcp_port>{tcp}</tcp_port>
    <logger><level>warning</level><log>{folder}/server.log</log><errorlog>{folder}/server.err.log</errorlog></logger>
    <users><default><password/><networks><ip>127.0.0.1</ip></networks><profile>default</profile>
        <quota>default</quota><access_management>1</access_management></default></users>
    <profiles><default/></profiles>
    <quotas><default/></quotas>
    <remote_servers>{clusters}</remote_servers>
</clickhouse>
"""
REPLICA = "<replica><host>127.0.0.1</host><port>{port}</port></replica>"
FOLDER = CACHE / f"clickhouse-{VERSION}"
SERVE = Path(__file__).with_name("serve.py")
START_S = 180


def find() -> Path | None:
    """The `clickhouse` program, or the library in .cache."""
    if program := shutil.which("clickhouse"):
        return Path(program)
    library = _library()
    return library if library.exists() else None


def install() -> Path:
    """Get the library into .cache. Raises: PartMissing with what a person can do."""
    node.npm("install", "--prefix", str(FOLDER), f"@chdb/{_package()}@{VERSION}")
    return _library()


class ClickHouseServer:
    """A server over `folder`, as a context: it answers on entry, and is stopped on exit."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clusters = ""
        self.http_port, self.tcp_port = _free_ports()
        self._process: subprocess.Popen[bytes] | None = None

    def dsn(self, database: str) -> str:
        """The DSN of a database of this server."""
        return f"clickhouse://default@127.0.0.1:{self.http_port}/{database}"

    def __enter__(self) -> ClickHouseServer:
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "config.xml"
        config.write_text(CONFIG.format(**vars(self), http=self.http_port, tcp=self.tcp_port))
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command(config), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=os.environ | {"TZ": "UTC"}
            )
        self._wait()
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None) -> None:
        self.kill()

    def kill(self) -> None:
        """Stop at once, as a crash would: what was acknowledged is on disk, and nothing here outlives the tests."""
        if self._process:
            self._process.kill()
            self._process.wait()

    @property
    def is_down(self) -> bool:
        """Whether its process has ended."""
        return not self._process or self._process.poll() is not None

    @property
    def _log(self) -> Path:
        return self.folder / "output.log"

    def _command(self, config: Path) -> list[str]:
        part = find()
        if not part:
            raise RuntimeError("no ClickHouse server for the tests: `make test` gets it, or `python tests/parts/setup.py`")
        if part.name == "clickhouse":
            return [str(part), "server", "--config-file", str(config)]
        options = {"path": self.folder, "http_port": self.http_port, "tcp_port": self.tcp_port, "config-file": config}
        flags = [text for name, value in options.items() for text in (f"--{name}", str(value))]
        return [sys.executable, str(SERVE), str(part), "--listen_host", "127.0.0.1", *flags, "--query", LISTEN]

    def _wait(self) -> None:
        until = time.monotonic() + START_S
        while not _answers(self.http_port):
            code = self._process.poll() if self._process else None
            if code is not None or time.monotonic() > until:
                self.kill()
                raise RuntimeError(f"the ClickHouse server did not start (exit {code}):\n{self._log.read_text()[-2000:]}")
            time.sleep(0.05)


class ClickHouseCluster:
    """
    Two servers that are the shards of the cluster `two`, as a context. `kill` one and `__enter__` it again.

    They also know of a cluster `mirrored`, where the same two would be replicas of one shard.
    """

    def __init__(self, folder: Path) -> None:
        self.shards = [ClickHouseServer(folder / f"shard{n}") for n in (1, 2)]
        replicas = [REPLICA.format(port=server.tcp_port) for server in self.shards]
        for server in self.shards:
            server.clusters = (
                "<two>" + "".join(f"<shard>{replica}</shard>" for replica in replicas) + "</two>"
                "<mirrored><shard>" + "".join(replicas) + "</shard></mirrored>"
            )

    def dsn(self, database: str, name: str = "two") -> str:
        """The DSN of a database of this cluster, by its first server."""
        return f"{self.shards[0].dsn(database)}?cluster={name}"

    def __enter__(self) -> ClickHouseCluster:
        for server in self.shards:
            server.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None) -> None:
        for server in self.shards:
            server.kill()


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def _package() -> str:
    known = (platform.system(), platform.machine())
    if known not in PACKAGES:
        raise PartMissing(f"no ClickHouse library for {' '.join(known)}: put a `clickhouse` program on the PATH")
    return PACKAGES[known]


def _library() -> Path:
    return FOLDER / "node_modules" / "@chdb" / _package() / "libchdb.so"
