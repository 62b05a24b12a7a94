# `make` lists what there is. Everything runs in $(VENV), which is made on demand.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
COMPLETE := $(VENV)/.complete
CONFIG ?= examples/session.toml
# Many quick tests wait for a process or a time limit: three workers keep two cores busy.
WORKERS ?= 3
# Compiled modules are kept whatever the environment says: hundreds of processes load the same ones.
export PYTHONDONTWRITEBYTECODE :=
CHECKS = $(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy --strict
# The Python of an environment in which a wheel was installed (WHEEL=path), or that of this checkout.
TRIED = $(or $(WHEEL),$(BIN)/python)
# A file's tests run in one process: they share what is costly to make. A process that dies ends
# the run: one that took its place would leave it waiting for ever.
PYTEST = $(BIN)/pytest -q -n $(WORKERS) --dist loadfile --max-worker-restart 0
# Where C extensions stand beside the sources, those are what is tested: extensions older than the
# sources fail a test.
IF_COMPILED = LOGOS_EXPECT_COMPILED=$(if $(wildcard src/logos/core/*.so),1,0)

.DEFAULT_GOAL := help
.PHONY: coverage guard-campaign help env session shell test test-rest test-all compiled interpreted test-compiled bench fixtures lint format clean kill-campaign soak fleet-campaign crash-campaign attack mutation plant-faults manual peers

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

env: $(COMPLETE) ## Make or refresh the virtual environment, everything in it

# The stamp is written last, so an interrupted installation is taken up again.
$(INSTALLED): pyproject.toml constraints.txt setup.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "logos needs Python 3.11 or newer, and '$(PYTHON)' is not:" \
			"$$($(PYTHON) --version 2>&1); try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "'$(PYTHON)' cannot make environments: install your system's python3-venv package" >&2; \
		exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || \
		$(PYTHON) -m venv $(if $(wildcard $(VENV)/pyvenv.cfg),--clear) $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt setuptools wheel
	$(BIN)/python -m pip install --quiet -c constraints.txt --no-build-isolation -e '.[parquet]'
	@touch $@

# What the tests need besides: the adapters' libraries and the tools.
$(COMPLETE): $(INSTALLED)
	$(BIN)/python -m pip install --quiet -c constraints.txt --no-build-isolation -e '.[all,dev]'
	@touch $@

session: $(INSTALLED) ## Run a whole paper session from the bundled data (CONFIG=file.toml)
	@$(BIN)/python -m logos.live trade --config $(CONFIG)
	@echo
	@echo "What next:"
	@echo "  learn it           docs/TUTORIAL.md: your own strategy, in 30 minutes"
	@echo "  see the result     make report     (its page in the browser; docs/ARTIFACTS.md has every file)"
	@echo "  use the command    make shell      (puts logos on the PATH; then: logos --help)"
	@echo "  write a strategy   logos new NAME; docs/WRITING-A-STRATEGY.md"

.PHONY: report
report: $(INSTALLED) ## Make a session's report.html and open it (ID=session, default: the newest)
	@id="$(or $(ID),$(notdir $(patsubst %/,%,$(dir $(lastword $(shell ls -rt runs/live/sessions/*/state.jsonl 2>/dev/null))))))"; \
		[ -n "$$id" ] || { echo "no session yet: make session" >&2; exit 2; }; \
		$(BIN)/python -m logos.live report --open "$$id"

shell: $(INSTALLED) ## Open a shell with logos on its PATH; `exit` leaves it
	@echo "logos is on the PATH of this shell; leave it with: exit"
	@echo "(for a shell of your own: . $(BIN)/activate)"
	@PATH="$(abspath $(BIN)):$$PATH" exec "$${SHELL:-/bin/sh}"

# Style, format and types are checked while the tests run; what they say comes after.
test: env ## Run what a change must pass: tests (but for `test-rest`), style, format, types
	@said=$$(mktemp); { $(CHECKS); } >$$said 2>&1 & linting=$$!; \
		status=0; $(IF_COMPILED) $(PYTEST) -m "not campaign and not long" $(TESTS) || status=$$?; \
		wait $$linting || status=1; cat $$said; rm -f $$said; exit $$status

test-rest: env ## Run the long tests, samples, sweeps and matrices that `test` leaves out
	$(IF_COMPILED) $(PYTEST) -m "campaign or long" $(TESTS)

lint: env ## Check style, format and types
	@$(CHECKS)

format: env ## Rewrite the sources in the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test-all: ## Run the tests on each of Python 3.11, 3.12 and 3.13 that is here (PYTHON312=path)
	@.ci/test-all

compiled: env interpreted ## Build the core as C extensions, beside the sources (EXTENSIONS=folder: built there before)
	@if [ -n "$(EXTENSIONS)" ]; then cp -R "$(EXTENSIONS)/." src/; else \
		LOGOS_COMPILE=1 $(BIN)/python setup.py --quiet build_ext --inplace; fi
	@ls src/logos/core/*.so >/dev/null || { echo "no extension was built" >&2; exit 1; }

interpreted: ## Remove the C extensions: the core runs as Python again
	@rm -rf build src/logos/core/built_from.txt
	@find src -name '*.so' -delete

test-compiled: compiled ## Run the tests against the C extensions, then remove them
	@status=0; LOGOS_EXPECT_COMPILED=1 $(PYTEST) -m "not campaign" $(TESTS) || status=$$?; \
		$(MAKE) --no-print-directory interpreted; exit $$status

.PHONY: dist dist-check
dist: env ## Make the sdist and the compiled wheels for each Python that is here, in dist/
	$(BIN)/python tools/make_dist.py

dist-check: env ## Install what `make dist` made in clean environments, and run a session in each (DIST=folder)
	$(BIN)/python tests/helpers/dist_check.py $(DIST)

.PHONY: same-bytes
same-bytes: env ## One session on each Python, core, reading, swept and alone: a table of hashes (DIST="folder ...")
	$(BIN)/python tests/helpers/same_bytes.py $(DIST)

guard-campaign: env ## A million generated orders against generated limits (about 8 minutes)
	$(BIN)/python tests/helpers/guard_campaign.py 1000000

coverage: env ## Which lines the tests run, by room; 80 % of intents, market, feeds, guards, persistence
	$(BIN)/python tests/helpers/coverage_by_room.py $(TESTS)

peers: ## Let another engine trade three strategies of examples/ anew, for tests/oracles (DATA=folder)
	$(PYTHON) -m venv build/peers
	build/peers/bin/pip install --quiet backtesting==0.6.6
	build/peers/bin/python tests/oracles/peer_backtesting.py $(or $(DATA),../shared/market) \
		> build/peer_trades.json
	mv build/peer_trades.json tests/oracles/peer_trades.json

.PHONY: sweep-campaign
sweep-campaign: env ## 200 sessions on two workers, five killed, the switch thrown; 60 kills of whole sweeps (SESSIONS=n KILLS=n SEED=n WHEEL=its Python)
	$(TRIED) tests/helpers/sweep_campaign.py $(or $(SESSIONS),200) $(or $(SEED),1)
	$(TRIED) tests/helpers/sweep_kill_trials.py $(or $(KILLS),60) $(or $(SEED),1)

.PHONY: import-fuzz
import-fuzz: env ## Damaged files of many forms: read to the same numbers, or refused (COUNT=n SEED=n)
	$(BIN)/python tests/helpers/import_fuzz.py $(or $(COUNT),20000) $(or $(SEED),1)

BENCHES := engine indicators sessions readers importing switch recovery log live metrics ship report

bench: env ## Run the benchmarks, or some of them (ONLY="engine sessions", ARGS=ticks)
	@for name in $(or $(ONLY),$(BENCHES)); do \
		echo "== $$name"; $(BIN)/python bench/$$name.py $(ARGS) || exit 1; done

.PHONY: peers-bench
peers-bench: env ## Other engines on the same work as logos, each in an environment of its own (ARGS="--rounds 5")
	$(BIN)/python bench/peers/compare.py $(ARGS)

.PHONY: venue-campaign
venue-campaign: env ## 1,000 random sessions at each exchange through the real ccxt (SEQUENCES=n SEED=n EXCHANGE=id WHEEL=its Python)
	$(TRIED) tests/helpers/exchange_campaign.py --sequences $(or $(SEQUENCES),1000) --seed $(or $(SEED),1) $(if $(EXCHANGE),--exchange $(EXCHANGE))

.PHONY: alpaca-campaign
alpaca-campaign: env ## 1,000 random sessions of shares and of coins at a simulated Alpaca, through the real alpaca-py (SEQUENCES=n SEED=n WHAT=shares)
	$(BIN)/python tests/helpers/alpaca_campaign.py --sequences $(or $(SEQUENCES),1000) --seed $(or $(SEED),1) $(if $(WHAT),--what $(WHAT))

.PHONY: ib-campaign
ib-campaign: env ## 1,000 random sessions of days at a simulated gateway of Interactive Brokers, through the real ib_async (SEQUENCES=n SEED=n)
	$(BIN)/python tests/helpers/ib_campaign.py --sequences $(or $(SEQUENCES),1000) --seed $(or $(SEED),1)

.PHONY: ship-campaign
ship-campaign: env ## 100,000 records to a broker that is cut off and stands, by a shipper that is killed (RECORDS=n SEED=n)
	$(BIN)/python tests/helpers/ship_campaign.py --records $(or $(RECORDS),100000) --seed $(or $(SEED),1)

crash-campaign: env ## 1,000 kills of real sessions, each resumed to the same bytes (KILLS=n SEED=n CLI=1 KEPT=1 WHEEL=its Python)
	$(TRIED) tests/helpers/crash_campaign.py --kills $(or $(KILLS),1000) \
		--seed $(or $(SEED),0) $(if $(CLI)$(KEPT),--cli) $(if $(KEPT),--kept)

kill-campaign: env ## 1,000 engagements, 200 restarts, 200 signals from exec to exit (ENGAGEMENTS=n RESTARTS=n LIVES=n WHEEL=its Python)
	$(TRIED) tests/helpers/kill_campaign.py --engagements $(or $(ENGAGEMENTS),1000) \
		--restarts $(or $(RESTARTS),200) --lives $(or $(LIVES),200)

fleet-campaign: env ## 500 faults between 3 members of etcd and 4 engines, in network namespaces: root (RUNS=n SEED=n TTL=s)
	$(BIN)/python tests/helpers/fleet_campaign.py --runs $(or $(RUNS),500) --seed $(or $(SEED),0) \
		--ttl $(or $(TTL),2)

.PHONY: shard-campaign
shard-campaign: env ## 2,000 faults to owners of shards, in network namespaces: root (RUNS=n SEED=n TTL=s STOP=s MINUTES=n WORLDS=n)
	$(BIN)/python tests/helpers/shard_campaign.py --runs $(or $(RUNS),2000) --seed $(or $(SEED),0) \
		--worlds $(or $(WORLDS),8) --ttl $(or $(TTL),2) --stop $(or $(STOP),0) --minutes $(or $(MINUTES),100000)

.PHONY: shard-costs
shard-costs: env ## What a renewal of a shard's claim costs: times, bytes, fsyncs (ROUNDS=n SHARDS=n)
	$(BIN)/python tests/helpers/shard_costs.py --rounds $(or $(ROUNDS),500) --shards $(or $(SHARDS),100)

attack: env ## Hostile strategies, damaged files, random signals, judged from outside (COUNT=n SEED=n ONLY=)
	$(BIN)/python tests/attack/attack.py --count $(or $(COUNT),100) --seed $(or $(SEED),1) \
		--only "$(ONLY)"

soak: env ## A live replay for long, watched from outside: it does not grow (MINUTES=30 RATE=2000 SEED=n)
	$(BIN)/python tests/helpers/soak.py --minutes $(or $(MINUTES),30) --rate $(or $(RATE),2000) \
		--seed $(or $(SEED),1)

mutation: env ## Change the gates, guards and switch one by one; list what no test notices (MINUTES=120)
	$(BIN)/python tests/helpers/mutation.py --minutes $(or $(MINUTES),120) --only "$(MUTANTS)"

plant-faults: env ## Plant 120 faults in adapters, recovery, judges, artifacts, config (COUNT=n SEED=n AREA= JOBS=n)
	$(BIN)/python tests/helpers/plant_faults.py --count $(or $(COUNT),120) --seed $(or $(SEED),1) \
		--area "$(AREA)" --minutes $(or $(MINUTES),120) --jobs $(or $(JOBS),2)

manual: env ## Write docs/MANUAL.html, the whole reference in one file, and the examples in the docs, anew
	$(BIN)/python tools/include_examples.py
	$(BIN)/python tools/make_figures.py
	$(BIN)/python tools/make_manual.py

IMAGE ?= logos:local
BASE ?= docker.io/library/python:3.11-slim-bookworm
BUILDER ?= docker build

.PHONY: image image-check
image: env ## Build a container image from wheels made here (BASE=image EXTRAS=[ccxt,live] IMAGE= BUILDER=)
	rm -rf build/image && mkdir -p build/image
	$(BIN)/python -m pip wheel --quiet --no-build-isolation -c constraints.txt \
		--wheel-dir build/image/wheels '.$(EXTRAS)'
	cp deploy/docker/Dockerfile build/image/
	$(BUILDER) --build-arg BASE=$(BASE) --build-arg 'EXTRAS=$(EXTRAS)' -t $(IMAGE) build/image

image-check: env ## Build that image on a base of the system's packages and use it (root, minutes)
	$(BIN)/python tests/helpers/image_check.py

fixtures: env ## Write the bundled market data of data/cache anew
	$(BIN)/python -m logos.live data synth --out data/cache --force

clean: interpreted ## Remove caches and build outputs; sessions and the environment stay
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
	find . -name __pycache__ -type d -not -path './.venv*' -prune -exec rm -rf {} +
