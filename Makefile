# "make" lists the targets. Everything works on a machine that has Go, git and make, and without a terminal.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# The image of the manager.
IMG ?= controller:latest
# What "bin/manager --version" says.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
# What "deploy", "undeploy" and "build-installer" install: config/default, config/namespaced or an overlay of your own.
CONFIG ?= config/default
# docker, podman or buildah.
CONTAINER_TOOL ?= docker
KUBECTL ?= kubectl
# More arguments for "go test", such as TESTARGS='-run TestRotation -v'.
TESTARGS ?=
# More arguments for what "run", "demo", "stand" and "bench" start.
ARGS ?=
# How many inputs "fuzz" tries for each target. Not a time: with Go 1.26 a target may fail as its time is over (golang/go#75804).
FUZZTIME ?= 50000x
# How long "bench-micro" runs each benchmark, and how often.
BENCHTIME ?= 1s
COUNT ?= 1
# How many times as many years "soak" tries as "test" does.
ROUNDS ?= 10

# The modules of this repository are separate on purpose: a go.work file must not join them.
export GOWORK := off

# Everything but the race detector builds in one way, so that each package is compiled once for all of it: with empty caches
# compiling is most of the time. The caller's GOFLAGS come first.
one_way = CGO_ENABLED=0 GOFLAGS="$$(go env GOFLAGS) -trimpath"

# Where the code of other projects reads what we write, each beside the versions of Kubernetes' libraries that it is built with.
CONSUMERS := hack/conformance/consumers hack/conformance/argocd
MODULES := . hack/conformance hack/conformance/world $(CONSUMERS) hack/tools hack/tools/golangci-lint hack/tools/helm hack/tools/kube
LDFLAGS := -s -w -X main.version=$(VERSION)
CONTROLLER_GEN := go tool controller-gen
BIN := $(CURDIR)/bin

# The rooms that need neither a server nor time: their tests take seconds. Those of one goroutine need no race detector, and
# in virtual time it would cost more than it shows.
PURE := $(patsubst %,./controllers/%/...,rotation kubeconfig output status issuer grants) ./hack/soak/...
VIRTUAL := ./hack/year/...
FAST := $(PURE) ./controllers/budget/... ./controllers/fleet/...
# Tests of ./controllers that do the same in hundreds of ways: a few of them under the race detector would show as much, and
# others are.
SWEEPS := ^Test(EveryRequestToTheAPIServer|AKindOfRequest|WhatTheCloudDid|ACertificateLostOnTheWay|ACacheThat|AnObjectThatIsReplaced|ASecretThatIsAgain|ChangesThatAreSeenLate)
# What else the tests need of Kubernetes than etcd, kube-apiserver and kubectl.
TEST_ASSETS := --with=kube-controller-manager,etcdutl

# $(call kube_assets,OPTIONS) sets KUBEBUILDER_ASSETS for the rest of a recipe.
kube_assets = KUBEBUILDER_ASSETS="$$(hack/kube-assets.sh $(1) | tail -n 1)"; export KUBEBUILDER_ASSETS

##@ General

.PHONY: help
help: ## List the targets.
	@awk 'BEGIN {FS = ":.*##"; printf "Usage: make TARGET\n"} \
	  /^[a-zA-Z_0-9-]+:.*?##/ {printf "  %-16s %s\n", $$1, $$2} \
	  /^##@/ {printf "\n%s\n", substr($$0, 5)}' $(MAKEFILE_LIST)

.PHONY: clean
clean: ## Remove what make has built (the Kubernetes binaries stay in the cache of hack/kube-assets.sh).
	rm -rf bin dist

##@ Development

.PHONY: generate
generate: ## Generate the DeepCopy methods of the API types.
	$(CONTROLLER_GEN) object:headerFile=hack/boilerplate.go.txt paths=./api/...

.PHONY: manifests
manifests: ## Generate the CustomResourceDefinitions, the manager's ClusterRole, and what the chart has of config.
	$(CONTROLLER_GEN) crd paths=./api/... output:crd:dir=config/crd/bases
	$(CONTROLLER_GEN) rbac:roleName=clustercredential-operator paths=./controllers/... output:rbac:dir=config/rbac
	hack/chart-files.sh

.PHONY: chart-docs
chart-docs: bin/helm-docs ## Write the README of the chart from the comments of its values.
	bin/helm-docs --log-level=warning --sort-values-order=file --chart-search-root=config/helm

.PHONY: reference
reference: bin/crd-ref-docs ## Generate docs/reference.md, a part of "manifests": every field, from the comments in api/v1alpha1.
	bin/crd-ref-docs --log-level=ERROR --renderer=markdown --source-path=api/v1alpha1 --config=hack/crd-ref-docs/config.yaml \
	  --templates-dir=hack/crd-ref-docs/templates --output-path=docs/reference.md
manifests: reference
verify: bin/crd-ref-docs

.PHONY: fmt
fmt: bin/golangci-lint ## Format the code.
	bin/golangci-lint fmt

.PHONY: vet
vet: ## Run go vet.
	$(one_way) go vet ./...

.PHONY: lint
lint: bin/golangci-lint ## Run the linters.
	$(one_way) bin/golangci-lint run

.PHONY: lint-fix
lint-fix: bin/golangci-lint ## Run the linters and fix what they can fix.
	$(one_way) bin/golangci-lint run --fix

.PHONY: tidy
tidy: ## Tidy the go.mod and go.sum of every module.
	for module in $(MODULES); do (set -x; go mod tidy -C "$$module"); done

.PHONY: verify
verify: bin/kustomize bin/helm-docs ## Check that everything generated is up to date, and that modules, code and manifests are in order.
	MODULES="$(MODULES)" hack/verify.sh

.PHONY: vulncheck
vulncheck: bin/govulncheck ## Look for known vulnerabilities in what the manager is built from, if the database can be reached.
	$(one_way) hack/vulncheck.sh

##@ Test

.PHONY: test
test: bin/kustomize bin/helm4 ## Run the whole test suite, with a real etcd and kube-apiserver (built or fetched once, which takes minutes).
	@$(call kube_assets,$(TEST_ASSETS)); \
	race=-race; \
	if [[ "$$(go env CGO_ENABLED)" != 1 ]] || ! command -v $$(go env CC) >/dev/null; then \
	  race=; echo "make: no C compiler here, so the tests run without the race detector"; \
	fi; \
	pure="$$(go list $(PURE) $(VIRTUAL))"; \
	rest="$$(go list ./... | grep -vxF "$$pure")"; \
	status=0; set -x; \
	$(one_way) go test $(TESTARGS) $(PURE) $(VIRTUAL) || status=1; \
	$(one_way) go test -C hack/conformance -count=1 $(TESTARGS) ./... || status=1; \
	$(MAKE) --no-print-directory test-conformance || status=1; \
	$(one_way) go test -timeout=20m -parallel=6 -run='$(SWEEPS)' $(TESTARGS) ./controllers || status=1; \
	go test $$race -timeout=30m -skip='$(SWEEPS)' $(TESTARGS) $$rest || status=1; \
	exit $$status

.PHONY: test-fast
test-fast: ## Run the tests that need no server: seconds.
	$(one_way) go test $(TESTARGS) $(FAST)

.PHONY: test-conformance
test-conformance: ## Have the code of those who use our Secrets read them and log in. It compiles a lot of theirs, once: minutes.
	@# Go looks for changes in their modules only, so it would take results of another operator for these.
	@$(call kube_assets); status=0; set -x; \
	for module in $(CONSUMERS); do \
	  $(one_way) go test -C "$$module" -count=1 $(TESTARGS) ./... || status=1; \
	done; \
	exit $$status

.PHONY: chart-test
chart-test: bin/helm3 bin/helm4 bin/helm-unittest ## Lint the chart and render it with Helm 3 and 4 for each file of config/helm/ci, and run its own tests.
	hack/chart-test.sh

.PHONY: alerts-test
alerts-test: ## Have promtool read the alerts and dashboards, and try each alert on made-up series.
	$(one_way) hack/alerts-test.sh

.PHONY: fuzz
fuzz: ## Run every fuzz target for a while (FUZZTIME=50000x).
	@grep -rHoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' api cmd controllers hack | sort | \
	while IFS=: read -r file target; do \
	  (set -x; $(one_way) go test "./$$(dirname "$$file")" -run='^$$' -fuzz="^$${target#func }$$" -fuzztime=$(FUZZTIME) -fuzzminimizetime=5x) </dev/null; \
	done

.PHONY: mutants
mutants: ## Put hand-made bugs into a copy, one by one, and expect the tests to fail (ARGS=PART_OF_A_NAME). Half an hour.
	@$(call kube_assets,$(TEST_ASSETS)); $(one_way) go build -o bin/mutants ./hack/mutants; exec bin/mutants $(ARGS)

.PHONY: soak
soak: ## Try for hours what "test" tries for minutes: years of fleets (ROUNDS=10), every kill, fuzzing (FUZZTIME=50000x), hand-made bugs.
	$(one_way) go test -timeout=0 -v -run='^TestTheFloorHoldsWhateverTheCloudGrants$$' ./controllers/rotation -decisions=10000000
	$(one_way) go test -timeout=0 -v -run='^(TestTenYearsOfAFleet|TestFleetsInHardTimes)$$' ./hack/soak -rounds=$(ROUNDS)
	$(one_way) go test -timeout=0 -v ./hack/year -years=$(ROUNDS)
	@$(call kube_assets,$(TEST_ASSETS)); set -x; $(one_way) go test -timeout=0 ./hack/e2e -whole
	$(MAKE) release-test PLATFORMS="linux/amd64 linux/arm64" PLUGIN_PLATFORMS="linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64"
	$(MAKE) fuzz
	$(MAKE) mutants
	$(MAKE) bench

.PHONY: demo
demo: ## See it at work: real servers, a simulated cloud, certificates that rotate. Ends by itself.
	@$(call kube_assets); $(one_way) go build -o bin/demo ./hack/demo; exec bin/demo $(ARGS)

.PHONY: recordings
recordings: build-plugin ## Make the pictures of a terminal in docs/images (ARGS=list: that one only), by running what they show.
	@$(call kube_assets); $(one_way) go build -o bin/recordings ./hack/recordings; exec bin/recordings $(ARGS)

.PHONY: stand
stand: ## Have a whole world to try things in: real servers, a simulated cloud, the manager. Until Ctrl-C.
	@$(call kube_assets); $(one_way) go build -o bin/stand ./hack/stand; exec bin/stand $(ARGS)

.PHONY: bench
bench: ## Measure it with 100, 1,000 and 10,000 ClusterCredentials and a real API server: the better part of an hour (ARGS='-n 1000': nine minutes).
	@$(call kube_assets); $(one_way) go build -o bin/bench ./hack/bench; exec bin/bench $(ARGS)

.PHONY: bench-micro
bench-micro: ## Measure the pure rooms, and the clients of the cloud: time and allocations; BENCHTIME=, COUNT= as go test takes them.
	@# To compare two commits: "make bench-micro COUNT=10 >old.txt" at one, the same into new.txt at the other, "bin/benchstat old.txt new.txt".
	@packages="$$(grep -rlE --include='*_test.go' '^func Benchmark' api cmd controllers hack | xargs -n1 dirname | sort -u | sed 's|^|./|')"; \
	set -x; $(one_way) go test -run='^$$' -bench=. -benchmem -benchtime=$(BENCHTIME) -count=$(COUNT) $$packages

##@ Build

.PHONY: build
build: ## Build the manager.
	@# Without what Go would note of git, the bytes are those of a build in the Dockerfile or from an archive.
	$(one_way) go build -buildvcs=false -ldflags "$(LDFLAGS)" -o bin/manager ./cmd

.PHONY: build-plugin
build-plugin: ## Build the plugin for kubectl, bin/kubectl-clustercredential.
	$(one_way) go build -buildvcs=false -ldflags "$(LDFLAGS)" -o bin/kubectl-clustercredential$$(go env GOEXE) ./cmd/kubectl-clustercredential

.PHONY: run
run: ## Run the manager here, against the cluster of the current kubeconfig.
	go run ./cmd $(ARGS)

.PHONY: docker-build
docker-build: ## Build the image IMG.
	$(CONTAINER_TOOL) build --build-arg VERSION=$(VERSION) -t $(IMG) .

.PHONY: image-test
image-test: build ## Build the Dockerfile with buildah on base images made here, look at the image and run it. Needs root.
	VERSION="$(VERSION)" hack/image-test.sh

.PHONY: build-installer
build-installer: bin/kustomize ## Write everything that a cluster needs (CONFIG), with the image IMG, into dist/install.yaml.
	mkdir -p dist
	$(call render) >dist/install.yaml

.PHONY: reproducible
reproducible: ## Build the manager three times, each in a directory and with a cache of its own, and compare the bytes. Minutes.
	VERSION="$(VERSION)" hack/reproducible.sh

# What "release" builds for. "release-test" builds for this machine only, unless one of them is given.
PLATFORMS ?=
PLUGIN_PLATFORMS ?=
release_tools := bin/kustomize bin/helm4 bin/cyclonedx-gomod

.PHONY: release
release: $(release_tools) ## Make everything of the release VERSION, with the image's repository IMG, into dist/. The same way twice.
	VERSION="$(VERSION)" IMG="$(IMG)" PLATFORMS="$(PLATFORMS)" PLUGIN_PLATFORMS="$(PLUGIN_PLATFORMS)" hack/release.sh

.PHONY: release-test
release-test: $(release_tools) ## Make a release twice, in two directories, for this machine, and compare the bytes.
	PLATFORMS="$(PLATFORMS)" PLUGIN_PLATFORMS="$(PLUGIN_PLATFORMS)" hack/release-test.sh

.PHONY: sbom
sbom: build bin/cyclonedx-gomod ## Write what the manager is made of into dist/sbom.cdx.json (CycloneDX).
	mkdir -p dist
	bin/cyclonedx-gomod bin -json -std -noserial -notimestamp -version "$(VERSION)" -output dist/sbom.cdx.json bin/manager

##@ Deployment

# The manifests with the image filled in. Nothing in config/ is edited for it.
render = bin/kustomize build $(CONFIG) | sed 's|image: controller:latest$$|image: $(IMG)|'

.PHONY: install
install: bin/kustomize ## Install the CustomResourceDefinitions into the cluster of the current kubeconfig.
	bin/kustomize build config/crd | $(KUBECTL) apply --server-side -f -

.PHONY: uninstall
uninstall: bin/kustomize ## Remove the CustomResourceDefinitions, and with them every object of these kinds.
	bin/kustomize build config/crd | $(KUBECTL) delete --ignore-not-found -f -

.PHONY: deploy
deploy: bin/kustomize ## Install everything (CONFIG=config/namespaced: for some namespaces only), with the image IMG.
	$(call render) | $(KUBECTL) apply --server-side -f -

# Namespaces hold more than what was installed: the keys that people keep there, for one.
without_namespaces = awk 'function flush() { if (!drop) printf "%s", text; text = ""; drop = 0 } \
  /^---$$/ { flush() } { text = text $$0 "\n" } /^kind: Namespace$$/ { drop = 1 } END { flush() }'

.PHONY: undeploy
undeploy: bin/kustomize ## Remove what "deploy" installed, and with it every object of our kinds. The namespace stays.
	$(call render) | $(without_namespaces) | $(KUBECTL) delete --ignore-not-found --timeout=5m -f -
	@echo 'make: the namespace is left, with the Secrets in it. If nothing there is needed: $(KUBECTL) delete namespace clustercredential-system'

##@ Tools (built into bin/ when the module that pins them changes)

# The caller's GOFLAGS are for the caller's own builds.
build_tool = GOFLAGS=-mod=readonly CGO_ENABLED=0 go build -C $(1) -trimpath -ldflags '-s -w $(3)' -buildvcs=false -o $(BIN)/$(@F) $(2) && touch $@

bin/golangci-lint: hack/tools/golangci-lint/go.mod hack/tools/golangci-lint/go.sum hack/tools/golangci-lint/main.go
	$(call build_tool,hack/tools/golangci-lint,.)

bin/kustomize: hack/tools/go.mod hack/tools/go.sum
	$(call build_tool,hack/tools,sigs.k8s.io/kustomize/kustomize/v5)

bin/crd-ref-docs: hack/tools/go.mod hack/tools/go.sum
	$(call build_tool,hack/tools,github.com/elastic/crd-ref-docs)

bin/benchstat: hack/tools/go.mod hack/tools/go.sum
	$(call build_tool,hack/tools,golang.org/x/perf/cmd/benchstat)

bin/cyclonedx-gomod: hack/tools/go.mod hack/tools/go.sum
	$(call build_tool,hack/tools,github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod)

bin/govulncheck: hack/tools/go.mod hack/tools/go.sum
	$(call build_tool,hack/tools,golang.org/x/vuln/cmd/govulncheck)

bin/helm4: hack/tools/helm/go.mod hack/tools/helm/go.sum
	$(call build_tool,hack/tools/helm,helm.sh/helm/v4/cmd/helm)

# Helm 3 is told when it is built which Kubernetes it takes for there without a cluster. Without that it is an old one.
helm3_kube = $(foreach package,chartutil lint/rules,-X helm.sh/helm/v3/pkg/$(package).k8sVersionMinor=$(shell \
  cd hack/tools/helm && go list -m -f '{{.Version}}' k8s.io/client-go | cut -d. -f2))

bin/helm3: hack/tools/helm/go.mod hack/tools/helm/go.sum
	$(call build_tool,hack/tools/helm,helm.sh/helm/v3/cmd/helm,$(helm3_kube))

bin/helm-docs: hack/tools/helm/go.mod hack/tools/helm/go.sum
	$(call build_tool,hack/tools/helm,github.com/norwoodj/helm-docs/cmd/helm-docs)

bin/helm-unittest: hack/tools/helm/go.mod hack/tools/helm/go.sum
	$(call build_tool,hack/tools/helm,github.com/helm-unittest/helm-unittest/cmd/helm-unittest,$(helm3_kube))

.PHONY: tools
tools: bin/helm3 bin/helm4 bin/helm-docs bin/helm-unittest bin/golangci-lint bin/kustomize bin/crd-ref-docs bin/benchstat bin/cyclonedx-gomod bin/govulncheck ## Build all tools.
