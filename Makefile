# `make check test` is what CI runs; the environment must be active.

.PHONY: check test test-fast format golden

# Two workers share two cores: one thread of arithmetic each, or they fight.
# Bytecode is kept even where the environment says not to: without it collection takes thrice as long.
PYTEST = PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 python -m pytest -n 2

check:
	ruff format --check .
	ruff check .
	mypy
	PYTHONPATH=.typing lint-imports
	NO_MKDOCS_2_WARNING=1 mkdocs build --strict --quiet

# Each worker starts with half of the tests in their order, so that what a folder loads is warm, and
# takes over tests of the other when it has none: no worker waits for the other's last module.
test:
	$(PYTEST) --dist worksteal

# All but what loads checkpoints, reads real clips or starts processes: under a minute.
test-fast:
	$(PYTEST) --dist worksteal -m "not slow"

format:
	ruff format .
	ruff check --fix .

# What the commands print, against tests/golden/data; needs ../shared (about 2.5 minutes on two cores).
golden:
	python tests/golden/golden.py compare
