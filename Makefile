# What the project does, as commands: `make` lists them. PYTHON=… chooses the Python that .venv is
# made with, ARGS=… is handed on to the program that a target runs (make test ARGS="-k cursor").

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory --no-builtin-rules

PYTHON ?=
ARGS ?=
RUN := .venv/bin/python -m

# What the compiled parts are made of. Python sources are not among them: .venv uses them in place.
COMPILED := $(wildcard CMakeLists.txt cmake/* pyproject.toml requirements.lock \
	impl/include/*.h impl/src/* impl/bwtree/build_ffi.py \
	$(foreach kind,c h inc,model_check/*/*.$(kind)) model_check/linearizability/include/*.h \
	model_check/*/build_ffi.py)
C_FILES := $(wildcard impl/include/*.h impl/src/* model_check/*/*.[ch] \
	model_check/linearizability/include/*.h \
	model_check/explorer/*/*.[ch] model_check/explorer/programs/*/*.[ch] \
	tests/c/*.[ch] scripts/*/*.[ch] scripts/*/*.cpp scripts/*/peers/*.h scripts/*/peers/*.cpp)
PYTHON_DIRS := $(wildcard impl/bwtree model_check scripts tests)

.PHONY: help
help: ## list the commands (the default)
	@echo "bwtree: make COMMAND [ARGS=…] [PYTHON=…]"
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 14 | sed 's/^/  /'

.PHONY: check
check: .venv/stamp ## model-check the specs, run and check real threads, print the verdict
	@$(RUN) model_check all $(ARGS)

.PHONY: check-deep
check-deep: .venv/stamp ## the same with the larger configurations
	@$(RUN) model_check all --deep $(ARGS)

.PHONY: test
test: .venv/stamp ## run all tests
	@$(RUN) pytest -q -n auto --dist worksteal $(ARGS)

.PHONY: lint
lint: .venv/stamp ## formatting, types, clang-tidy
	@scripts/lint.sh "$(PYTHON_DIRS)" "$(C_FILES)"

.PHONY: format
format: .venv/stamp ## format the Python and C sources
	@$(RUN) ruff check --quiet --fix-only $(PYTHON_DIRS)
	@$(RUN) ruff format --quiet $(PYTHON_DIRS)
	@.venv/bin/clang-format -i $(C_FILES)

.PHONY: sanitize
sanitize: .venv/stamp ## run the C tests under ASan + UBSan and TSan, with gcc and clang
	@scripts/sanitize.sh $(ARGS)

.PHONY: stress
stress: .venv/stamp ## run the whole stress farm
	@$(RUN) model_check stress $(ARGS)

.PHONY: mutants
mutants: .venv/stamp ## run every mutant against every checker, and write docs/mutants.md
	@$(RUN) model_check mutants $(ARGS)

.PHONY: mutate
mutate: .venv/stamp ## make mutants of the C by a program: make mutate ARGS="--sample 200"
	@$(RUN) model_check mutate $(ARGS)

.PHONY: report
report: .venv/stamp ## write the verification report into build/report, after make check
	@$(RUN) model_check report $(ARGS)

.PHONY: shrink
shrink: .venv/stamp ## empty a large tree, run a queue: pages, page ids and memory come back
	@.venv/bin/python scripts/shrink.py $(ARGS)

.PHONY: bench
bench: .venv/stamp ## measure against other maps
	@.venv/bin/python scripts/bench/run.py $(ARGS)

.PHONY: bench-peers
bench-peers: .venv/stamp ## install and build the indexes that bench compares with
	@.venv/bin/python scripts/bench/bench_peers.py $(ARGS)

.PHONY: bench-quick
bench-quick: .venv/stamp ## compare the working tree with a commit: make bench-quick ARGS="main"
	@.venv/bin/python scripts/bench/bench_quick.py $(ARGS)

.PHONY: bench-plots
bench-plots: .venv/stamp ## draw the plots of docs/performance.md from docs/bench/*.json
	@.venv/bin/python scripts/bench/bench_plots.py $(ARGS)

.PHONY: lin-plots
lin-plots: .venv/stamp ## measure how long checks of histories take, and draw it
	@.venv/bin/python scripts/bench/bench_lin.py $(ARGS)

.PHONY: lock
lock: ## resolve requirements.lock anew from pyproject.toml (needs uv)
	@uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
		--python-version 3.10 --all-extras --upgrade pyproject.toml -o requirements.lock

.PHONY: clean
clean: ## remove what was built, keep .venv
	@rm -rf build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@rm -f .venv/stamp
	@find $(PYTHON_DIRS) -name __pycache__ -prune -exec rm -rf {} +

.PHONY: distclean
distclean: clean ## remove .venv too
	@rm -rf .venv

.PHONY: .venv
.venv: .venv/stamp

.venv/stamp: $(COMPILED)
	@PYTHON="$(PYTHON)" scripts/environment.sh
