"""
The cast of the demo: regions, warehouses, carriers, customers, systems and the interfaces of the middleware.

Why fixed and not drawn: a story is told about places and partners with names, and the governance file of the demo, the
faults and the tests all speak of the same ones. What differs from run to run is what happens to them.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple


class Region(NamedTuple):
    name: str
    zone: str
    share: float
    places: tuple[str, ...]


class Warehouse(NamedTuple):
    name: str
    region: str
    share: float
    place: str


class Carrier(NamedTuple):
    scac: str
    title: str
    mode: str
    share: float

    @property
    def source(self) -> str:
        return f"carrier-{self.scac.lower()}"


class Customer(NamedTuple):
    name: str
    region: str
    currency: str


REGIONS = {
    r.name: r
    for r in (
        Region("EU-West", "Europe/Paris", 0.42, ("Antwerp BE", "Venlo NL", "Lille FR", "Metz FR", "Ghent BE", "Leeds GB")),
        Region("EU-North", "Europe/Stockholm", 0.28, ("Malmo SE", "Aarhus DK", "Orebro SE", "Oslo NO", "Turku FI", "Umea SE")),
        Region("US-East", "America/New_York", 0.30, ("Harrisburg PA", "Albany NY", "Richmond VA", "Columbus OH", "Raleigh NC")),
    )
}  # fmt: skip
WAREHOUSES = {
    w.name: w
    for w in (
        Warehouse("RTM1", "EU-West", 0.64, "Rotterdam NL"),
        Warehouse("LYS1", "EU-West", 0.36, "Lyon FR"),
        Warehouse("GOT1", "EU-North", 1.0, "Gothenburg SE"),
        Warehouse("EWR1", "US-East", 1.0, "Newark NJ"),
    )
}
CARRIERS = {
    c.scac: c
    for c in (
        Carrier("VELO", "Velo Parcel", "parcel", 0.30),
        Carrier("NRDX", "Nordex Parcel", "parcel", 0.18),
        Carrier("QKPK", "Quickpack", "parcel", 0.14),
        Carrier("HLTR", "Halter Trucking", "ftl", 0.16),
        Carrier("BRGT", "Bright Freight", "ltl", 0.18),
        Carrier("OCLN", "Oceanline", "ocean", 0.04),
    )
}
# Where a carrier is stronger than its share elsewhere.
STRONGHOLDS = {("EU-North", "NRDX"): 0.42, ("US-East", "HLTR"): 0.30}
_NAMES = (
    "Abel", "Baird", "Calder", "Denby", "Elmore", "Farrow", "Garrick", "Holt", "Iver", "Jansen",
    "Keller", "Lund", "Mercer", "Norden", "Olsen", "Pryor", "Quill", "Rask", "Sayer", "Thorne",
    "Ulmer", "Vance", "Weller", "Yates", "Zeller", "Arden", "Borg", "Crane", "Dahl", "Eklund",
    "Fisk", "Grove", "Hale", "Imhof", "Jarvis", "Kerr", "Lowe", "Marsh", "Nash", "Oake",
)  # fmt: skip
_KINDS = ("Retail", "Foods", "Tools", "Medical", "Electric", "Textiles", "Outdoor", "Parts")


def _customers() -> tuple[Customer, ...]:
    regions = ["EU-West"] * 17 + ["EU-North"] * 11 + ["US-East"] * 12
    currency = {"EU-West": "EUR", "EU-North": "EUR", "US-East": "USD"}
    return tuple(
        Customer(f"{name} {_KINDS[i % len(_KINDS)]}", region, "GBP" if region == "EU-West" and i % 3 == 2 else currency[region])
        for i, (name, region) in enumerate(zip(_NAMES, regions, strict=True))
    )


CUSTOMERS = _customers()
ORDER_CLASSES = {"standard": 0.7, "express": 0.22, "project": 0.08}
SKUS = tuple(f"SKU-{1000 + 37 * i}" for i in range(60))
REASONS = ("damage", "cycle count", "shelf correction", "expiry", "mispick")

# What speaks: a source of the configuration for each system and each partner's feed.
ETA_FEED, NIGHTLY_FEED = "eta-brgt", "stock-nightly"
SYSTEM_SOURCES = ("portal", "erp", "wms", "tms", *(c.source for c in CARRIERS.values()))
TRACES = "otlp"
SHARES = {name: [STRONGHOLDS.get((name, c.scac), c.share) for c in CARRIERS.values()] for name in REGIONS}
CAST_BY_REGION = {name: tuple(c for c in CUSTOMERS if c.region == name) for name in REGIONS}
HOUSES_BY_REGION = {name: tuple(w for w in WAREHOUSES.values() if w.region == name) for name in REGIONS}


@cache
def service_of(interface: str, warehouse: str = "") -> str:
    """The service of the integration hub that serves an interface; each WMS and each carrier has one of its own."""
    system, *rest = interface.split(".")
    if system == "carrier":
        return f"carrier-{rest[0].lower()}"
    if system == "wms":
        return f"wms-connector-{warehouse.lower()}"
    return f"{'erp' if system == 'returns' else system}-connector"
