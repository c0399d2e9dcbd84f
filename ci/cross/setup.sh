#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What ci/cross needs beyond ci/setup's tools: the cross compiler, and the C library of ARM for the emulator. Called by
# ci/setup from the repository's root, with its Python first in PATH.
set -eu
if ! python3 -c 'import ziglang' 2> /dev/null; then
    python3 -m pip install -q --disable-pip-version-check ziglang==0.17.1
fi
packages=
[ -e /usr/aarch64-linux-gnu/lib/libc.so.6 ] || packages="$packages libc6-arm64-cross"
command -v qemu-aarch64-static > /dev/null || packages="$packages qemu-user-static"
command -v wine > /dev/null || packages="$packages wine wine64"
command -v readelf > /dev/null || packages="$packages binutils"
if [ -n "$packages" ]; then
    sudo=
    [ "$(id -u)" = 0 ] || sudo=sudo
    # shellcheck disable=SC2086 # packages are words
    $sudo apt-get update -q && DEBIAN_FRONTEND=noninteractive $sudo apt-get install -q -y --no-install-recommends $packages
fi
