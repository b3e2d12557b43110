"""
Statements of a carrier as X12 214 interchanges, as they would lie in a drop folder.

Why one interchange a statement, its control number taken from the statement's identity: the decoder makes the identity of an
event from control numbers and positions, so that a statement dropped a second time, in whatever company, is the same event.
"""

from __future__ import annotations

from datetime import UTC, datetime

from collectors.demo.telling import Said

CODES = {
    "loaded": "AM", "departed": "AF", "in_transit": "X6", "at_hub": "X4", "out_for_delivery": "AJ", "delivered": "D1",
    "pod_received": "OP", "delayed": "SD",
}  # fmt: skip
ESTIMATE, WEATHER, NORMAL = "AG", "AO", "NS"
NOBODY = " " * 10


def interchange(carrier: str, said: Said) -> bytes:
    """ISA to IEA with one 214."""
    at = datetime.fromtimestamp(said.said_at, UTC)
    control = f"{int(said.event_id[:7], 16):09d}"
    isa = ["ISA", "00", NOBODY, "00", NOBODY, "02", f"{carrier:<15}", "ZZ", f"{'MILEPOST':<15}", f"{at:%y%m%d}", f"{at:%H%M}"]
    segments = [
        "*".join([*isa, "U", "00401", control, "0", "P", ">"]),
        f"GS*QM*{carrier}*MILEPOST*{at:%Y%m%d}*{at:%H%M}*{int(control)}*X*004010",
        *_set(carrier, said),
        f"GE*1*{int(control)}",
        f"IEA*1*{control}",
    ]
    return ("~\n".join(segments) + "~\n").encode("ascii")


def _set(carrier: str, said: Said) -> list[str]:
    at = datetime.fromtimestamp(said.at, UTC)
    code = ESTIMATE if said.classifier == "EST" else CODES[said.state]
    reason = WEATHER if said.state == "delayed" else NORMAL
    order = next((id_ for type_, id_ in said.related if type_ == "order"), "")
    body = [
        "ST*214*0001",
        f"B10*{said.keys[0] if said.keys else ''}*{said.object_id}*{carrier}",
        *([f"L11*{order}*ON"] if order else []),
        "LX*1",
        f"AT7*{code}*{reason}***{at:%Y%m%d}*{at:%H%M%S}*UT",
        *([_place(said.location)] if said.location else []),
    ]
    return [*body, f"SE*{len(body) + 1}*0001"]


def _place(location: str) -> str:
    city, _, region = location.rpartition(" ")
    return f"MS1*{city}**{region}"
