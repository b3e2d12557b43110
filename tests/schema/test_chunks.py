"""Chunks of all objects: each object is in one of them, and none is much larger than asked for."""

from __future__ import annotations

import pytest

from schema.chunks import Chunk, chunks
from schema.store import Store

SAID = "SELECT if(number % 3 = 0, 'order', 'shipment') AS type, lower(hex(number * 7919)) AS id FROM numbers({n})"


def sizes(store: Store, said: str, found: list[Chunk]) -> list[int]:
    return [store.value(f"SELECT count() FROM ({said}) WHERE {chunk.where('type', 'id')}", chunk.params) for chunk in found]


@pytest.mark.parametrize(("n", "most"), [(1_000, 100), (20_000, 3_000)])
def test_each_object_is_in_one_chunk_and_none_is_much_larger_than_asked_for(shared_store: Store, n: int, most: int) -> None:
    """Of few ids all are looked at, of many a sample."""
    said = SAID.replace("{n}", str(n))
    found = chunks(shared_store, said, most)
    assert {chunk.type for chunk in found} == {"order", "shipment"}
    assert sum(sizes(shared_store, said, found)) == n
    assert max(sizes(shared_store, said, found)) <= 1.3 * most


def test_what_fits_in_one_chunk_is_one_of_all_types(shared_store: Store) -> None:
    """A small store is folded in one go."""
    said = SAID.replace("{n}", "1000")
    assert chunks(shared_store, said, 5_000) == [Chunk()]
    assert sizes(shared_store, said, [Chunk()]) == [1_000]


def test_a_type_of_which_the_sample_has_none_is_a_chunk(shared_store: Store) -> None:
    """Else the few returns among a million orders would have no state."""
    said = f"{SAID.replace('{n}', '20000')} UNION ALL SELECT 'return', 'R1'"
    found = chunks(shared_store, said, 3_000)
    assert [chunk for chunk in found if chunk.type == "return"] == [Chunk("return")]
    assert sum(sizes(shared_store, said, found)) == 20_001
