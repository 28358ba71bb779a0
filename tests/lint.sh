#!/bin/sh
# The man pages, the systemd units, the AppArmor profile and the scripts under their linters, as TAP.
# UNIT and top_srcdir come from make check.
set -eu
cd "${top_srcdir:?}"
PATH=$PATH:/usr/sbin
number=0

# lint WHAT TOOL ARGUMENT...: passes when the tool succeeds and prints nothing.
lint() {
    what=$1
    shift
    number=$((number + 1))
    if ! command -v "$1" >/dev/null; then
        echo "not ok $number - $what: $1 is not installed"
    elif output=$("$@" 2>&1 </dev/null) && [ -z "$output" ]; then
        echo "ok $number - $what: $1"
    else
        echo "not ok $number - $what: $1"
        echo "$output" | sed 's/^/# /'
    fi
}

# secure UNIT: at most 1.0 of the 10 points that systemd gives for what a service could do.
secure() {
    table=$(systemd-analyze security --offline=true --threshold=10 --no-pager "$1") ||
        echo "$table"
}

# Without AppArmor in the kernel the parser says that it has no cache, which is no finding.
confines() {
    apparmor_parser --skip-kernel-load --skip-read-cache --skip-cache "$1" 2>&1 |
        grep -v '^Cache read/write disabled:' || true
}

# systemd-analyze wants the programs to be there: those that were built stand in for the ones to be
# installed.
directory=$(mktemp -d)
trap 'rm -r "$directory"' EXIT
build=$(dirname "${UNIT:?}")
unit=$directory/cisternd.service
sed "s|^\(Exec[A-Za-z]*=\)[^ ]*/\(cistern[a-z]*\) |\1$build/\2 |" "$UNIT" >"$unit"
cp "$build/cisternd-control.socket" "$directory"

echo 1..6
lint "man pages" mandoc -Tlint -Wwarning man/*.[1-9]
lint "systemd units" systemd-analyze verify --man=no --recursive-errors=no "$unit" \
    "$directory/cisternd-control.socket"
lint "exposure of the service" secure "$unit"
lint "AppArmor profile" confines apparmor/cisternd
lint "scripts" shellcheck script/* .ci/run tests/*.sh tests/systemd/machine debian/tests/smoke
lint "completion" shellcheck --shell=bash completion/cisternctl
