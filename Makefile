# `make check test` is what CI runs; the environment must be active.

.PHONY: check test format

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
