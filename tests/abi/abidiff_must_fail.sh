#!/bin/bash
# The comparison with a baseline lets new functions pass and catches breaks, on small libraries made for it.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

mkdir "$work/include"
library() { # NAME, members of the record; functions on standard input
    echo "struct comqtt_record { unsigned long struct_size; $2 };" >"$work/include/example.h"
    (echo '#include "example.h"' && echo 'struct comqtt_handle { int hidden; '"${3:-}"' };' && cat) >"$work/$1.c"
    "${CC:-cc}" -g -shared -fPIC -I"$work/include" -Wl,-soname,libexample.so.1 "$work/$1.c" -o "$work/$1.so"
}
passes() { "$here/abidiff.sh" "$work/$1.so" "$work/baseline.abixml" "$work/include" >"$work/log" 2>&1; }
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

use='int comqtt_use(const struct comqtt_record* record) { return record->first + (int)record->second; }'
more='int comqtt_more(int a) { return a; }'
open='int comqtt_open(struct comqtt_handle* handle) { return handle->hidden; }'

library base 'int first; int second;' <<<"$use $more $open"
bash "$here/abidiff.sh" --update "$work/base.so" "$work/baseline.abixml" "$work/include"
must_pass base "the library that the baseline was made of"

library added 'int first; int second;' <<<"$use $more $open int comqtt_new(void) { return 0; }"
must_pass added "a function added"

library grown 'int first; int second; long third;' <<<"$use $more $open"
must_fail grown "a record that has grown, which is for a new baseline"

library hidden 'int first; int second;' 'long other; int more[9];' <<<"$use $more $open"
must_pass hidden "what is behind a handle changed"

library inserted 'int first; int between; int second;' <<<"$use $more $open"
must_fail inserted "a member inserted in the middle"

library member 'int first; float second;' <<<"$use $more $open"
must_fail member "a member with another type"

library retyped 'int first; int second;' <<<"$use $open int comqtt_more(long a) { return (int)a; }"
must_fail retyped "a parameter with another type"

library removed 'int first; int second;' <<<"$use $open"
must_fail removed "a function removed"
if bash "$here/abidiff.sh" --update "$work/removed.so" "$work/baseline.abixml" "$work/include" >"$work/log" 2>&1; then
    echo "FAILED: a baseline was written over although a function is gone"
    failures=$((failures + 1))
else
    echo "ok: no baseline is written when a function is gone"
fi

exit $((failures > 0))
