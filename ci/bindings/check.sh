#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fails when puna.h changed since the bindings were generated, when a generated file was edited, or when puna.h has a
# public name that the list of bound names lacks.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
gen=$root/bindings/src/main/java/dev/puna/bindings/gen
status=0
if [ "$(sh "$here/fingerprint.sh")" != "$(cat "$gen/puna.h.sha256")" ]; then
    echo "bindings: puna.h or includes.txt changed since the bindings were generated; run ci/bindings/generate.sh" >&2
    status=1
fi
if ! (cd "$gen" && sha256sum --check --quiet SHA256SUMS); then
    echo "bindings: generated files were edited by hand; run ci/bindings/generate.sh" >&2
    status=1
fi
metadata=$root/bindings/src/main/resources/META-INF/native-image/dev.puna/puna-bindings/reachability-metadata.json
if ! sh "$here/reachability.sh" | cmp -s - "$metadata"; then
    echo "bindings: GraalVM's metadata does not fit the generated code; run ci/bindings/generate.sh" >&2
    status=1
fi
header=$root/native/include/puna.h
names=$(mktemp)
trap 'rm -f "$names"' EXIT
sed -e 's/#.*//' "$here/includes.txt" | awk 'NF == 2 { print $2 }' | LC_ALL=C sort > "$names"
# Functions, filled structs and constants as they are written in the header.
declared=$(
    {
        sed -n 's/^PUNA_API .*[ *]\(puna_[a-z0-9_]*\)(.*/\1/p' "$header"
        sed -n 's/^typedef struct \(puna_[a-z0-9_]*\) {.*/\1/p' "$header"
        sed -e 's@/\*.*\*/@@' "$header" | grep -o 'PUNA_[A-Z0-9_]* = ' | sed 's/ = //'
        sed -n 's/^#define \(PUNA_[A-Z0-9_]*\) .*/\1/p' "$header" | grep -v -E '^PUNA_(API|ERROR_INIT)$'
    } | LC_ALL=C sort -u)
for name in $declared; do
    if ! grep -qx "$name" "$names"; then
        echo "bindings: puna.h has $name, ci/bindings/includes.txt has not" >&2
        status=1
    fi
done
[ "$status" = 0 ] && echo "bindings: up to date, $(wc -l < "$names") names"
exit "$status"
