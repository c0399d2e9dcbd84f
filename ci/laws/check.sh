#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The laws of docs/architecture.md, as checks of the source: who may include whom, and what the core never does.
set -u
cd "$(dirname "$0")/../.."
problems=0
problem() {
    echo "law broken: $*" >&2
    problems=$((problems + 1))
}

# ---- C: a folder of native/src includes only itself and the folders that its row names ----
allowed() {
    case $1 in
        base) echo "" ;;
        format) echo "base" ;;
        text) echo "base format" ;;
        constrain) echo "base format text" ;; # of format nothing but what text's headers need
        graph) echo "base" ;;
        device) echo "base format graph" ;; # of format the blocks, of graph the op list and the plan
        model) echo "base format graph device text" ;;
        cache) echo "base format graph device text model" ;;
        sample) echo "base" ;;
        engine) echo "base format graph device text model cache sample constrain" ;;
        api) echo "base format graph device text model cache sample constrain engine" ;;
        *) echo "?" ;;
    esac
}
count=0
for file in $(git ls-files --cached --others --exclude-standard native/src | grep -E '\.(c|h|inc|def)$'); do
    [ -f "$file" ] || continue
    folder=${file#native/src/}
    folder=${folder%%/*}
    rows=$(allowed "$folder")
    [ "$rows" = "?" ] && problem "$file: the folder $folder has no row in ci/laws/check.sh"
    count=$((count + 1))
    for target in $(sed -n 's/^ *# *include *"\([^"]*\)".*/\1/p' "$file"); do
        case $target in
            puna.h) continue ;;
            */*) other=${target%%/*} ;;
            *) continue ;; # a neighbour in the same folder
        esac
        [ -d "native/src/$other" ] || continue # a folder below its own
        [ "$other" = "$folder" ] && continue
        case " $rows " in
            *" $other "*) ;;
            *) problem "$file includes $target: $folder may include only:${rows:+ }${rows:- nothing but itself}" ;;
        esac
    done
    for target in $(sed -n 's/^ *# *include *<\([^>]*\)>.*/\1/p' "$file"); do
        case $file:$target in
            native/src/base/*) ;;
            *:pthread.h | *:unistd.h | *:sys/* | *:windows.h | *:fcntl.h | *:signal.h | *:dlfcn.h | *:assert.h)
                problem "$file includes <$target>: the system is base's matter" ;;
        esac
    done
done
[ "$count" -gt 0 ] || problem "no C source was found"

# ---- C: the core never prints, ends the process, or reads the environment (base/os_* may read it) ----
# Comments and texts in quotes do not count.
stripped() {
    sed -e 's@"\([^"\\]\|\\.\)*"@""@g' -e 's@//.*@@' -e 's@/\*.*\*/@@' "$1" | awk '
        { line = $0
          if (inside) { if ((p = index(line, "*/")) == 0) { print ""; next } line = substr(line, p + 2); inside = 0 }
          if ((p = index(line, "/*")) > 0) { inside = 1; line = substr(line, 1, p - 1) }
          print line }'
}
for file in $(git ls-files --cached --others --exclude-standard 'native/src/*.c' 'native/src/*.h'); do
    [ -f "$file" ] || continue
    words='(^|[^A-Za-z0-9_])(printf|fprintf|vprintf|puts|fputs|putchar|perror|abort|exit|_exit|quick_exit|assert|setlocale|signal)[[:space:]]*\('
    found=$(stripped "$file" | grep -nE "$words")
    [ -z "$found" ] || problem "$file prints or ends the process: $found"
    case $file in
        native/src/base/os_*) ;;
        *)
            found=$(stripped "$file" | grep -nE '(^|[^A-Za-z0-9_])(getenv|secure_getenv|setenv)[[:space:]]*\(')
            [ -z "$found" ] || problem "$file reads the environment: $found"
            ;;
    esac
done

# ---- durations are measured by clocks that nobody sets ----
found=$(git ls-files --cached --others --exclude-standard 'native/src/*.c' 'native/src/*.h' |
    xargs grep -nE 'CLOCK_REALTIME|gettimeofday|GetSystemTime|(^|[^A-Za-z0-9_])time\((NULL|&)' /dev/null)
[ -z "$found" ] || problem "a clock that can jump: $found"
found=$(git ls-files --cached --others --exclude-standard '*/src/main/java/*.java' | grep -v '/dev/puna/store/' |
    xargs grep -nE 'currentTimeMillis|Instant\.now|LocalDateTime\.now|new Date\(' /dev/null)
[ -z "$found" ] || problem "a clock that can jump (the store alone notes dates): $found"

# ---- C: file names are unique ----
twice=$(git ls-files --cached --others --exclude-standard 'native/src/*.c' 'native/src/*.h' | sed 's@.*/@@' | sort | uniq -d)
[ -z "$twice" ] || problem "file names that occur twice: $twice"

# ---- Java: the foreign-function interface stays in bindings; modules point one way ----
java() { git ls-files --cached --others --exclude-standard "$@" | grep '\.java$'; }
for file in $(java java-api cli integrations examples 'native/natives-*'); do
    [ -f "$file" ] || continue
    if grep -q -E 'java\.lang\.foreign|sun\.misc\.Unsafe' "$file"; then
        problem "$file uses java.lang.foreign: that is the bindings' matter"
    fi
done
for file in $(java cli integrations examples); do
    [ -f "$file" ] || continue
    if grep -q 'dev\.puna\.bindings' "$file"; then
        problem "$file uses the bindings: only java-api may"
    fi
    if grep -q 'dev\.puna\.internal' "$file"; then
        problem "$file uses an internal package of java-api"
    fi
done
for file in $(java bindings); do
    [ -f "$file" ] || continue
    if grep -q -P 'import (static )?dev\.puna\.(?!bindings)' "$file"; then
        problem "$file points from the bindings to java-api"
    fi
done
# The signatures that java-api sees hold no foreign type: public members of the exported package.
for file in bindings/src/main/java/dev/puna/bindings/*.java; do
    if grep -n -E '^    (public|protected) [^=]*(MemorySegment|Arena|SymbolLookup|MemoryLayout|MethodHandle)' "$file"; then
        problem "$file lets a foreign type out"
    fi
done
if grep -n -E '^ *exports dev\.puna\.bindings(\.gen|\.library)?;' bindings/src/main/java/module-info.java; then
    problem "the bindings' packages are exported to everyone"
fi
for file in $(java java-api/src/main | grep -v /internal/ | grep -v module-info); do
    [ -f "$file" ] || continue
    if grep -n -E '^    (public|protected) [^=;{]*\bNative[A-Z]' "$file" | grep -v -E 'NativeLibraryException'; then
        problem "$file shows a type of the bindings to the user"
    fi
done

# ---- a release holds every platform that is cross compiled, and `puna` alone brings them all (docs/releasing.md) ----
release() { # the profile `release` of a POM
    sed -n '/<id>release<\/id>/,/<\/profile>/p' "$1"
}
platforms=$(sed -n 's/^cross_platforms="\(.*\)"$/\1/p' ci/cross/common.sh)
[ -n "$platforms" ] || problem "ci/cross/common.sh names no platforms"
for platform in $platforms; do
    release native/pom.xml | grep -q "<module>natives-$platform</module>" ||
        problem "native/pom.xml: the release lacks the module natives-$platform"
    release java-api/pom.xml | grep -q "<artifactId>puna-natives-$platform</artifactId>" ||
        problem "java-api/pom.xml: in a release puna does not depend on puna-natives-$platform"
    grep -q "<artifactId>puna-natives-$platform</artifactId>" bom/pom.xml ||
        problem "bom/pom.xml lacks puna-natives-$platform"
    grep -q "<puna.natives.platform>$platform</puna.natives.platform>" "native/natives-$platform/pom.xml" ||
        problem "native/natives-$platform/pom.xml packs another platform"
done

[ "$problems" = 0 ] && echo "laws: $count C files and the Java modules keep them"
[ "$problems" = 0 ]
