#!/bin/bash
# Clang's thread safety analysis of the library and the program: what says that a lock guards it is used under that lock
# only. Each folder is read as one file, as the builds with COMQTT_UNITY do.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

flags=(-std=c++20 -fsyntax-only -Wthread-safety -Werror -Wno-unknown-warning-option
       -DASIO_STANDALONE -DASIO_NO_DEPRECATED -DASIO_DISABLE_STD_ALIGNED_ALLOC -DFMT_HEADER_ONLY=1 '-DCOMQTT_VERSION="0"'
       -Icpp -Iinclude -I.)
for folder in cpp/*/ capi/; do
    find "$folder" -name '*.cpp' | LC_ALL=C sort | sed 's/.*/#include "&"/' |
        clang++ "${flags[@]}" "-I$folder" -x c++ - || { echo "$folder: see above" >&2; exit 1; }
done
echo "locks: $(grep -rlE 'COMQTT_GUARDED_BY|COMQTT_REQUIRES' cpp capi | wc -l) files say what theirs guard"
