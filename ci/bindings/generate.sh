#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes the generated bindings anew from native/include/puna.h. Needs jextract: on PATH, or named by JEXTRACT.
# What is bound is the explicit list ci/bindings/includes.txt; a name missing there fails ci/bindings/check.sh.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
package=dev.puna.bindings.gen
target=$root/bindings/src/main/java/dev/puna/bindings/gen
jextract=${JEXTRACT:-jextract}
command -v "$jextract" > /dev/null || { echo "generate.sh: no jextract; set JEXTRACT to where it is" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/include" "$work/out"
cp "$root/native/include/puna.h" "$work/include/puna.h"

# One binding for every platform: the same type stands for 64 bits everywhere. (The system's own header says `long` on
# some platforms, which has 32 bits on others.)
cat > "$work/include/stdint.h" << 'EOF'
typedef signed char int8_t;
typedef unsigned char uint8_t;
typedef short int16_t;
typedef unsigned short uint16_t;
typedef int int32_t;
typedef unsigned int uint32_t;
typedef long long int64_t;
typedef unsigned long long uint64_t;
#define UINT64_MAX 18446744073709551615ULL
EOF
printf 'typedef unsigned long long size_t;\n#define NULL ((void *)0)\n' > "$work/include/stddef.h"

sed -e 's/#.*//' -e '/^ *$/d' "$here/includes.txt" > "$work/arguments.txt"
(cd "$work/include" && "$jextract" --include-dir "$work/include" --output "$work/out" --target-package "$package" \
    --header-class-name PunaH "@$work/arguments.txt" puna.h)

# Two things that no option says: symbols come from the library that our loader opened (not from whatever the class
# loader knows), and C's `long`, which nothing here uses, is not looked up (its width differs between platforms).
# Places of this machine in comments go, too.
for file in "$work/out/dev/puna/bindings/gen/"*.java; do
    sed -e '1s|^|// SPDX-License-Identifier: Apache-2.0\n|' \
        -e 's/SymbolLookup\.loaderLookup()/dev.puna.bindings.library.NativeLoader.symbols();/' \
        -e '/^ *\.or(Linker\.nativeLinker()\.defaultLookup());$/d' \
        -e '/ C_LONG = /d' \
        -e 's/enum enum (unnamed at [^)]*)\./enum /' \
        "$file" > "$file.new"
    mv "$file.new" "$file"
done
grep -q 'NativeLoader.symbols();' "$work/out/dev/puna/bindings/gen/PunaH.java" || {
    echo "generate.sh: this jextract writes its symbol lookup in another way; adapt the sed lines" >&2; exit 1; }
if grep -l "$work" "$work/out/dev/puna/bindings/gen/"*.java; then
    echo "generate.sh: the files above name a folder of this machine" >&2; exit 1
fi

rm -rf "$target"
mkdir -p "$target"
cp "$work/out/dev/puna/bindings/gen/"*.java "$target/"
metadata=$root/bindings/src/main/resources/META-INF/native-image/dev.puna/puna-bindings
mkdir -p "$metadata"
sh "$here/reachability.sh" > "$metadata/reachability-metadata.json"
sh "$here/fingerprint.sh" > "$work/fingerprint"
(cd "$target" && sha256sum ./*.java) | LC_ALL=C sort -k 2 > "$target/SHA256SUMS"
mv "$work/fingerprint" "$target/puna.h.sha256"
echo "generate.sh: $(ls "$target"/*.java | wc -l) files"
