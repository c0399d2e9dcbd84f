#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compares ./puna with torch and transformers: tiny models made with fresh weights, and the fidelity of SmolLM2.
#   ci/oracle/check.sh [--seed N] [--model FILE] [--only tiny|fidelity]
# About a minute when the environment of setup.sh is there.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
venv=$("$here/setup.sh")
java=
for folder in "${JAVA_HOME:-}" /usr/lib/jvm/*25* /usr/lib/jvm/* /opt/java/* /opt/jdk*; do
    if [ -x "$folder/bin/java" ] && grep -q -E '^JAVA_VERSION="(2[5-9]|[3-9][0-9])' "$folder/release" 2> /dev/null; then
        java=$folder/bin/java
        break
    fi
done
[ -n "$java" ] || { echo "oracle: no JDK 25 found; set JAVA_HOME" >&2; exit 1; }
PYTHONDONTWRITEBYTECODE=1 exec "$venv/bin/python" "$here/compare.py" --java "$java" "$@"
