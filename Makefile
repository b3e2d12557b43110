# Milepost's commands. Everything lands in this folder: .venv (the environment) and .cache (what only the tests need).
#
# Why make and so little of it: a bare machine with Python 3.11 and make must come to a running demo by one command, and
# a second run must install nothing. The stamp is named after what was installed, so a changed requirement installs again.
.DEFAULT_GOAL := help
.PHONY: help demo up test bench fuzz clean

VENV := .venv
PYTHON := $(VENV)/bin/python
HASH := $(shell (pwd; cat pyproject.toml .constraints.txt) | cksum | cut -d ' ' -f 1)
INSTALLED := $(VENV)/.installed-$(HASH)
INSTALLED_TEST := $(VENV)/.installed-$(HASH)-test
INSTALLED_BENCH := $(VENV)/.installed-$(HASH)-bench

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' Makefile

demo: $(INSTALLED) ## A simulated enterprise and its dashboard, on this machine alone
	$(VENV)/bin/milepost demo

up: $(INSTALLED) ## Milepost with your own milepost.toml
	$(VENV)/bin/milepost up

test: $(INSTALLED_TEST) ## Lint, types, what is known against us, and every test, on both engines
	$(PYTHON) tests/parts/setup.py
	$(PYTHON) -m ruff check .
	@echo "$(PYTHON) -m mypy and tests/parts/audit.py, beside the tests: they say their word after them"; \
	$(PYTHON) -m mypy >$(VENV)/.mypy 2>&1 & types=$$!; \
	$(PYTHON) tests/parts/audit.py >$(VENV)/.audit 2>&1 & audit=$$!; \
	echo "$(PYTHON) -m pytest -n 3 --dist loadfile"; \
	$(PYTHON) -m pytest -n 3 --dist loadfile; tests=$$?; \
	wait $$types; types=$$?; wait $$audit; audit=$$?; cat $(VENV)/.mypy $(VENV)/.audit; \
	[ $$tests = 0 ] && [ $$types = 0 ] && [ $$audit = 0 ]

BENCH ?= --events 5,20
bench: $(INSTALLED_BENCH) ## How fast it is here, against the bars, over millions of events (an hour; BENCH="--events 5")
	$(PYTHON) tests/parts/setup.py
	$(PYTHON) -m tests.bench $(BENCH)

MINUTES ?= 10
fuzz: $(INSTALLED_TEST) ## Mutations of every format's samples against its decoder, for MINUTES (10)
	$(PYTHON) -m tests.unbreakable.fuzz --minutes $(MINUTES)

clean: ## Remove the environment and all that was built (never your data)
	rm -rf $(VENV) .cache build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# uv resolves the OpenTelemetry packages in seconds where pip backtracks for minutes; pip does where uv cannot be had.
define install
	@$(PYTHON) -m uv --version >/dev/null 2>&1 || $(PYTHON) -m pip install --quiet --disable-pip-version-check uv \
		|| echo "uv cannot be had: installing with pip, which takes longer"
	@if $(PYTHON) -m uv --version >/dev/null 2>&1; then \
		$(PYTHON) -m uv pip install --python $(PYTHON) -c .constraints.txt -e $(1); \
	else \
		$(PYTHON) -m pip install --disable-pip-version-check -c .constraints.txt -e $(1); \
	fi
	@rm -f $(VENV)/.installed-*
endef

$(INSTALLED): | $(PYTHON)
	$(call install,.)
	@touch $@

$(INSTALLED_TEST): | $(PYTHON)
	$(call install,'.[test]')
	@touch $(INSTALLED) $@

$(INSTALLED_BENCH): | $(PYTHON)
	$(call install,'.[bench]')
	@touch $(INSTALLED) $(INSTALLED_TEST) $@

# A name on the PATH proves nothing (pyenv leaves shims of versions that are not chosen): each candidate is run.
$(PYTHON):
	@for python in python3.13 python3.12 python3.11 python3; do \
		$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && break; python=; \
	done; \
	if [ -z "$$python" ]; then \
		echo "Milepost needs Python 3.11 or newer, and none is on the PATH (Debian, Ubuntu: apt-get install python3 python3-venv)"; \
		exit 1; \
	fi; \
	if ! $$python -c 'import ensurepip, venv' >/dev/null 2>&1; then \
		package=$$($$python -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'); \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "installing $$package, without which $$python makes no environment"; \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$$package" >/dev/null; \
		else \
			echo "$$python makes no environment without its venv module (Debian, Ubuntu: apt-get install $$package)"; \
			exit 1; \
		fi; \
	fi; \
	$$python -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
