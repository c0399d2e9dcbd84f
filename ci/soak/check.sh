#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Hundreds of virtual callers on one model for a minute (java-api/src/test/java/dev/puna/soak): no request is lost, every
# answer is that of a quiet run, all memory comes back.
#   check.sh [--seconds 60] [--callers 300] [--seed N] [--model FILE] [--json]
# Without a model it is the tiny one of the tests; with --model smollm2 the default one. By hand: --seconds 600.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root" || exit 1
tests=java-api/target/test-classes
if [ ! -f $tests/dev/puna/soak/Soak.class ]; then
    echo "soak: no compiled tests in $tests; run mvn -B verify first" >&2
    exit 1
fi
./puna --version > /dev/null || exit 1 # builds what is missing
app=target/launcher/$(cat target/launcher/current)
java=
for folder in "${JAVA_HOME:-}" /usr/lib/jvm/*25* /usr/lib/jvm/* /opt/java/* /opt/jdk*; do
    if grep -q -E '^JAVA_VERSION="(2[5-9]|[3-9][0-9])' "$folder/release" 2> /dev/null; then
        java=$folder/bin/java
        break
    fi
done
[ -n "$java" ] || { echo "soak: no JDK 25 found; set JAVA_HOME" >&2; exit 1; }
model="--model native/tests/data/tiny/tiny-chat.gguf"
for argument in "$@"; do [ "$argument" = --model ] && model=; done
log=build/ci/soak.log
mkdir -p build/ci
# The heap is as large from the beginning as it may become, so that what grows is the core's.
# shellcheck disable=SC2086 # two words or none
"$java" -Xms256m -Xmx256m -XX:+AlwaysPreTouch -XX:+UseSerialGC --enable-native-access=ALL-UNNAMED -Duser.language=en \
    -Dpuna.library.path="$app/libpuna.so" -cp "$tests:$app/*" dev.puna.soak.Soak $model "$@" 2> >(tee "$log" >&2)
status=$?
wait
if grep -A 3 '^SEVERE' "$log" >&2; then
    echo "soak: FAILED: errors were logged" >&2
    status=1
fi
exit $status
