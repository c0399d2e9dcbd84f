#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What no tracked file may hold: a package registry's host, a path of one machine, a test that can be skipped, a binary or a
# big file without need, a source without its licence line, a line of more than 120 columns (in Java a comment's: the
# formatter sees to the rest).
set -u
cd "$(dirname "$0")/../.."
problems=0
problem() {
    echo "hygiene: $*" >&2
    problems=$((problems + 1))
}
none() { # words, pattern, paths...
    local what=$1 pattern=$2 found
    shift 2
    found=$(git grep -nIE "$pattern" -- "$@" ':!ci/laws/hygiene.sh' | cut -c 1-160)
    [ -z "$found" ] || problem "$what:"$'\n'"$found"
}
# Model hubs may be named; package registries are reached by their own clients, which know where.
none "the host of a package registry" \
    '(repo[0-9]*\.maven\.(apache\.)?org|repo\.maven|registry\.npmjs|files\.pythonhosted|pypi\.org|crates\.io|proxy\.golang|deb\.debian\.org|search\.maven)' .
none "a path of one machine" '(^|[^A-Za-z0-9_.~$}/-])/(work|root|farm|tmp/brief)/[A-Za-z.]' . ':!*.md5'
none "a test that can be skipped" \
    '@Disabled|Assumptions\.|assumeThat|assumeTrue|DisabledIf|EnabledIf|@EnabledOnOs|@DisabledOnOs' '*.java'
none "work left in words" '\b(TODO|FIXME|XXX)\b' '*.c' '*.h' '*.java' '*.md' '*.sh'
export LC_ALL=C.UTF-8 # columns are characters
none "more than 120 columns" '^.{121}' 'native/*.c' 'native/*.h' 'native/*.def' 'ci/*.c' ':!*_table.c'
long=$(git grep -nIE '^.{121}' -- '*.java' ':!*/gen/*' | grep -E '^[^:]+:[0-9]+: *(\*|/\*|//)' | cut -c 1-160)
[ -z "$long" ] || problem "a comment of more than 120 columns:"$'\n'"$long"
for file in $(git ls-files '*.java' '*.c' '*.h' '*.sh' '*.py' '*.cmake' 'CMakeLists.txt' puna ci/setup ci/checks .ci/run); do
    [ -f "$file" ] || continue
    head -n 3 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' || problem "$file lacks its SPDX line"
done
while read -r size file; do
    [ "$size" -le 2000000 ] || problem "$file has $size bytes"
done < <(git ls-files -z | xargs -0 -r stat -c '%s %n' 2> /dev/null)
[ "$problems" = 0 ] && echo "hygiene: $(git ls-files | wc -l) files"
[ "$problems" = 0 ]
