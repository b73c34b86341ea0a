# make demo   shows the tool at work on the broken programs in fixtures/
# make test   sets everything up and runs every check and test
# make help   lists the rest

PYTHON ?= python3

venv := .venv
bin := $(venv)/bin
# The package as it is installed, made of links: mypy sees rules and fixers where the imports say they are.
layout := build/layout/claude_api_lint

# One program for each of two rules, to show what mending looks like.
examples := $(foreach code,CAV101 CAV301,$(firstword $(sort $(wildcard fixtures/broken/$(code)/*.py))))

.PHONY: help venv demo test lint format accuracy docs pages docs/programs.md clean

help:
	@echo "make demo | test | lint | format | accuracy | docs | pages | docs/programs.md | venv | clean"

venv: $(venv)/ready-for-tests

demo: $(venv)/ready
	@echo "What is wrong with the programs in fixtures/broken:"
	@echo
	@$(bin)/claude-api-lint check fixtures/broken; test $$? -eq 1
	@echo
	@echo "What 'claude-api-lint fix' would do about two of them:"
	@echo
	@$(bin)/claude-api-lint fix --diff $(examples); test $$? -eq 1

test: lint
	$(bin)/pytest -n auto --dist loadgroup

lint: $(venv)/ready-for-tests
	$(bin)/ruff format --check
	$(bin)/ruff check
	rm -rf $(layout) && mkdir -p $(layout)
	ln -s $(CURDIR)/claude_api_lint/* $(CURDIR)/lint_rules $(CURDIR)/fixers $(layout)
	ln -sfn $(CURDIR)/fixtures/server $(CURDIR)/fixtures/harness $(dir $(layout))
	ln -sfn $(CURDIR)/examples/acme-claude-rules/acme_claude_rules $(dir $(layout))
	cd $(dir $(layout)) && $(CURDIR)/$(bin)/mypy --config-file $(CURDIR)/pyproject.toml

format: $(venv)/ready-for-tests
	$(bin)/ruff format
	$(bin)/ruff check --fix

# Downloads published packages and measures findings and fixes on them; takes a while.
accuracy: $(venv)/ready
	$(bin)/python benchmarks/accuracy/run.py

# The documentation as a site, in build/site. A page or a link that is not there ends it.
docs: $(venv)/ready-for-docs
	NO_MKDOCS_2_WARNING=1 $(bin)/mkdocs build --strict --quiet
	@echo "build/site/index.html"

# The pages and parts of pages that are made from the code, and the picture of what the tool prints.
pages: $(venv)/ready
	$(bin)/python docs/make_rules.py
	$(bin)/python docs/make_parts.py
	$(bin)/python docs/make_screenshot.py

# Runs each program in fixtures/broken/*/programs before and after it is fixed, and writes down what it printed.
docs/programs.md: $(venv)/ready-for-tests
	$(bin)/python docs/make_programs.py

# The environment is made anew when pyproject.toml changes, so that it never holds what is no longer asked for.
$(venv)/ready: pyproject.toml
	$(PYTHON) -m venv --clear $(venv)
	$(bin)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(venv)/ready-for-tests: $(venv)/ready
	$(bin)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

$(venv)/ready-for-docs: $(venv)/ready
	$(bin)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	touch $@

clean:
	rm -rf $(venv) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
