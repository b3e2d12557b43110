"""
How much one source slows another: a steady sender's acknowledgements while another source floods, trickles, sends garbage or
ten-gigabyte bombs, against its acknowledgements while it is alone. The bar is twice.

Why by short turns (alone, attacked, alone, attacked …): a machine gets slower and faster by itself, and only neighbours in time
can be compared. Attackers, sender and Milepost share the cores, so a part of the ratio is that of the cores themselves. At the end
a source that sends all it can is measured in the same way, by what is stored of it: a fair half is a ratio of two.

    python -m tests.bench.fairness [--rounds 3] [--seconds 2] [flood garbage bombs trickle busy]
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx

from schema.store import connect
from tests.bench.attackers import JSON, events
from tests.parts.house import House

BAR = 2.0
ATTACKS = ("flood", "garbage", "bombs", "trickle")
STORED = """
SELECT sum(n_rows) FROM messages
WHERE source = {source:String} AND stored_at >= {began:DateTime64(3, 'UTC')} AND stored_at < {ended:DateTime64(3, 'UTC')}
"""
Window = tuple[datetime, datetime]
FLOOD_SOURCE = '[sources.flood]\nkind = "webhook"\nformat = "cloudevents"\n'


@contextlib.contextmanager
def under(attack: str, port: int, *said: str) -> Iterator[None]:
    """The attack, by a process of its own, from when it is under way until the block ends."""
    command = [sys.executable, "-m", "tests.bench.attackers", attack, str(port), *said]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as attackers:
        assert attackers.stdout is not None
        attackers.stdout.readline()
        try:
            yield
        finally:
            attackers.kill()


def acknowledgements(url: str, seconds: float) -> list[float]:
    """How long single events of the steady sender take to be acknowledged, one after another, twenty a second at most."""
    waits, body = list[float](), events(1, "STEADY")
    end = time.monotonic() + seconds
    with httpx.Client(timeout=60, trust_env=False) as client:
        client.post(f"{url}/v1/events", content=body, headers=JSON).raise_for_status()
        while time.monotonic() < end or len(waits) < 5:
            began = time.monotonic()
            client.post(f"{url}/v1/events", content=body, headers=JSON).raise_for_status()
            waits.append(time.monotonic() - began)
            time.sleep(0.05)
    return waits


def measured(house: House, attack: str, rounds: int, seconds: float) -> float:
    """Alone and under the attack by turns; how many times as long the median took."""
    alone, during = list[float](), list[float]()
    for _ in range(rounds):
        alone += acknowledgements(house.url, seconds)
        with under(attack, house.port):
            during += acknowledgements(house.url, seconds)
        time.sleep(1)  # what the attackers left behind is worked off
    ratio = statistics.median(during) / statistics.median(alone)
    figures = ", ".join(
        f"{what} p50 {1000 * statistics.median(waits):.0f} ms, p95 {1000 * sorted(waits)[int(0.95 * len(waits))]:.0f} ms"
        for what, waits in (("alone", alone), ("beside it", during))
    )
    print(f"{attack:<8} {figures} (n {len(during)}): {ratio:.1f}x, {'within' if ratio <= BAR else 'OVER'} {BAR:.0f}x", flush=True)
    return ratio


def busy(house: House, rounds: int, seconds: float) -> dict[str, list[Window]]:
    """A source that sends all it can on three connections, alone and beside one that floods on twelve, by turns."""
    windows: dict[str, list[Window]] = {"alone": [], "beside": []}
    with under("flood", house.port, "/v1/events", "3"):
        for _ in range(rounds):
            windows["alone"].append(_window(seconds))
            with under("flood", house.port, "/hooks/flood", "12"):
                windows["beside"].append(_window(seconds))
            time.sleep(1)
    return windows


def _window(seconds: float) -> Window:
    began = datetime.now(UTC)
    time.sleep(seconds)
    return began, datetime.now(UTC)


def slowed(house: House, windows: dict[str, list[Window]]) -> float:
    """How many times as many events of the busy source were stored while it was alone."""
    with contextlib.closing(connect(house.dsn)) as store:
        n = {
            when: sum(int(store.value(STORED, {"began": began, "ended": ended, "source": "events"})) for began, ended in told)
            for when, told in windows.items()
        }
    ratio = n["alone"] / n["beside"]
    verdict = "within" if ratio <= BAR else "OVER"
    print(f"busy     alone {n['alone']:,} events, beside a flood {n['beside']:,}: {ratio:.1f}x, {verdict} {BAR:.0f}x", flush=True)
    return ratio


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("parts", nargs="*", default=[*ATTACKS, "busy"], help="which parts (default: all)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each attack")
    parser.add_argument("--seconds", type=float, default=2, help="how long a turn is")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder))
        with (house.folder / "milepost.toml").open("a") as file:
            file.write(FLOOD_SOURCE)
        house.start()
        try:
            acknowledgements(house.url, asked.seconds)
            ratios = [measured(house, attack, asked.rounds, asked.seconds) for attack in asked.parts if attack in ATTACKS]
            windows = busy(house, asked.rounds, 2 * asked.seconds) if "busy" in asked.parts else {}
        finally:
            house.stop()
        if windows:
            ratios.append(slowed(house, windows))
    sys.exit(max(ratios) > BAR)


if __name__ == "__main__":
    main()
