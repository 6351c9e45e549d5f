#!/bin/bash
# The public records have the sizes and offsets of layout.txt. When a record has grown at its end, layout.c and
# layout.txt grow with it; a line of layout.txt never changes otherwise but for the size of a record.
# usage: check_layout.sh [include folder]
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
include=${1:-$here/../../include}
if [[ $(getconf LONG_BIT) != 64 ]]; then
    echo "the golden layout is for 64 bits; skipped"
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${CC:-cc}" -std=c11 -I"$include" "$here/layout.c" -o "$work/layout"
"$work/layout" >"$work/layout.txt"
diff "$here/layout.txt" "$work/layout.txt"
echo "$(wc -l <"$here/layout.txt") sizes and offsets unchanged"
