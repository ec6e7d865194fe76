# Everything starts here: `make demo` and `make test` do all of their own set-up.
# Another Python: make demo PYTHONS=/opt/python3.12/bin/python3

PYTHONS = python3.13 python3.12 python3.11 python3
PYTHON  = .venv/bin/python
READY   = .venv/.ready

.DEFAULT_GOAL = help
.PHONY: help demo test test-full format clean

help:       ## show these lines
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile

demo: $(READY)  ## train Korean-English on the built-in phrasebook, score it, translate with it
	@.venv/bin/onmal demo

test: $(READY)  ## lint, format, types, and every test that is not slow
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	$(PYTHON) -m mypy
	$(PYTHON) -m pytest -m "not slow" -n auto --dist worksteal

test-full: $(READY)  ## the same with the slow tests; what they found is kept in benchmarks/results
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	$(PYTHON) -m mypy
	ONMAL_KEEP_RESULTS=benchmarks/results $(PYTHON) -m pytest

format: $(READY)  ## put code, links into it and result tables in order
	$(PYTHON) -m ruff check --fix
	$(PYTHON) -m ruff format
	$(PYTHON) docs/links.py
	$(PYTHON) benchmarks/tables.py
	$(PYTHON) benchmarks/scaling.py --tables

clean:      ## remove the virtual environment and every cache; runs/ stays
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# A virtual environment that was cut off half-way, or whose Python is gone, is made again.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -m pip --version >/dev/null 2>&1 || { \
	    found=; \
	    for python in $(PYTHONS); do \
	        if "$$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
	        then found=$$python; break; fi; \
	    done; \
	    if [ -z "$$found" ]; then \
	        echo "onmal: no Python 3.11 or newer with its venv module found (looked for: $(PYTHONS)); install one from python.org, or: apt install python3-venv" >&2; \
	        exit 1; \
	    fi; \
	    echo "onmal: making .venv with $$found ..."; \
	    "$$found" -m venv --clear .venv; \
	}
	@echo "onmal: installing (a minute or two) ..."
	@$(PYTHON) -m pip install --quiet --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $(READY)
