"""
The rules that a governance catalogue is made of, each as one validated table of the file.

Why apart from the catalogue: a rule knows only itself (a rank, a limit, a zone); whether what it names exists is for the
catalogue to check, which sees them all.
"""

from __future__ import annotations

from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from schema.events import Classifier, ObjectType

Ratio = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[int, Field(ge=0)]
Kept = Literal["events", "messages", "findings", "rejects", "exceptions", "kpi_snapshots",
               "otel_traces", "otel_logs", "otel_metrics"]  # fmt: skip
UNKNOWN = "unknown"


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Team(Model):
    title: str
    contact: str = ""


class Wait(Model):
    """What an object waits for: `to`, from a state, from a planned state ('plan:'), or from when a guard was met ('guard:')."""

    object_type: ObjectType
    from_: str = Field(alias="from")
    to: str


class Slo(Wait):
    """A promise: such a wait ends within the tolerance, for `target` of them."""

    tolerance: str
    target: Ratio
    window_days: Annotated[int, Field(gt=0, le=366)]


class Workflow(Model):
    title: str
    owner: str
    priority: Annotated[int, Field(ge=1, le=9)]
    weight: Ratio
    object_types: tuple[ObjectType, ...]
    slo: Slo


class State(Model):
    rank: Annotated[int, Field(gt=0, le=1000)]
    roles: tuple[str, ...] = ()
    is_reversal: bool = False
    is_final: bool = False
    is_active: bool = False
    is_facility: bool = False


class Overlay(Model):
    cleared_by: tuple[str, ...]
    is_block: bool = False


class Guard(Model):
    """What must hold before a state: a milestone (`state`) or the absence of a hold (`no_hold`) on an object."""

    for_: str = Field(alias="for")
    name: str
    on: ObjectType
    state: str = ""
    no_hold: str = ""
    owed_by: str
    owner: str

    @model_validator(mode="after")
    def _one_condition(self) -> Guard:
        if bool(self.state) == bool(self.no_hold):
            raise ValueError(f"guard {self.name!r} needs exactly one of state and no_hold")
        return self


class Lifecycle(Model):
    systems_of_record: tuple[str, ...]
    states: dict[str, State]
    overlays: dict[str, Overlay] = {}
    guards: tuple[Guard, ...] = ()


class Stage(Model):
    name: str
    object_type: ObjectType
    states: tuple[str, ...] = ()
    overlay: str = ""
    tolerance: str


class Tolerance(Model):
    """A limit and a target; with `wait`, every wait of this kind is kept with its beginning and end, for KPIs to count."""

    title: str
    unit: Literal["ratio", "count", "seconds", "currency", "per_hour"]
    target: float
    watch: float
    limit_s: Seconds
    by_mode: dict[str, Seconds] = {}
    clock: Literal["wall", "business"] = "wall"
    wait: Wait | None = None


class Reconcile(Model):
    """Once the leader has asserted one of `states`, the follower must assert `expects` (empty: the same) in time."""

    object_type: ObjectType
    leader: str
    follower: str
    states: tuple[str, ...]
    expects: str = ""
    tolerance_s: Seconds
    owner: str


class Carries(Model):
    object_type: ObjectType
    state: str


class Interface(Model):
    """An edge of the middleware: whose it is, and which milestones travel over it (so that a silent loss is counted)."""

    title: str
    owner: str
    carries: tuple[Carries, ...] = ()
    carrier: str = ""


class ExceptionPolicy(Model):
    """`awaits` names the milestones (object_type.state) whose absence it is: the join to the interface that carries them."""

    title: str
    owner: str
    severity: Annotated[int, Field(ge=1, le=4)]
    sla_s: Seconds
    escalate_to: str
    workflow: str = ""
    awaits: tuple[Annotated[str, Field(pattern=r"^[a-z]+\.[a-z_]+$")], ...] = ()


class Calendar(Model):
    zone: str
    days: tuple[Annotated[int, Field(ge=1, le=7)], ...]
    opens: Annotated[str, Field(pattern=r"^\d\d:\d\d$")]
    closes: Annotated[str, Field(pattern=r"^\d\d:\d\d$")]
    country: str = ""

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError) as err:
            raise ValueError(f"{value!r} is no IANA time zone such as 'Europe/Berlin'") from err
        return value


class Feed(Model):
    """How often a source is expected to speak. `carrier` and `region` say whose business waits for it."""

    title: str
    cadence_s: Annotated[int, Field(gt=0)]
    grace_s: Seconds
    owner: str
    calendar: str = "always"
    carrier: str = ""
    region: str = ""


class Telemetry(Model):
    keys: dict[ObjectType, tuple[str, ...]]
    interface: tuple[str, ...]
    partner: tuple[str, ...]
    attempt: tuple[str, ...]
    message: tuple[str, ...]


class Code(Model):
    """What one source code means: a state or overlay, whether planned or estimated, and an exception code."""

    state: str = ""
    classifier: Classifier = "ACT"
    exception: str = ""


class CodeMap(Model):
    list: str
    element: str
    partner: str = ""
    version: str = ""
    codes: dict[str, Code]
