#!/bin/bash
# Installs the named Debian packages that are not there. Says nothing and touches nothing when all are.
set -euo pipefail

if ! command -v dpkg-query >/dev/null; then
    exit 0  # not a Debian system: its packages are the user's to install
fi

missing=()
for package in "$@"; do
    status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
    [[ $status == installed ]] || missing+=("$package")
done
[[ ${#missing[@]} -eq 0 ]] && exit 0

echo "installing: ${missing[*]}"
as_root=()
if [[ $(id -u) -ne 0 ]]; then
    if ! command -v sudo >/dev/null; then
        echo "missing packages, and neither root nor sudo to install them: ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi

install() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# Lists that are absent or out of date make the first attempt fail; only then is it worth fetching them.
if ! install 2>/dev/null; then
    "${as_root[@]}" apt-get update -qq
    install
fi
