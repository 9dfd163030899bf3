#!/bin/sh
# Installs what the build (`build`) or the tests (`test`) need and this machine lacks.
# Debian/Ubuntu, Fedora, Arch and Homebrew are known; elsewhere it says what to install.
set -eu

what=${1:-build}

have() { command -v "$1" >/dev/null 2>&1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif have sudo; then sudo "$@"
    else
        echo "setup: this needs root: $*" >&2
        exit 1
    fi
}

missing_build() {
    [ "$(uname)" = Linux ] || return 1
    have pkg-config && pkg-config --exists alsa && have cc && return 1
    return 0
}

missing_test() {
    for tool in git python3 pulseaudio pactl paplay parec espeak-ng flite sox tmux; do
        have "$tool" || return 0
    done
    return 1
}

# The stand-ins for GitHub and Vercel: installed from the committed list, for this repository alone.
services() {
    folder=$(dirname "$0")/../tests/services
    ready=$folder/node_modules/ready
    cat "$folder/package-lock.json" "$folder/describe.mjs" | cmp -s - "$ready" && return 0
    if ! have node || ! have npm || [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 20 ]; then
        echo "setup: tests with stand-ins for GitHub and Vercel are left out: they need node 20 and npm" >&2
        return 0
    fi
    echo "setup: installing stand-ins for GitHub and Vercel" >&2
    (cd "$folder" && npm ci --no-audit --no-fund --loglevel=error && node describe.mjs)
    cat "$folder/package-lock.json" "$folder/describe.mjs" >"$ready"
}

# A stand-in for model services that judges how it is treated, in a folder of its own.
judge() {
    folder=$(dirname "$0")/../tests/services
    ready=$folder/python/ready
    cmp -s "$folder/requirements.txt" "$ready" && return 0
    echo "setup: installing a judge of clients of model services" >&2
    if python3 -m pip install --quiet --disable-pip-version-check --upgrade \
        --target "$folder/python" -r "$folder/requirements.txt" 2>/dev/null; then
        cp "$folder/requirements.txt" "$ready"
    else
        echo "setup: left out: it needs python3 with pip" >&2
    fi
}

# The page and the event streams are looked at in a browser, too.
browser() {
    for tool in chromium chromium-browser google-chrome google-chrome-stable; do
        have "$tool" && return 0
    done
    if have apt-get && { [ "$(id -u)" = 0 ] || have sudo; }; then
        echo "setup: installing Chromium" >&2
        if as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq chromium; then
            return 0
        fi
    fi
    echo "setup: tests in a browser are left out: install Chromium" >&2
}

case "$what" in
    services) services; judge; exit 0 ;;
    build) missing_build || exit 0 ;;
    test) missing_test || { services; judge; browser; exit 0; } ;;
    *) echo "usage: setup.sh build|test|services" >&2; exit 2 ;;
esac

# Who has Node from elsewhere keeps it: the distributions' own packages stand against it.
node="nodejs npm"
have node && have npm && node=""

echo "setup: installing what the $what needs" >&2
# shellcheck disable=SC2086 # $node is two names, or none
if have apt-get; then
    as_root apt-get update -qq
    if [ "$what" = build ]; then
        DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq build-essential pkg-config libasound2-dev git
    else
        DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq \
            git python3 python3-pip pulseaudio pulseaudio-utils espeak-ng flite sox tmux $node
    fi
elif have dnf; then
    if [ "$what" = build ]; then as_root dnf install -y -q gcc pkgconf-pkg-config alsa-lib-devel git
    else as_root dnf install -y -q git python3 python3-pip pulseaudio pulseaudio-utils espeak-ng flite sox tmux $node; fi
elif have pacman; then
    if [ "$what" = build ]; then as_root pacman -S --needed --noconfirm base-devel pkgconf alsa-lib git
    else as_root pacman -S --needed --noconfirm git python python-pip pulseaudio espeak-ng flite sox tmux $node; fi
elif have brew; then
    if [ "$what" = build ]; then brew install pkg-config git
    else brew install git python espeak-ng sox tmux ${node:+node}; fi
else
    echo "setup: unknown system: install a C compiler, pkg-config, the ALSA headers and git" >&2
    [ "$what" = build ] || echo "setup: and for the tests pulseaudio, espeak-ng, flite, sox, tmux, node 20" >&2
    exit 1
fi
[ "$what" = build ] || { services; judge; browser; }
