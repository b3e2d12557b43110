"""The tests. A package, so that `tests/schema/test_x.py` and `tests/collectors/test_x.py` may share a name."""
