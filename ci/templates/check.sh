#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Renders real chat templates with the project's interpreter and with jinja2, and compares.
# usage: check.sh [CLASSES_DIR [CACHE_DIR [TEMPLATE_NAME_PART]]]
#   CLASSES_DIR  compiled classes of java-api        CACHE_DIR  keeps the templates' package and jinja2
set -eu
PACKAGE=llama-cpp-python
VERSION=0.3.36
JINJA=3.1.6
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
classes=${1:-$root/java-api/target/classes}
cache=${2:-$root/build/ci/templates}
start=$(date +%s)
if [ ! -f "$classes/dev/puna/internal/template/ChatTemplate.class" ]; then
    echo "templates: no compiled classes in $classes; run mvn -B verify first" >&2
    exit 1
fi
classes=$(cd "$classes" && pwd)
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
java=
for folder in "${JAVA_HOME:-}" /usr/lib/jvm/*25* /usr/lib/jvm/* /opt/java/* /opt/jdk*; do
    if [ -x "$folder/bin/javac" ] && grep -q -E '^JAVA_VERSION="(2[5-9]|[3-9][0-9])' "$folder/release" 2> /dev/null; then
        java=$folder/bin/java
        break
    fi
done
[ -n "$java" ] || { echo "templates: no JDK 25 found; set JAVA_HOME" >&2; exit 1; }

if [ ! -x "$cache/venv/bin/python" ] || ! "$cache/venv/bin/python" -c "import jinja2; assert jinja2.__version__ == '$JINJA'" 2>/dev/null; then
    rm -rf "$cache/venv"
    python3 -m venv "$cache/venv"
    "$cache/venv/bin/pip" install -q --disable-pip-version-check "jinja2==$JINJA"
fi
archive=$cache/$(echo "$PACKAGE" | tr - _)-$VERSION.tar.gz
if [ ! -f "$archive" ]; then
    # pip checks the hash; it also asks the package for its metadata, which takes most of the time.
    rm -rf "$cache/download"
    "$cache/venv/bin/pip" download -q --disable-pip-version-check --no-deps --no-binary=:all: \
        -d "$cache/download" "$PACKAGE==$VERSION"
    mv "$cache/download/$(basename "$archive")" "$archive"
fi
cd "$here"
status=0
PYTHONDONTWRITEBYTECODE=1 "$cache/venv/bin/python" check.py "$archive" "$classes" "$cache" "$java" ${3+"$3"} || status=$?
echo "templates: $(($(date +%s) - start)) s"
exit $status
