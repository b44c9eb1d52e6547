# `make check test` is what CI runs; the environment must be active.

.PHONY: check test format golden

check:
	ruff format --check .
	ruff check .
	mypy
	PYTHONPATH=.typing lint-imports

test:
	python -m pytest

format:
	ruff format .
	ruff check --fix .

# What the commands print, against tests/golden/data; needs ../shared (about 2.5 minutes on two cores).
golden:
	python tests/golden/golden.py compare
