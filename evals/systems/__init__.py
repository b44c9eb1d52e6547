"""Answer: the systems under test, all through one contract."""
