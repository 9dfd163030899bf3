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

case "$what" in
    build) missing_build || exit 0 ;;
    test) missing_test || exit 0 ;;
    *) echo "usage: setup.sh build|test" >&2; exit 2 ;;
esac

echo "setup: installing what the $what needs" >&2
if have apt-get; then
    as_root apt-get update -qq
    if [ "$what" = build ]; then
        DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq build-essential pkg-config libasound2-dev git
    else
        DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq \
            git python3 python3-pip pulseaudio pulseaudio-utils espeak-ng flite sox tmux
    fi
elif have dnf; then
    if [ "$what" = build ]; then as_root dnf install -y -q gcc pkgconf-pkg-config alsa-lib-devel git
    else as_root dnf install -y -q git python3 python3-pip pulseaudio pulseaudio-utils espeak-ng flite sox tmux; fi
elif have pacman; then
    if [ "$what" = build ]; then as_root pacman -S --needed --noconfirm base-devel pkgconf alsa-lib git
    else as_root pacman -S --needed --noconfirm git python python-pip pulseaudio espeak-ng flite sox tmux; fi
elif have brew; then
    if [ "$what" = build ]; then brew install pkg-config git
    else brew install git python espeak-ng sox tmux; fi
else
    echo "setup: unknown system: install a C compiler, pkg-config, the ALSA headers and git" >&2
    [ "$what" = build ] || echo "setup: and for the tests pulseaudio, espeak-ng, flite, sox, tmux" >&2
    exit 1
fi
