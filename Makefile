# The two commands of the README are `make run` and `make test`; the rest is for developers.
.PHONY: run test setup setup-test build bench record lint fmt

SAYSO = target/release/sayso

run: setup build
	@$(SAYSO) speech install
	@if [ -t 0 ] && [ -t 1 ]; then exec $(SAYSO) demo; else exec $(SAYSO) demo --headless; fi

test: setup setup-test
	cargo test --features failpoints --no-run
	target/debug/sayso speech install
	cargo test --features failpoints

build:
	cargo build --release

# Build headers for the microphone (Linux only); does nothing where they are there.
setup:
	@scripts/setup.sh build

# What the tests use besides: a virtual microphone and voices for it.
setup-test:
	@scripts/setup.sh test

bench: setup setup-test build
	cargo build --release --example appends
	@scripts/bench.sh

# The moving picture of the README: the real cockpit on the sample site, recorded through a terminal emulator.
record: setup build
	cargo run --quiet --example record -- $(SAYSO) docs/cockpit.svg

lint:
	cargo fmt --check
	cargo clippy --all-targets --features failpoints -- -D warnings

fmt:
	cargo fmt
