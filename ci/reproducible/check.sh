#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Two builds in two folders give the same bytes.
#   check.sh            the native library for this platform and the jar of the bindings (what CI runs)
#   check.sh --jars     all jars, with sources, Javadoc, POMs and CycloneDX documents; the library of this platform in each
#                       natives jar, so that no cross compiler is needed
#   check.sh --whole    all that a release makes, the libraries of the five platforms among it; half an hour
# The sources are what git tracks here, changed or not; the folders' names have different lengths.
set -u
cd "$(dirname "$0")/../.."
what=${1:-quick}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

copy() { # folder: the sources into it
    mkdir -p "$1"
    git ls-files -z | tar --null --ignore-failed-read -cf - -T - 2> "$work/absent" | tar -xf - -C "$1"
}

library() { # folder: builds the library of this platform there
    local generator=
    command -v ninja > /dev/null && generator="-G Ninja"
    # shellcheck disable=SC2086 # two words or none
    (cd "$1/native" && cmake --preset release $generator -DPUNA_TESTS=OFF && cmake --build --preset release --target puna --parallel 2)
}

maven() { # folder, words of Maven
    local folder=$1
    shift
    (cd "$folder" && mvn -B -q -DskipTests "$@")
}

jar_of_bindings() { # folder
    maven "$1" -Dmaven.test.skip=true -pl bindings -am -Dpuna.native.skip=true package
}

build() { # folder
    case $what in
        quick) library "$1" && jar_of_bindings "$1" ;;
        --jars)
            library "$1" || return 1
            for platform in linux-x86_64 linux-aarch64 windows-x86_64 macos-x86_64 macos-aarch64; do
                mkdir -p "$1/native/build/natives/$platform"
                for name in libpuna.so libpuna.dylib puna.dll; do
                    cp "$1"/native/build/release/libpuna.* "$1/native/build/natives/$platform/$name"
                done
            done
            maven "$1" -Prelease -Dpuna.native.skip=true package
            ;;
        --whole) maven "$1" -Prelease package ;;
        *) echo "usage: ci/reproducible/check.sh [--jars|--whole]"; return 2 ;;
    esac
}

# The working copy has been built already, as a rule.
built_here() {
    . ci/native.sh
    native_build release build/ci/reproducible.log puna || return 1
    jar=$(find bindings/target -maxdepth 1 -name '*.jar' 2> "$work/absent" | head -n 1)
    if [ -z "$jar" ] || [ -n "$(find bindings/pom.xml pom.xml bindings/src/main -newer "$jar" | head -n 1)" ]; then
        jar_of_bindings .
    fi
}

sums() { # folder: of each thing that is given to others
    (cd "$1" && if [ "$what" = quick ]; then
        find native/build/release bindings/target -maxdepth 1 \( -name 'libpuna.*' -o -name '*.jar' \) -type f
    else
        find . -type f \( -path '*/target/*.jar' -o -path '*/target/*-cyclonedx.json' -o -name '.flattened-pom.xml' \
            -o -path './native/build/natives/*' \) ! -path '*/target/lib/*'
    fi | sort | xargs sha256sum)
}

entries() { # jar: the sum of each of its entries
    unzip -Z1 "$1" | sort | while read -r entry; do echo "$(unzip -p "$1" "$entry" | sha256sum) $entry"; done
}

differs() { # path: says in what two files differ
    echo "reproducible: $1 differs"
    case $1 in
        *.jar) diff <(entries "$first/$1") <(entries "$second/$1") ;;
        *.json | *.xml) diff "$first/$1" "$second/$1" ;;
    esac | head -n 10
}

start=$(date +%s)
first=$work/a second=$work/in-a-folder-of-another-length/and/deeper
{
    copy "$second" && # both before anything is built: a build takes its time
        if [ "$what" = quick ]; then first=$PWD && built_here; else copy "$first" && build "$first"; fi && build "$second"
} > "$work/log" 2>&1 || { tail -n 40 "$work/log"; exit 1; }
sums "$first" > "$work/first"
sums "$second" > "$work/second"
count=$(wc -l < "$work/first")
different=$(diff "$work/first" "$work/second" | sed -n 's/^[<>] [0-9a-f]*  //p' | sort -u)
for path in $different; do differs "$path"; done
[ "$count" -gt 1 ] || { echo "reproducible: nothing was built"; exit 1; }
echo "reproducible: $count files, $(echo "$different" | grep -c .) differ, $(($(date +%s) - start)) s"
[ -z "$different" ]
