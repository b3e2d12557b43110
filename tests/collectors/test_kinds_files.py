"""A drop folder: each file once, none half, none lost by a crash, and nothing read that does not lie there."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collectors.config import Limits, Settings
from collectors.kinds import files
from collectors.message import Message, Source
from collectors.running import Means, Receipt, Running
from collectors.sink import Sink
from schema.errors import BadConfig, SourceUnavailable, StoreUnavailable
from schema.store import Store

Make = Callable[..., Any]


class Drop:
    """A drop folder of a test, with deliveries that are the test's own."""

    def __init__(self, data: Path, **options: Any) -> None:
        self.data = data
        self.inbox = data / "drop" / "acme"
        self.got: list[tuple[str, bytes]] = []
        self.answers: dict[str, Receipt | Exception] = {}
        self.settings = Settings(store="", data=data, limits=Limits(max_decompressed_bytes=1000))
        self.source = Source("acme", "files", "cloudevents", options={"min_age_s": 0, **options})
        self.running = self.start()

    def start(self, deliver: Any = None) -> Running:
        async def never(source: Source, message: Message) -> Receipt:
            raise AssertionError("a drop folder delivers from a thread")

        return files.start(self.source, Means(never, deliver or self.deliver, self.settings))

    def deliver(self, source: Source, message: Message) -> Receipt:
        self.got.append((message.name, message.body))
        answer = self.answers.get(message.name, Receipt(n_rows=1))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def poll(self, times: int = 1) -> None:
        for _ in range(times):
            assert self.running.poll is not None
            self.running.poll()

    def names(self) -> list[str]:
        return sorted(str(p.relative_to(self.inbox)) for p in self.inbox.rglob("*") if not p.is_dir())


@pytest.fixture
def drop(tmp_path: Path) -> Drop:
    """A drop folder that takes any name."""
    return Drop(tmp_path)


def test_a_file_that_holds_still_is_delivered_and_moved_to_done(drop: Drop) -> None:
    """The first look sees it, the second finds it unchanged: only then is it whole."""
    (drop.inbox / "a.json").write_bytes(b"one")
    drop.poll()
    assert (drop.got, drop.names()) == ([], ["a.json"])
    drop.poll()
    assert (drop.got, drop.names()) == ([("a.json", b"one")], ["done/a.json"])
    drop.poll(2)
    assert len(drop.got) == 1


def test_a_file_that_still_grows_is_left_alone(drop: Drop) -> None:
    """Most senders write in place: half a file is a wrong file."""
    path = drop.inbox / "a.json"
    for n in range(1, 4):
        path.write_bytes(b"x" * n)
        drop.poll()
    assert drop.got == []
    drop.poll()
    assert drop.got == [("a.json", b"xxx")]


def test_a_file_younger_than_its_minimum_age_waits(tmp_path: Path) -> None:
    """A sender that pauses between two writes is given its time."""
    drop = Drop(tmp_path, min_age_s=3600)
    path = drop.inbox / "a.json"
    path.write_bytes(b"x")
    drop.poll(3)
    assert drop.got == []
    os.utime(path, (1, 1))
    drop.poll(2)
    assert drop.got == [("a.json", b"x")]


def test_what_is_rejected_lies_beside_its_reason(drop: Drop) -> None:
    """Whoever put the file there looks into the folder, not into a database."""
    (drop.inbox / "a.json").write_bytes(b"x")
    drop.answers["a.json"] = Receipt(rejected="no JSON", n_rejects=1)
    drop.poll(2)
    assert drop.names() == ["rejected/a.json", "rejected/a.json.reason.txt"]
    assert (drop.inbox / "rejected" / "a.json.reason.txt").read_text() == "no JSON\n"


def test_a_store_that_is_away_leaves_the_file_claimed_and_the_next_poll_delivers_it(drop: Drop) -> None:
    """Not acknowledged means still ours: the file waits, and is not taken for a new one."""
    (drop.inbox / "a.json").write_bytes(b"x")
    drop.answers["a.json"] = StoreUnavailable("away")
    drop.poll()
    with pytest.raises(StoreUnavailable):
        drop.poll()
    assert drop.names() == [".claimed/a.json"]
    drop.answers.clear()
    drop.poll()
    assert drop.names() == ["done/a.json"]


def test_a_file_that_a_crash_left_claimed_is_delivered_by_the_next_start(drop: Drop) -> None:
    """Between the claim and the move a process may die; the file must not lie there for ever."""
    (drop.inbox / ".claimed" / "a.json").write_bytes(b"x")
    drop.running = drop.start()
    drop.poll()
    assert (drop.got, drop.names()) == ([("a.json", b"x")], ["done/a.json"])


def test_a_file_that_makes_a_bug_does_not_hold_up_the_others(drop: Drop) -> None:
    """It is tried again, but last: the others of the folder are somebody's milestones."""
    drop.answers["a.json"] = KeyError("a bug")
    for name in ("a.json", "b.json"):
        (drop.inbox / name).write_bytes(b"x")
    drop.poll()
    with pytest.raises(KeyError):
        drop.poll()
    with pytest.raises(KeyError):
        drop.poll()
    assert [name for name, _ in drop.got] == ["a.json", "b.json", "a.json"]
    assert drop.names() == [".claimed/a.json", "done/b.json"]


def test_the_same_name_every_day_keeps_every_file(drop: Drop) -> None:
    """Partners overwrite yesterday's name; the archive must not."""
    for body in (b"monday", b"tuesday"):
        (drop.inbox / "a.json").write_bytes(body)
        drop.poll(2)
    assert drop.names() == ["done/a.json", "done/a.json.2"]
    assert (drop.inbox / "done" / "a.json.2").read_bytes() == b"tuesday"


def test_only_names_that_match_are_taken_and_hidden_ones_never(tmp_path: Path) -> None:
    """Transfer programs write `.a.edi.part` first; a note beside the files is nobody's message."""
    drop = Drop(tmp_path, pattern="*.edi")
    for name in ("a.edi", "note.txt", ".b.edi"):
        (drop.inbox / name).write_bytes(b"x")
    (drop.inbox / "folder.edi").mkdir()
    drop.poll(2)
    assert drop.names() == [".b.edi", "done/a.edi", "note.txt"]


def test_a_link_is_never_followed(drop: Drop, tmp_path: Path) -> None:
    """Whoever may drop files must not be able to make us read the password file."""
    target = tmp_path / "secret.txt"
    target.write_bytes(b"s3cret")
    (drop.inbox / "a.json").symlink_to(target)
    drop.poll(2)
    assert (drop.got, drop.names()) == ([], ["rejected/a.json", "rejected/a.json.reason.txt"])
    assert (target.read_bytes(), (drop.inbox / "rejected" / "a.json").is_symlink()) == (b"s3cret", True)


def test_a_file_over_the_limit_is_not_even_read(drop: Drop) -> None:
    """A wrong export of ten gigabytes must not take the process with it."""
    (drop.inbox / "a.json").write_bytes(b"x" * 1001)
    drop.poll(2)
    assert drop.got == []
    reason = (drop.inbox / "rejected" / "a.json.reason.txt").read_text()
    assert reason == "1,001 bytes; a file may have 1,000 (limits.max_decompressed_bytes)\n"


def test_a_path_that_climbs_out_of_the_data_folder_stops_the_start(tmp_path: Path) -> None:
    """A relative path is a folder of ours; one that leaves it is a slip or worse."""
    with pytest.raises(BadConfig, match="must not climb out"):
        Drop(tmp_path, path="../elsewhere")


def test_a_folder_that_goes_away_is_the_other_sides_trouble(drop: Drop) -> None:
    """A network share that is unmounted comes back; the source waits for it."""
    (drop.inbox / ".claimed").rmdir()
    with pytest.raises(SourceUnavailable, match="drop folder"):
        drop.poll()


def test_a_dropped_file_is_in_the_store_when_it_lies_in_done(
    drop: Drop, sink: Sink, tables: Store, cloud_event: Make, message: Make
) -> None:
    """The whole way, with the real sink: the name of the file is the name of the message."""
    drop.running = drop.start(sink.deliver_now)
    (drop.inbox / "a.json").write_bytes(message(cloud_event()).body)
    drop.poll(2)
    assert drop.names() == ["done/a.json"]
    assert tables.query("SELECT object_id, source FROM events") == [{"object_id": "S1", "source": "acme"}]
    assert tables.value("SELECT name FROM messages") == "a.json"


def test_a_poll_takes_files_for_a_while_and_leaves_the_rest_to_the_next(drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop waits for the poll that is under way: with ten thousand files in the folder it would be killed before it ends."""
    monkeypatch.setattr(files, "POLL_S", 0.05)

    def slow(source: Source, message: Message) -> Receipt:
        time.sleep(0.06)
        return drop.deliver(source, message)

    drop.running = drop.start(slow)
    for name in ("a.json", "b.json"):
        (drop.inbox / name).write_bytes(b"[]")
    drop.poll(2)
    assert [name for name, _ in drop.got] == ["a.json"]
    drop.poll()
    assert [name for name, _ in drop.got] == ["a.json", "b.json"]
