#!/bin/sh
# Measures the release build against the project's bars and prints the table of the README.
# `make bench` builds first. Ends with 0 whatever it measures: the table says which bars are met.
set -eu
cd "$(dirname "$0")/.."

sayso=$PWD/target/release/sayso
if [ ! -x "$sayso" ]; then
    echo "bench: no release build: run \`make bench\`" >&2
    exit 2
fi

# The recogniser's model, as a user gets it.
"$sayso" speech status >/dev/null 2>&1 || "$sayso" speech install >&2 ||
    echo "bench: no speech model: the rows with speech will not be measured" >&2

# The publisher's own library, to compare with in the same run. Kept between runs.
venv=$PWD/target/bench/venv
library=moonshine-voice==0.0.49
if [ ! -e "$venv/ready" ]; then
    echo "bench: getting $library" >&2
    rm -rf "$venv"
    mkdir -p "$(dirname "$venv")"
    if python3 -m venv "$venv" && "$venv/bin/pip" install --quiet --disable-pip-version-check "$library" >&2; then
        touch "$venv/ready"
    else
        echo "bench: $library cannot be had: there will be nothing to compare speech with" >&2
    fi
fi

exec python3 -B scripts/bench/main.py --sayso "$sayso" --venv "$venv" "$@"
