#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compares ./puna with torch and transformers: tiny models made with fresh weights, and the fidelity of SmolLM2.
#   ci/oracle/check.sh [--seed N] [--model FILE] [--only tiny|fidelity]
# About a minute when the environment of setup.sh is there.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
venv=$("$here/setup.sh")
PYTHONDONTWRITEBYTECODE=1 exec "$venv/bin/python" "$here/compare.py" "$@"
