# Two commands from a clone: `make demo` and `make test`. Both set up what they need.
PYTHON ?= python3
VENV := .venv
BENCH := .venv-bench
RUN := $(VENV)/bin/python
DEMO_ARGS := $(if $(FOR),--for $(FOR)) $(ARGS)

.PHONY: setup demo test bench-setup lock clean

setup: $(VENV)/.ready

# The stamp makes the set-up run once, and again whenever the lock file or the project file changes.
$(VENV)/.ready: requirements/dev.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "stream-monitor needs Python 3.11 or later: make PYTHON=python3.11 ...")'
	test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	$(RUN) -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

demo: setup
	$(VENV)/bin/stream-monitor demo $(DEMO_ARGS)

test: setup
	$(RUN) -m tests

# The peers of `python -m bench detection`, apart from us: they need another NumPy. The bench calls this by itself.
bench-setup: $(BENCH)/.ready

$(BENCH)/.ready: requirements/bench.lock
	test -x $(BENCH)/bin/python || $(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/bench.lock
	touch $@

# Resolve again (needs uv); the result serves Python 3.11 to 3.13 on every platform.
lock:
	uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11 pyproject.toml -o requirements/runtime.lock
	uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11 --group dev pyproject.toml -o requirements/dev.lock
	uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11 requirements/bench.in --override requirements/bench-overrides.txt -o requirements/bench.lock

clean:
	rm -rf $(VENV) $(BENCH) .mypy_cache .pytest_cache .ruff_cache .hypothesis
