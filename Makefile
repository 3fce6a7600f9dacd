# Weir. `make help` lists the targets; README.md says what to try.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

BUF := go tool -modfile=tools/buf/go.mod buf
GOLANGCI_LINT := go tool -modfile=tools/golangci-lint/go.mod golangci-lint
GOTESTSUM := go tool -modfile=tools/gotestsum/go.mod gotestsum
PROTOVALIDATE := github.com/bufbuild/protovalidate@v1.2.2

LOCAL := go run ./deploy/local
WEB_SOURCES := $(shell find web -type f -not -path 'web/node_modules/*' -not -path 'web/dist/*' 2>/dev/null)
NPM_CI := npm ci --no-audit --no-fund --no-update-notifier --loglevel=error >/dev/null
REPORTS := .weir/test
NPM_SDKS := dataplane/internal/conformance/node
# Packages tested at once: most of them wait for engines and agents, not for a processor.
TEST_PACKAGES := 4

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | expand -t 18

# Not by "go run", which reports every Ctrl-C as an error. In a terminal (set -m) Ctrl-C is for the launcher alone, so that make, too, ends well;
# "|| exit" keeps bash from becoming the launcher.
.PHONY: run
run: ## everything on one machine; Ctrl-C stops it
	@[ -e .weir/launcher ] || echo "building the launcher"
	@go build -o .weir/launcher ./deploy/local
	@[ ! -t 0 ] || set -m; .weir/launcher run || exit $$?

.PHONY: web
web: web/dist/index.html ## build the console

web/node_modules/.package-lock.json: web/package-lock.json
	@command -v npm >/dev/null || { echo "npm is not on the PATH: install Node.js 20 or newer" >&2; exit 1; }
	@echo "installing the console's packages"
	@cd web && $(NPM_CI)
	@touch $@

web/dist/index.html: $(WEB_SOURCES) web/node_modules/.package-lock.json
	@echo "building the console"
	@cd web && npx --no vite build --logLevel warn

.PHONY: conformance-sdks
conformance-sdks: $(NPM_SDKS)/node_modules/.package-lock.json ## the providers' SDKs for Node.js and tokenisers, which Go tests run

$(NPM_SDKS)/node_modules/.package-lock.json: $(NPM_SDKS)/package-lock.json
	@command -v npm >/dev/null || { echo "npm is not on the PATH: install Node.js 20 or newer" >&2; exit 1; }
	@echo "installing the providers' SDKs for Node.js"
	@cd $(NPM_SDKS) && $(NPM_CI)
	@touch $@

.PHONY: test
test: test-web test-go ## every test, on real engines and a real browser

.PHONY: test-go
test-go: web/dist/index.html conformance-sdks ## Go tests with the race detector, the end-to-end job included
	@mkdir -p $(REPORTS)
	@$(LOCAL) with-engines -- $(GOTESTSUM) --format pkgname-and-test-fails --jsonfile $(REPORTS)/go.json -- -race -p $(TEST_PACKAGES) -timeout 30m ./...

# Usage on Apache Kafka, which Maven fetches: the suites of both ends with that broker in place of the embedded one, and
# what only the real one can show. Those tests have the build tag apachekafka. What takes long is in the second target.
KAFKA_RUN = WEIR_TEST_KAFKA=apache $(LOCAL) with-engines -- go test -race -tags apachekafka -count 1 -p $(TEST_PACKAGES) -timeout 30m
KAFKA_ENDS := ./controlplane/internal/ingest ./dataplane/internal/usage ./deploy/local/endtoend
KAFKA_SHORT := ^TestApache|^TestKafka$$|^TestIngest_(two_organizations|dead_letters|repeats|killed|does_not_begin|topic_made_anew|dead_letters_larger)|^TestReplay_of_other

.PHONY: test-kafka
test-kafka: web/dist/index.html ## usage on Apache Kafka (needs Java 17 and Maven), within a minute
	@$(KAFKA_RUN) -run '$(KAFKA_SHORT)' $(KAFKA_ENDS)

.PHONY: test-kafka-long
test-kafka-long: web/dist/index.html ## the whole suites on it, and brokers that are killed and hang for 30 s
	@$(KAFKA_RUN) ./controlplane/internal/ingest ./dataplane/internal/usage ./deploy/local/apache
	@$(KAFKA_RUN) -run '^TestApache' ./deploy/local/endtoend

.PHONY: fuzz
fuzz: ## random calls of the admin API for FUZZ_TIME (10m); prints its seed, FUZZ_SEED repeats it
	@WEIR_FUZZ_TIME=$(or $(FUZZ_TIME),10m) WEIR_FUZZ_SEED=$(or $(FUZZ_SEED),$$RANDOM) \
	  $(LOCAL) with-engines -- go test -race -timeout 0 -count 1 -v -run TestRandomCalls ./controlplane/internal/rpc

.PHONY: test-kill
test-kill: ## kill -9 the control plane 1,000 times and Postgres 100 times while they write
	@WEIR_KILLS=1000 $(LOCAL) with-engines -- go test -timeout 0 -count 1 -v ./deploy/local/killed

.PHONY: loadtest-fleet
loadtest-fleet: ## 1,000 and 5,000 agents on one core of the control plane: memory, change to served, a storm
	@go run ./loadtest fleet

.PHONY: loadtest-ingest
loadtest-ingest: ## usage from Kafka to ClickHouse: records per second of a processor, time until a request is seen in SQL
	@mkdir -p $(REPORTS)
	@go run ./loadtest ingest --json $(REPORTS)/ingest.json

.PHONY: loadtest-dashboards
loadtest-dashboards: ## every fixed query of the console over a month of 100 million requests (21 GB of disk)
	@mkdir -p $(REPORTS)
	@go run ./loadtest dashboards --json $(REPORTS)/dashboards.json

.PHONY: loadtest-gateway
loadtest-gateway: ## the agent beside a bare reverse proxy: latency, throughput, memory (docs/loadtest.md adds others)
	@mkdir -p $(REPORTS)
	@go run ./loadtest gateway --json $(REPORTS)/gateway.json --html $(REPORTS)/gateway.html

# Built, not "go run": a run that fails says so once, and Ctrl-C reaches what it started.
.PHONY: loadtest-budget
loadtest-budget: ## 2 minutes of 20 agents that are killed while 4,000 callers want more than budgets have; BUDGET adds flags
	@mkdir -p .weir/bin && go build -o .weir/bin/loadtest ./loadtest
	@.weir/bin/loadtest budget $(BUDGET)

.PHONY: chaos
chaos: ## 3 minutes of random faults under load: no usage lost, none twice; prints its seed, CHAOS adds flags
	@mkdir -p .weir/bin && go build -o .weir/bin/loadtest ./loadtest
	@.weir/bin/loadtest chaos $(CHAOS)

.PHONY: test-chaos
test-chaos: ## the same in CI: within 3.5 minutes, what failed is kept in .weir/chaos
	@rm -rf .weir/chaos && $(MAKE) --no-print-directory chaos CHAOS='--for 2m --at-once 3 --rest 1m --dir .weir/chaos'

.PHONY: test-crash
test-crash: ## kill -9 an agent 10,000 times while it applies policies, fail its writes, damage its files
	@WEIR_SLOTS_CRASHES=10000 go test -timeout 0 -count 1 -v -run TestSlotsUnderAttack ./dataplane/internal/control

.PHONY: test-web
test-web: web/node_modules/.package-lock.json ## unit and page tests of the console
	@mkdir -p $(REPORTS)
	@cd web && npm run --silent test -- --reporter=default --reporter=json --outputFile.json=../$(REPORTS)/web.json

.PHONY: screenshots
screenshots: web/dist/index.html ## every page of the console, light and dark, wide and narrow, to look at in .weir/screenshots
	@go build -o .weir/launcher ./deploy/local
	@cd web && npx --no playwright test --config playwright.screenshots.config.ts

.PHONY: measure-console
measure-console: web/dist/index.html ## how fast the console answers a hand, with as much in it as it has to bear
	@cd web && npx --no playwright test --config playwright.measure.config.ts

.PHONY: check
check: proto/.deps/buf/validate/validate.proto web/dist/index.html ## lint, vet, types; generated code is current
	@$(BUF) lint proto
	@$(BUF) format -d --exit-code proto --path proto/weir
	@$(GOLANGCI_LINT) run ./...
	@go vet -tags apachekafka ./...
	@cd web && npm run --silent check && node sizes.js
	@$(MAKE) --no-print-directory check-deploy
	@$(MAKE) --no-print-directory generate
	@git diff --exit-code --stat -- proto/gen web/src/gen controlplane/internal/openapi docs || { echo "generated files are stale: commit what 'make generate' wrote" >&2; exit 1; }

# A module of its own: Weir does not depend on the libraries of Helm, Compose and BuildKit.
.PHONY: check-deploy
check-deploy: ## charts, images, units and the Compose file fit what the binaries know
	@command -v systemd-analyze >/dev/null || echo "check-deploy: systemd-analyze is not on the PATH: units are read by our own test alone"
	@cd deploy/check && go vet . && go test -count 1 .

.PHONY: generate
generate: proto/.deps/buf/validate/validate.proto web/node_modules/.package-lock.json ## regenerate code from the protos
	@$(BUF) generate
	@cd web && npm run --silent generate

# protovalidate's own proto, from its Go module; git ignores the copy.
proto/.deps/buf/validate/validate.proto: Makefile
	@mkdir -p $(@D)
	@dir=$$(go mod download -json $(PROTOVALIDATE) | sed -n 's/.*"Dir": "\(.*\)",/\1/p'); \
	  install -m 644 "$$dir/proto/protovalidate/buf/validate/validate.proto" $@

.PHONY: clean-local
clean-local: ## remove the data of `make run` (not the downloaded engines)
	@$(LOCAL) clean
