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
exec mvn -B -q -fae -Pci -pl '!bom' "spotless:${1:-check}"
