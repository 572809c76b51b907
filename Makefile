# Two commands are all a fresh machine needs: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: demo test check docs clean

demo: $(VENV)/.demo  ## Does Txt2HSI help on Indian Pines? Tables, and a page with maps: demo.html.
	$(BIN)/hsiaug benchmark indian_pines --generator txt2hsi --lambda 0.5
	$(BIN)/hsiaug report --out demo.html

test: $(VENV)/.dev  ## Run the tests; those of one room: make test ROOM=report.
	$(BIN)/python -m pytest -n auto $(if $(ROOM),tests/$(ROOM))

check: $(VENV)/.dev  ## Lint, types, and which way imports point.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy hsiaug plugins/hsiaug_*
	$(BIN)/lint-imports
	$(BIN)/python -m pip check

docs: $(VENV)/.dev  ## Build the site of the documentation, build/docs/index.html; a warning is an error.
	$(BIN)/python -m sphinx -W --keep-going -b html -c docs -d build/doctrees . build/docs

clean:
	rm -rf $(VENV)

$(VENV)/.demo: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -e .
	touch $@

$(VENV)/.dev: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -e '.[dev]'
	touch $@
