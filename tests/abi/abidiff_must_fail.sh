#!/bin/bash
# The comparison with a baseline lets additions pass and catches breaks, on small libraries made for it.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

library() { # NAME, source on standard input
    "${CC:-cc}" -g -shared -fPIC -Wl,-soname,libexample.so.1 -x c - -o "$work/$1.so"
}
passes() { "$here/abidiff.sh" "$work/$1.so" "$work/baseline.abixml" >"$work/log" 2>&1; }
must_pass() {
    if passes "$1"; then echo "ok: $2"; else
        echo "FAILED: $2:" && cat "$work/log"
        failures=$((failures + 1))
    fi
}
must_fail() {
    if passes "$1"; then
        echo "FAILED: not caught: $2"
        failures=$((failures + 1))
    else
        echo "ok: caught: $2"
    fi
}

library base <<'END'
struct comqtt_record { unsigned long struct_size; int first; int second; };
int comqtt_use(const struct comqtt_record* record) { return record->first + record->second; }
int comqtt_more(int a) { return a; }
END
bash "$here/abidiff.sh" --update "$work/base.so" "$work/baseline.abixml"
must_pass base "the library that the baseline was made of"

library added <<'END'
struct comqtt_record { unsigned long struct_size; int first; int second; long third; };
int comqtt_use(const struct comqtt_record* record) { return record->first + record->second; }
int comqtt_more(int a) { return a; }
int comqtt_new(void) { return 0; }
END
must_pass added "a function and a member at the end of a record added"

library inserted <<'END'
struct comqtt_record { unsigned long struct_size; int first; int between; int second; };
int comqtt_use(const struct comqtt_record* record) { return record->first + record->second; }
int comqtt_more(int a) { return a; }
END
must_fail inserted "a member inserted in the middle"

library retyped <<'END'
struct comqtt_record { unsigned long struct_size; int first; int second; };
int comqtt_use(const struct comqtt_record* record) { return record->first + record->second; }
int comqtt_more(long a) { return (int)a; }
END
must_fail retyped "a parameter with another type"

library removed <<'END'
struct comqtt_record { unsigned long struct_size; int first; int second; };
int comqtt_use(const struct comqtt_record* record) { return record->first + record->second; }
END
must_fail removed "a function removed"
if bash "$here/abidiff.sh" --update "$work/removed.so" "$work/baseline.abixml" >"$work/log" 2>&1; then
    echo "FAILED: a baseline was written over although a function is gone"
    failures=$((failures + 1))
else
    echo "ok: no baseline is written when a function is gone"
fi
bash "$here/abidiff.sh" --update "$work/added.so" "$work/baseline.abixml" >/dev/null
must_pass added "the baseline after additions"

exit $((failures > 0))
