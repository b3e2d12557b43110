"""
All objects in chunks that fit in memory: stretches of the sort key, so that each chunk reads its own part of a table.

Why stretches and not shares of a hash: objects of a share lie in every part of a table, and a store of twenty chunks was read
twenty times. Why one type a chunk: sort keys begin with it, and an index looks up one column after the other.
"""

from __future__ import annotations

from dataclasses import dataclass

from schema.store import Store

SAMPLED = 1000  # ids of a chunk that are looked at to find where it ends

Params = dict[str, str]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Objects of a type from `since` on and before `until`, which is empty for the last one; without a type all there are."""

    type: str = ""
    since: str = ""
    until: str = ""

    def where(self, type_column: str = "object_type", id_column: str = "object_id") -> str:
        """The condition on these columns, whose values are `params`."""
        if not self.type:
            return "1"
        end = f" AND {id_column} < {{chunk_until:String}}" if self.until else ""
        return f"{type_column} = {{chunk_type:String}} AND {id_column} >= {{chunk_since:String}}{end}"

    @property
    def params(self) -> Params:
        return {"chunk_type": self.type, "chunk_since": self.since, "chunk_until": self.until} if self.type else {}


def chunks(store: Store, said: str, most: int) -> list[Chunk]:
    """Chunks of `most` objects or so, by a sample of those that the SELECT `said` names (type, id); one, if that is all."""
    one_of = max(1, most // SAMPLED)
    found = store.query(
        f"""
        SELECT toString(type) AS of_type, arraySort(groupUniqArrayIf(id, cityHash64(type, id) % {{one_of:UInt64}} = 0)) AS ids
        FROM ({said})
        GROUP BY of_type
        ORDER BY of_type
        """,  # noqa: S608 a constant of the caller
        {"one_of": one_of},
    )
    if sum(len(row["ids"]) for row in found) * one_of <= most:
        return [Chunk()]
    return [chunk for row in found for chunk in _of_type(row["of_type"], row["ids"][:: most // one_of])]


def _of_type(type_: str, starts: list[str]) -> list[Chunk]:
    """From the first id to the second, and so on; the first and the last one are open, for the ids are of a sample."""
    since = ["", *starts[1:]]
    return [Chunk(type_, *bounds) for bounds in zip(since, [*since[1:], ""], strict=True)]
