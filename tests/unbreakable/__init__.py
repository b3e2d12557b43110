"""Milepost under fire: killed, sent everything thrice, without its store, with wrong clocks, fed with garbage, restored."""
