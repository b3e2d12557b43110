"""Benchmarks: `make bench`. Figures, not tests: a machine's noise fails nothing here."""
