#!/bin/bash
# Compares a library with debug information with the baseline by libabigail: what the baseline has is there, unchanged.
# usage: abidiff.sh LIBRARY [BASELINE]    compare
#        abidiff.sh --update LIBRARY [BASELINE]    write the baseline, after additions only
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
update=false
if [[ $1 == --update ]]; then
    update=true
    shift
fi
library=$1
baseline=${2:-$here/libcomqtt.abixml}
if ! command -v abidiff >/dev/null; then
    echo "abigail-tools is not installed"
    exit 1
fi
# Neither --headers-dir nor --drop-private-types: both can hide a real break.
compare() { abidiff --no-added-syms --suppressions "$here/suppressions.abignore" "$baseline" "$library"; }
if [[ $update == false ]]; then
    compare
    echo "nothing that the baseline has was changed or removed"
    exit 0
fi
if [[ -e $baseline ]] && ! compare; then
    echo "the baseline is left as it is: this is more than additions; before 1.0.0 it may be removed and made anew"
    exit 1
fi
abidw --exported-interfaces-only --no-corpus-path --no-comp-dir-path --drop-undefined-syms "$library" >"$baseline.new"
mv "$baseline.new" "$baseline"
