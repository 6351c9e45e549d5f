#!/bin/bash
# The checks of the ABI catch what they are for: each deliberate break below must fail one of them.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# A copy of what the checks read, to be broken.
fresh() {
    rm -rf "$work/tree"
    mkdir -p "$work/tree/capi"
    cp -r "$root/include" "$work/tree/include"
    cp "$root/capi/comqtt.map" "$root/capi/symbols.txt" "$work/tree/capi/"
}

symbols() { python3 "$here/check_symbols.py" --root "$work/tree" "$@" >"$work/log" 2>&1; }
layout() { bash "$here/check_layout.sh" "$work/tree/include" >"$work/log" 2>&1; }

must_pass() {
    if "$2"; then echo "ok: $1"; else
        echo "FAILED: $1:" && cat "$work/log"
        failures=$((failures + 1))
    fi
}
must_fail() {
    if "$2"; then
        echo "FAILED: not caught: $1"
        failures=$((failures + 1))
    else
        echo "ok: caught: $1"
    fi
}
edit() { sed -i "$2" "$work/tree/$1"; }

fresh
must_pass "the tree as it is, symbols" symbols
must_pass "the tree as it is, layout" layout

fresh
edit include/comqtt/hooks.h 's/^    void (\*on_stopped)/    void (*on_new_event)(void *user, comqtt_event *event);\n&/'
must_fail "a slot inserted in the middle of the hook table" layout

fresh
edit include/comqtt/storage.h 's/^    uint32_t identifier;.*//'
must_fail "a member removed" layout

fresh
edit include/comqtt/observe.h 's/^    int64_t inflight;/    int32_t inflight;/'
must_fail "a member with another type" layout

fresh
edit include/comqtt/server.h 's/comqtt_server_advance(/comqtt_server_forward(/'
must_fail "a function renamed in the header" symbols

fresh
edit capi/comqtt.map '/comqtt_packet_encode;/d'
must_fail "a function missing from the export map" symbols

fresh
edit capi/comqtt.map 's/^  local:/    comqtt_internal_helper;\n&/'
must_fail "a function exported that the header does not have" symbols

fresh
edit capi/symbols.txt 's/^comqtt_version 1.0/comqtt_version 1.1/'
must_fail "a wrong version in the symbol list" symbols

# A library with one symbol too many and most of the right ones missing.
fresh
echo 'int comqtt_version(void); int comqtt_version(void) { return 0; } int leaked(void); int leaked(void) { return 1; }' \
    >"$work/leak.c"
"${CC:-cc}" -shared -fPIC "$work/leak.c" -o "$work/libleak.so"
leaking() { symbols --library "$work/libleak.so"; }
must_fail "a library that exports something else" leaking
grep -q 'not in the header: leaked' "$work/log" || { echo "FAILED: the leak is not named" && failures=$((failures + 1)); }

# A part included by itself.
direct() { echo '#include <comqtt/packet.h>' | "${CC:-cc}" -I"$work/tree/include" -fsyntax-only -x c - >"$work/log" 2>&1; }
must_fail "a part of the header included by itself" direct

exit $((failures > 0))
