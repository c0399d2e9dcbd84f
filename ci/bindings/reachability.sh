#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Prints GraalVM's reachability metadata for the bindings: each downcall's signature, once, from the generated code. A
# native image has to know them when it is built. Its parser takes the names of Linker.canonicalLayouts(), which have the
# width that they have in Java on every platform where they begin with a j. Called by generate.sh,
# compared by check.sh. Generated, never run: no GraalVM is at hand where this was written.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
awk '
    function type(text) {
        gsub(/[ \t,);]/, "", text)
        sub(/^PunaH\./, "", text)
        if (text == "C_POINTER") return "void*"
        if (text == "C_INT") return "jint"
        if (text == "C_FLOAT") return "jfloat"
        if (text == "C_LONG_LONG") return "jlong"
        print "reachability.sh: the type " text " is not known" > "/dev/stderr"
        failed = 1
        return text
    }
    /FunctionDescriptor DESC = FunctionDescriptor\.of/ {
        result = /ofVoid/ ? "void" : ""
        parameters = ""
        open = 1
        rest = $0
        sub(/.*FunctionDescriptor\.of(Void)?\(/, "", rest)
        $0 = rest
    }
    open {
        last = /\);/
        if ($0 ~ /C_/) {
            t = type($0)
            if (result == "") result = t
            else parameters = parameters (parameters == "" ? "" : ", ") "\"" t "\""
        }
        if (last) {
            open = 0
            print "      { \"returnType\": \"" result "\", \"parameterTypes\": [" parameters "] }"
        }
    }
    END { exit failed }
' "$root/bindings/src/main/java/dev/puna/bindings/gen/PunaH.java" > "$work/downcalls"
# dlopen, by which library/Refusal.java asks why a library was refused; what else is written by hand is among ours.
echo '      { "returnType": "void*", "parameterTypes": ["void*", "jint"] }' >> "$work/downcalls"
echo '{'
echo '  "resources": ['
echo '    { "glob": "META-INF/puna/**" }'
echo '  ],'
echo '  "foreign": {'
echo '    "downcalls": ['
LC_ALL=C sort -u "$work/downcalls" | sed '$!s/$/,/'
echo '    ]'
echo '  }'
echo '}'
