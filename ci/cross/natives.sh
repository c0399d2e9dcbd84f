#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# natives.sh OUT: the release libraries of all five platforms as OUT/OS-ARCH/libpuna.so (puna.dll, libpuna.dylib), checked:
# nothing is needed but the system's own C library, on Linux none newer than glibc 2.28, and nothing is exported but puna_*.
set -u
out=${1:?usage: ci/cross/natives.sh OUT}
mkdir -p "$out" && out=$(cd "$out" && pwd) || exit 1
cd "$(dirname "$0")/../.." || exit 1
. ci/cross/common.sh
failed=0

complain() {
    echo "$platform: $1"
    failed=$((failed + 1))
}

check_linux() {
    readelf -W -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -v -x -E 'lib(c|m|pthread|dl)\.so\.[0-9]+|ld-linux.*' &&
        complain "needs a library beyond the system's"
    newest=$(readelf -W -V "$1" | grep -o 'GLIBC_[0-9.]*' | sort -u -V | tail -n 1)
    oldest_allowed=$(printf '%s\nGLIBC_2.28\n' "$newest" | sort -V | tail -n 1)
    [ "$oldest_allowed" = GLIBC_2.28 ] || complain "needs $newest"
    readelf -W --dyn-syms "$1" | awk '$7 == "UND" && $5 != "WEAK" && NF >= 8 && $8 !~ /@GLIBC_/ { print $8 }' | grep . &&
        complain "symbols that no library defines"
    readelf -W --dyn-syms "$1" | awk '$7 != "UND" && $7 ~ /^[0-9]+$/ && $5 == "GLOBAL" { print $8 }' | grep -v '^puna_' &&
        complain "exports more than puna_*"
    readelf -W --dyn-syms "$1" | grep -q ' puna_abi$' || complain "exports no puna_abi"
    echo "$platform: $newest at most"
}

check_windows() {
    objdump -p "$1" | sed -n 's/^[[:space:]]*DLL Name: //p' | grep -v -i -E '^(kernel32|ntdll|api-ms-win-.*|ucrtbase)\.dll$' &&
        complain "needs a library beyond the system's"
    objdump -p "$1" | sed -n '/Ordinal\/Name Pointer/,/^$/s/^[[:space:]]*\[[^]]*\].*[[:space:]]\([A-Za-z_].*\)$/\1/p' \
        | grep -v '^Table$' > "$cross_folder/exports"
    grep -v '^puna_' "$cross_folder/exports" && complain "exports more than puna_*"
    grep -q '^puna_abi$' "$cross_folder/exports" || complain "exports no puna_abi"
}

check_macos() { # no tool of Debian's binutils reads Mach-O: the file's own strings
    [ "$(od -A n -t x4 -N 4 "$1" | tr -d ' ')" = feedfacf ] || complain "is no Mach-O file"
    grep -a -o -E '/(usr|System|opt)/[A-Za-z0-9/_.+-]*' "$1" | sort -u | grep -v -x -E '/usr/lib/(libSystem.B.dylib|dyld)?' &&
        complain "names a library beyond the system's"
    grep -a -q _puna_abi "$1" || complain "exports no puna_abi"
}

for platform in $cross_platforms; do
    start=$(date +%s)
    case $platform in
        linux-*) library=libpuna.so ;;
        windows-*) library=puna.dll ;;
        macos-*) library=libpuna.dylib ;;
    esac
    if ! cross_build "$platform" "$cross_folder/release-$platform" -DPUNA_TESTS=OFF -- puna; then
        complain "was not built"
        continue
    fi
    mkdir -p "$out/$platform"
    cp "$cross_folder/release-$platform/$library" "$out/$platform/$library" || complain "has no $library"
    "check_${platform%%-*}" "$out/$platform/$library"
    echo "$platform: $(wc -c < "$out/$platform/$library") bytes, $(($(date +%s) - start)) s"
done
echo "natives: $failed complaints"
[ $failed -eq 0 ]
