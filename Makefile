# Two commands are all a fresh machine needs: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: demo test check audit docs clean

demo: $(VENV)/.demo  ## Does Txt2HSI help on Indian Pines? Tables, and a page with maps: demo.html.
	$(BIN)/hsiaug benchmark indian_pines --generator txt2hsi --lambda 0.5
	$(BIN)/hsiaug report --out demo.html

test: $(VENV)/.dev  ## Run the tests; those of one room: make test ROOM=report.
	$(BIN)/python -m pytest -n auto --dist worksteal $(if $(ROOM),tests/$(ROOM))

check: audit  ## Lint, types, which way imports point, the workflow, and known weaknesses of dependencies.
	$(BIN)/ruff check .
	$(BIN)/ruff check --preview --select PLW1514 hsiaug plugins benchmarks  # every text file has a stated encoding
	$(BIN)/ruff format --check .
	$(BIN)/mypy hsiaug plugins/hsiaug_*
	$(BIN)/lint-imports
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/readme.yml
	$(BIN)/python -m pip check

# Where no service of advisories answers, pip-audit skips every package and ends well: it is asked of a known weakness first.
audit: $(VENV)/.dev  ## Known weaknesses of the installed packages; says so where no service of advisories answers.
	@if echo jinja2==3.1.2 | $(BIN)/pip-audit -r /dev/stdin --no-deps --disable-pip 2>&1 | grep -qE 'PYSEC-|GHSA-|CVE-'; \
	then $(BIN)/pip-audit --skip-editable; \
	else echo 'NOT AUDITED: no service of advisories answers (pip-audit knows no weakness of jinja2 3.1.2)'; fi

docs: $(VENV)/.dev  ## Build the site of the documentation, build/docs/index.html; a warning is an error.
	$(BIN)/python -m sphinx -W --keep-going -b html -c docs -d build/doctrees . build/docs

clean:
	rm -rf $(VENV)

$(VENV)/.demo: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -e '.[geo,ui]'
	touch $@

$(VENV)/.dev: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -e '.[dev]'
	touch $@
