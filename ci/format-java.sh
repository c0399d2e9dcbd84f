#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compares the Java sources with the formatter's output; `ci/format-java.sh apply` rewrites them.
set -eu
cd "$(dirname "$0")/.."
for folder in "${JAVA_HOME:-}" /usr/lib/jvm/*25* /usr/lib/jvm/* /opt/java/* /opt/jdk*; do
    if [ -x "$folder/bin/javac" ] && grep -q -E '^JAVA_VERSION="(2[5-9]|[3-9][0-9])' "$folder/release" 2> /dev/null; then
        JAVA_HOME=$folder # the formatter needs the newest language
        export JAVA_HOME
        break
    fi
done
# All modules are looked at, also those that depend on one with findings.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
mvn -B -fn -Pci -pl '!bom' "spotless:${1:-check}" > "$log" 2>&1 || { tail -n 20 "$log"; exit 1; }
if grep -q '^\[ERROR\]' "$log"; then
    grep '^\[ERROR\]' "$log" | head -n 60
    exit 1
fi
echo "format: $(git ls-files '*.java' | wc -l) Java files"
