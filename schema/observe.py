"""
Milepost watches itself: spans and metrics of receivers, sink, jobs, queries and pages, through opentelemetry-api only.

Why the API alone here: without an SDK every call is a no-op, so that the rooms cost nothing where nobody listens; the front
door wires the SDK, by default into the product's own store, or to wherever the usual OTEL_ variables say.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from opentelemetry import metrics, trace
from opentelemetry.trace import Span, Status, StatusCode

NAME = "milepost"
Attribute = str | int | float | bool

_tracer = trace.get_tracer(NAME)
_meter = metrics.get_meter(NAME)
_duration = _meter.create_histogram("milepost.duration", unit="s", description="How long a part of Milepost took")
_rows = _meter.create_counter("milepost.rows", unit="{row}", description="Rows stored")


@contextlib.contextmanager
def span(name: str, **attributes: Attribute) -> Iterator[Span]:
    """A span and a duration for one act of ours, such as `sink.commit`; an error marks both and goes on up."""
    began = time.perf_counter()
    outcome = "ok"
    with _tracer.start_as_current_span(name, attributes=attributes, record_exception=False) as current:
        try:
            yield current
        except BaseException as err:
            if isinstance(err, Exception):  # the others are how scripts and threads are told to stop
                outcome = type(err).__name__
                current.set_status(Status(StatusCode.ERROR, outcome))
            raise
        finally:
            _duration.record(time.perf_counter() - began, {"act": name, "outcome": outcome})


def stored(n: int) -> None:
    """Count rows that a group commit has stored."""
    _rows.add(n)
