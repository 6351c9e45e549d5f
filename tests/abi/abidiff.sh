#!/bin/bash
# Compares a debug build of the library with the committed baseline by libabigail, when that is installed.
# usage: abidiff.sh LIBRARY            compare
#        abidiff.sh --update LIBRARY   write the baseline (on a release only)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
baseline=$here/libcomqtt.abixml
if ! command -v abidiff >/dev/null; then
    echo "abigail-tools is not installed; skipped"
    exit 0
fi
if [[ $1 == --update ]]; then
    abidw --exported-interfaces-only --no-corpus-path --no-comp-dir-path --drop-undefined-syms "$2" >"$baseline"
    exit 0
fi
if [[ ! -e $baseline ]]; then
    echo "no baseline yet; skipped"
    exit 0
fi
# Neither --headers-dir nor --drop-private-types: both can hide a real break.
abidiff --no-added-syms --suppressions "$here/suppressions.abignore" "$baseline" "$1"
