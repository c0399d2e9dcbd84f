#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The misuse game (java-api, dev.puna.misuse.Game) on other virtual machines: the library built with AddressSanitizer and
# UBSan, with ThreadSanitizer, -Xcheck:jni, ZGC, a heap of 64 MB. Each kind plays some seconds and prints how long it took.
# usage: check.sh [KIND ...]     PUNA_MISUSE_SECONDS: seconds of play a kind; PUNA_MISUSE_SEED: the moves of a run that broke
set -u
cd "$(dirname "$0")/../.."
root=$PWD
seconds=${PUNA_MISUSE_SECONDS:-10}
seed=${PUNA_MISUSE_SEED:-}
. ci/native.sh

java=
for folder in "${JAVA_HOME:-}" /usr/lib/jvm/*25* /usr/lib/jvm/* /opt/java/* /opt/jdk*; do
    if [ -x "$folder/bin/javac" ] && grep -q -E '^JAVA_VERSION="(2[5-9]|[3-9][0-9])' "$folder/release" 2> /dev/null; then
        java=$folder/bin/java
        break
    fi
done
[ -n "$java" ] || { echo "jvm: no JDK 25 found; set JAVA_HOME"; exit 1; }
logging=
for jar in cli/target/lib/slf4j-*.jar; do logging=$logging:$root/$jar; done
for needed in java-api/target/test-classes/dev/puna/misuse/Game.class native/build/release/libpuna.so "${logging##*:}"; do
    [ -e "$needed" ] || { echo "jvm: there is no $needed; run mvn -B verify first"; exit 1; }
done
classes=$root/bindings/target/classes:$root/java-api/target/classes:$root/java-api/target/test-classes$logging

play() { # library, options of Java
    local library=$1
    shift
    # shellcheck disable=SC2086 # a seed or nothing
    # shellcheck disable=SC2086 # two words or none
    timeout $((seconds + 110)) ${fixed_places:-} "$java" --enable-native-access=ALL-UNNAMED -Dpuna.root="$root" \
        -Dpuna.library.path="$library" -XX:ErrorFile="$root/build/ci/jvm-crash.txt" -XX:-CreateCoredumpOnCrash "$@" \
        -cp "$classes" dev.puna.misuse.Game "$seconds" $seed
}

sanitized() { # builds what is older than its sources; the preset's own check has built it before, as a rule
    local build=$root/native/build/asan-ubsan
    native_build asan-ubsan "$root/build/ci/jvm-build.log" puna || return 1
    # The machine handles its own SIGSEGVs; leaks are the C tests' matter.
    LD_PRELOAD="$(gcc -print-file-name=libasan.so):$(gcc -print-file-name=libubsan.so)" \
        ASAN_OPTIONS=detect_leaks=0:handle_segv=0:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1 \
        play "$build/libpuna.so" -XX:+UseSerialGC
}

# The thread sanitizer knows the library alone: what the virtual machine, which is not instrumented, does with threads,
# locks and memory is none of its business, hence no suppression by name. boundary.c tells it of the order of calls.
raceless() {
    local build=$root/native/build/tsan boundary=$root/build/ci/libboundary.so fixed_places=
    native_build tsan "$root/build/ci/jvm-build.log" puna || return 1
    gcc -O1 -fPIC -shared -Wall -Wextra -Werror -o "$boundary" ci/jvm/boundary.c || return 1
    ! setarch -R true 2> /dev/null || fixed_places="setarch -R" # its shadow wants some addresses for itself
    LD_PRELOAD="$(gcc -print-file-name=libtsan.so):$boundary" \
        TSAN_OPTIONS=halt_on_error=1:ignore_noninstrumented_modules=1:handle_segv=0 \
        play "$build/libpuna.so" -XX:+UseSerialGC
}

kind() {
    local library=$root/native/build/release/libpuna.so
    case $1 in
        asan) sanitized ;;
        tsan) raceless ;;
        jni) play "$library" -Xcheck:jni ;;
        zgc) play "$library" -XX:+UseZGC ;;
        heap) play "$library" -Xmx64m ;;
        *) echo "there is no kind $1; there are: asan tsan jni zgc heap"; return 2 ;;
    esac
}

status=0
for name in ${*:-asan tsan jni zgc heap}; do
    start=$(date +%s)
    log=build/ci/jvm-$name.log
    kind "$name" > "$log" 2>&1
    result=$?
    # Sanitizers and -Xcheck:jni say what they found in words of their own, and may go on.
    if grep -q -E 'runtime error:|ERROR: AddressSanitizer|ThreadSanitizer|FATAL ERROR in native|WARNING in native|WARNING: JNI' "$log"; then
        result=1
    fi
    case $name in
        asan) built='library built by .*address sanitizer' ;;
        tsan) built='library built by .*thread sanitizer' ;;
        *) built='library built by ' ;;
    esac
    [ "$result" != 0 ] || grep -q "$built" "$log" || { echo "jvm: the library was not the sanitized one"; result=1; }
    if [ "$result" = 0 ]; then
        echo "jvm $name: $(sed -n 's/^misuse: \(seed.*\)/\1/p' "$log"), $(($(date +%s) - start)) s"
    else
        tail -n 40 "$log"
        echo "jvm $name: FAILED ($result), $(($(date +%s) - start)) s; all of it is in $log"
        status=1
    fi
done
exit $status
