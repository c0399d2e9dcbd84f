#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes the Python environment of the comparisons, once: torch, transformers, gguf. Prints its folder.
#   ci/oracle/setup.sh
# It lies outside the repository, in ${PUNA_CI_CACHE:-$HOME/.cache/puna-ci}, and is made anew when what it holds changes.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
requirements=$here/../../tools/requirements.txt
torch=2.15.0
cache=${PUNA_CI_CACHE:-$HOME/.cache/puna-ci}
stamp=$(cat "$requirements" "$here/cpu_torch.py" | cksum | tr ' ' -)-$torch
venv=$cache/oracle-$stamp
mkdir -p "$cache"
exec 9> "$cache/oracle.lock" # whoever comes at the same time waits for it to be made
flock 9
if [ ! -f "$venv/complete" ]; then
    python=
    for candidate in python3.11 python3.12 python3.13 python3; do
        if command -v "$candidate" > /dev/null && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then
            python=$candidate
            break
        fi
    done
    [ -n "$python" ] || { echo "ci/oracle: needs Python 3.11 or newer" >&2; exit 1; }
    echo "ci/oracle: making $venv (600 MB to fetch, a few minutes)" >&2
    rm -rf "$venv"
    "$python" -m venv "$venv" >&2
    log=$venv/log
    install() {
        "$venv/bin/python" -m pip install --disable-pip-version-check "$@" >> "$log" 2>&1 || { tail -n 20 "$log" >&2; exit 1; }
    }
    # torch alone: what it asks for besides is CUDA, which cpu_torch.py stands in for
    install --no-deps "torch==$torch"
    install -r "$requirements"
    "$venv/bin/python" "$here/cpu_torch.py" >> "$log" 2>&1
    "$venv/bin/python" -c 'import torch, transformers, gguf' >&2
    : > "$venv/complete"
fi
echo "$venv"
