"""
The governance catalogue: policy as data, validated once, read by detectors, KPIs, routing and the pages alike.

Why a file and not tables that a page edits: policy is reviewed, versioned and shipped like code, and a wrong key must
stop the start with the key, what it got and what it knows, not turn up as an odd number weeks later. The load into
`gov_*` tables (`catalogue_rows`) is what SQL reads; nothing else may hold an owner, a limit or a target.
"""

from __future__ import annotations

import difflib
import hashlib
import tomllib
from collections.abc import Collection, Mapping
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, model_validator

from schema.errors import BadConfig, explain
from schema.events import ObjectType
from schema.rules import (
    Calendar,
    Code,
    CodeMap,
    ExceptionPolicy,
    Feed,
    Interface,
    Kept,
    Lifecycle,
    Model,
    Reconcile,
    Stage,
    Team,
    Telemetry,
    Tolerance,
    Wait,
    Workflow,
)


class Catalogue(Model):
    """The whole catalogue. Cross references (owners, tolerances, states …) are checked, so that SQL may trust them."""

    version: str
    base_currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    rates: dict[str, Annotated[float, Field(gt=0)]]
    teams: dict[str, Team]
    workflows: dict[str, Workflow]
    lifecycles: dict[ObjectType, Lifecycle]
    stages: tuple[Stage, ...]
    tolerances: dict[str, Tolerance]
    reconcile: dict[str, Reconcile]
    exceptions: dict[str, ExceptionPolicy]
    calendars: dict[str, Calendar]
    feeds: dict[str, Feed] = Field(default_factory=dict)
    interfaces: dict[str, Interface] = Field(default_factory=dict)
    telemetry: Telemetry
    retention: dict[Kept, Annotated[int, Field(gt=0)]] = Field(default_factory=dict)
    code_maps: tuple[CodeMap, ...]

    @model_validator(mode="after")
    def _references_hold(self) -> Catalogue:
        for check in (self._workflows_hold, self._lifecycles_hold, self._exceptions_hold, self._edges_hold):
            check()
        return self

    def _workflows_hold(self) -> None:
        for name, w in self.workflows.items():
            _known(f"workflows.{name}.owner", w.owner, self.teams)
            _known(f"workflows.{name}.slo.tolerance", w.slo.tolerance, self.tolerances)
            self._wait(f"workflows.{name}.slo", w.slo)
        for name, tolerance in self.tolerances.items():
            if tolerance.wait:
                self._wait(f"tolerances.{name}.wait", tolerance.wait)

    def _lifecycles_hold(self) -> None:
        for type_, lifecycle in self.lifecycles.items():
            for i, guard in enumerate(lifecycle.guards):
                where = f"lifecycles.{type_}.guards[{i}]"
                self._state(f"{where}.for", type_, guard.for_)
                _known(f"{where}.owner", guard.owner, self.teams)
                if guard.state:
                    self._state(f"{where}.state", guard.on, guard.state)
                else:
                    _known(f"{where}.no_hold", guard.no_hold, self.lifecycles[guard.on].overlays)
        for i, stage in enumerate(self.stages):
            _known(f"stages[{i}].tolerance", stage.tolerance, self.tolerances)
            for state in stage.states:
                self._state(f"stages[{i}].states", stage.object_type, state)
            if stage.overlay:
                _known(f"stages[{i}].overlay", stage.overlay, self.lifecycles[stage.object_type].overlays)

    def _exceptions_hold(self) -> None:
        for code, policy in self.exceptions.items():
            _known(f"exceptions.{code}.owner", policy.owner, self.teams)
            _known(f"exceptions.{code}.escalate_to", policy.escalate_to, self.teams)
            for milestone in policy.awaits:
                type_, _, state = milestone.partition(".")
                self._state(f"exceptions.{code}.awaits", type_, state)
            if policy.workflow:
                _known(f"exceptions.{code}.workflow", policy.workflow, self.workflows)

    def _edges_hold(self) -> None:
        for name, rule in self.reconcile.items():
            _known(f"reconcile.{name}.owner", rule.owner, self.teams)
            for state in (*rule.states, *filter(None, [rule.expects])):
                self._state(f"reconcile.{name}", rule.object_type, state)
        for name, interface in self.interfaces.items():
            _known(f"interfaces.{name}.owner", interface.owner, self.teams)
            for item in interface.carries:
                self._state(f"interfaces.{name}.carries", item.object_type, item.state)
        for name, feed in self.feeds.items():
            _known(f"feeds.{name}.owner", feed.owner, self.teams)
            _known(f"feeds.{name}.calendar", feed.calendar, self.calendars)

    def _wait(self, where: str, wait: Wait) -> None:
        self._state(f"{where}.to", wait.object_type, wait.to)
        life = self.lifecycles[wait.object_type]
        begins = [*life.states, *(f"plan:{state}" for state in life.states), *(f"guard:{guard.name}" for guard in life.guards)]
        _known(f"{where}.from", wait.from_, begins)

    def _state(self, where: str, type_: str, state: str) -> None:
        lifecycles = {str(name): lifecycle for name, lifecycle in self.lifecycles.items()}
        _known(where, type_, lifecycles)
        _known(where, state, lifecycles[type_].states)

    @cached_property
    def _codes(self) -> dict[tuple[str, str, str, str, str], Code]:
        return {
            (m.list, m.element, m.partner, m.version, code): found for m in self.code_maps for code, found in m.codes.items()
        }

    def meaning(self, list_: str, element: str, code: str, *, partner: str = "", version: str = "") -> Code | None:
        """
        What a source code means for this partner and version, most specific map first; None if it maps to nothing.

        Source: X12 codes collide between elements 1650 and 1651, and EDIFACT 4405 differs from Rec. 24: list and
                element are part of the key.
        """
        for p, v in ((partner, version), (partner, ""), ("", version), ("", "")):
            if (found := self._codes.get((list_, element, p, v, code))) is not None:
                return found
        return None

    @cached_property
    def digest(self) -> str:
        """Changes when any rule does: what derives from the catalogue is then derived again."""
        return hashlib.blake2b(self.model_dump_json(by_alias=True).encode(), digest_size=8).hexdigest()


def _known(where: str, got: str, known: Collection[str]) -> None:
    if got not in known:
        near = difflib.get_close_matches(got, known, n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise ValueError(f"{where} names {got!r}{hint}; known: {', '.join(sorted(known))}")


def load(*overrides: Path) -> Catalogue:
    """
    The shipped catalogue with each override merged over it, in order.

    Raises: BadConfig, which names the file and the key, what it got and what it knows.
    """
    merged: dict[str, Any] = tomllib.loads(files("schema").joinpath("governance.toml").read_text("utf-8"))
    for path in overrides:
        try:
            merged = _merge(merged, tomllib.loads(path.read_text("utf-8")))
        except OSError as err:
            raise BadConfig(f"governance file {path}: {err.strerror or err}") from err
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
            raise BadConfig(f"governance file {path} is not TOML: {err}") from err
    return parse(merged, ", ".join(str(p) for p in overrides) or "the shipped governance.toml")


def parse(data: Mapping[str, Any], where: str) -> Catalogue:
    """Validate a merged catalogue; `where` names the file in the error."""
    try:
        return Catalogue.model_validate(data)
    except ValidationError as err:
        raise BadConfig(f"governance in {where}:\n{explain(err)}") from err


def _merge(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    out = dict(base)
    for key, value in over.items():
        old = out.get(key)
        out[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return out
