"""
A real ClickHouse server that fails as servers do: killed, hung, slow, read-only, with a full disk, without memory.

Why by configuration and restart: a limit of memory and to be read-only are what the server reads when it starts. Why the disk
by a setting: to fill one takes a file system of its own, which only root may make; under this setting the server refuses with
the very error (243, NOT_ENOUGH_SPACE) that it gave on a full tmpfs.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

from schema.store import connect, quote
from tests.parts.clickhouse_server import ClickHouseServer

NO_MEMORY = ("<max_server_memory_usage>3000000000<", "<max_server_memory_usage>1000000<")
READ_ONLY = ("<timezone>", "<disable_insertion_and_mutation>1</disable_insertion_and_mutation><timezone>")
NEVER_ENOUGH = 10**18


class FaultyServer(ClickHouseServer):
    """The server of the other tests, and its faults as contexts: within the block it fails, after it all is well."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._changed = ("", "")

    @contextlib.contextmanager
    def killed(self, database: str) -> Iterator[None]:
        self.kill()
        yield
        self.__enter__()

    @contextlib.contextmanager
    def hung(self, database: str) -> Iterator[None]:
        self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)

    @contextlib.contextmanager
    def slow(self, database: str) -> Iterator[None]:
        """It runs for a twentieth of the time."""
        stop = threading.Event()

        def brake() -> None:
            while not stop.is_set():
                self._signal(signal.SIGSTOP)
                stop.wait(0.19)
                self._signal(signal.SIGCONT)
                stop.wait(0.01)

        thread = threading.Thread(target=brake, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    @contextlib.contextmanager
    def without_memory(self, database: str) -> Iterator[None]:
        with self._configured(NO_MEMORY):
            yield

    @contextlib.contextmanager
    def read_only(self, database: str) -> Iterator[None]:
        with self._configured(READ_ONLY):
            yield

    @contextlib.contextmanager
    def full(self, database: str) -> Iterator[None]:
        """No table finds enough space on the disk."""
        self._all_tables(database, f"MODIFY SETTING min_free_disk_bytes_to_perform_insert = {NEVER_ENOUGH}")
        yield
        self._all_tables(database, "RESET SETTING min_free_disk_bytes_to_perform_insert")

    def _all_tables(self, database: str, change: str) -> None:
        store = connect(self.dsn(database))
        sql = "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'"
        for row in store.query(sql):
            store.command(f"ALTER TABLE {quote(row['name'])} {change}")
        store.close()

    @contextlib.contextmanager
    def _configured(self, change: tuple[str, str]) -> Iterator[None]:
        self.kill()
        self._changed = change
        self.__enter__()
        yield
        self.kill()
        self._changed = ("", "")
        self.__enter__()

    def _command(self, config: Path) -> list[str]:
        before, after = self._changed
        text = config.read_text()
        assert before in text
        config.write_text(text.replace(before, after) if before else text)
        return super()._command(config)

    def _signal(self, number: signal.Signals) -> None:
        if self._process:
            os.kill(self._process.pid, number)
