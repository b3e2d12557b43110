"""One of several processes runs the jobs, another takes over when it is gone, and two never do."""

from __future__ import annotations

import threading
import time

from schema import state
from schema.lease import Lease, holding
from schema.store import Store


def test_one_holds_it_until_it_lets_go_or_runs_out(store: Store) -> None:
    """Two rounds of the state at once would work on one another's scratch tables."""
    one, other = Lease(store, ttl_s=60), Lease(store, ttl_s=60)
    for lease in (one, other, one, other):
        lease.renew()
    assert (one.is_held, other.is_held) == (True, False)
    one.release()
    other.renew()
    one.renew()
    assert (one.is_held, other.is_held) == (False, True)


def test_another_takes_over_from_one_that_is_gone(store: Store) -> None:
    """A machine that dies tells nobody: the jobs go on elsewhere after some seconds, by themselves."""
    gone, heir = Lease(store, ttl_s=0.5), Lease(store, ttl_s=60)
    gone.renew()
    heir.renew()
    assert not heir.is_held
    while gone.is_held:
        time.sleep(0.05)
    while not heir.is_held:
        heir.renew()
    gone.renew()
    assert (gone.is_held, heir.is_held) == (False, True)


def test_of_many_that_claim_at_once_one_gets_it(store: Store) -> None:
    """The moment at which a lease runs out is the moment at which all others ask for it."""
    for _ in range(3):
        all_of_them = [Lease(store, ttl_s=60) for _ in range(6)]
        gate = threading.Barrier(len(all_of_them))

        def claim(lease: Lease, gate: threading.Barrier = gate) -> None:
            gate.wait()
            lease.renew()

        threads = [threading.Thread(target=claim, args=(lease,)) for lease in all_of_them]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        held = [lease for lease in all_of_them if lease.is_held]
        assert len(held) == 1
        held[0].release()


def test_a_fold_of_everything_is_left_to_the_process_that_has_the_jobs(store: Store) -> None:
    """Two that fold at once take each other's scratch tables for their own; one that died is waited for."""
    if store.is_embedded:  # one process, and no lease
        with holding(store, wait_s=0) as is_ours:
            assert is_ours
        return
    other = Lease(store, ttl_s=60)
    other.renew()
    with holding(store, wait_s=0) as is_ours:
        assert not is_ours
    other.release()
    gone = Lease(store, ttl_s=1.0)
    gone.renew()
    assert state.is_owed(store)
    state.settle(store)
    assert not state.is_owed(store)
    other.renew()
    assert other.is_held, "and what was held for the fold is free again"
