#!/bin/bash
# Compares a library with debug information with the baseline by libabigail: what the baseline has is there, unchanged.
# usage: abidiff.sh LIBRARY [BASELINE HEADERS]    compare
#        abidiff.sh --update LIBRARY [BASELINE HEADERS]    write the baseline, after additions only
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
update=false
if [[ $1 == --update ]]; then
    update=true
    shift
fi
library=$1
baseline=${2:-$here/libcomqtt.abixml}
headers=${3:-$here/../../include}
if ! command -v abidiff >/dev/null; then
    echo "abigail-tools is not installed"
    exit 1
fi
# No suppressions: libabigail 2.2 lets every change of a record pass that one for growth at the end is meant for.
# What is behind the handles is nobody's business: only the types of the public headers are looked at.
public=(--drop-private-types)
compare() {
    abidiff --no-added-syms --headers-dir2 "$headers" "${public[@]}" \
        "$baseline" "$library"
}
if [[ $update == false ]]; then
    if [[ ! -e $baseline ]]; then
        echo "there is no baseline; \`make abi-baseline\` makes it"
        exit 1
    fi
    compare
    echo "nothing that the baseline has was changed or removed"
    exit 0
fi
if [[ -e $baseline ]] && ! compare; then
    echo "the baseline is left as it is: this is more than new functions. A record that only grew at its end (abi/layout tells): remove it and make it anew"
    exit 1
fi
abidw --exported-interfaces-only --no-corpus-path --no-comp-dir-path --short-locs --drop-undefined-syms \
    --headers-dir "$headers" "${public[@]}" "$library" >"$baseline.new"
mv "$baseline.new" "$baseline"
