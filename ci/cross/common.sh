# SPDX-License-Identifier: Apache-2.0
# Read by the other scripts of this folder, from the repository's root. Build folders are kept in build/ci; zig's cache with
# what else is kept between checkouts, since the first build for a platform also compiles its C library (Windows: minutes).
cross_platforms="linux-x86_64 linux-aarch64 windows-x86_64 macos-aarch64 macos-x86_64"
cross_folder=$PWD/build/ci/cross
mkdir -p "$cross_folder"
export ZIG_GLOBAL_CACHE_DIR="${PUNA_CI_CACHE:-$HOME/.cache/puna-ci}/zig-cache"
if [ -x build/ci/python/bin/python3 ]; then
    PATH="$PWD/build/ci/python/bin:$PATH"
    export PATH
fi

# Builds targets for a platform: cross_build PLATFORM BUILD-FOLDER CMAKE-OPTIONS -- TARGETS
cross_build() {
    platform=$1
    folder=$2
    shift 2
    options=
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        options="$options $1"
        shift
    done
    shift
    # shellcheck disable=SC2086 # options are words
    if ! cmake -S native -B "$folder" -G Ninja "-DCMAKE_TOOLCHAIN_FILE=$PWD/native/cmake/zig-$platform.cmake" \
        -DCMAKE_BUILD_TYPE=Release -DPUNA_WERROR=ON $options > "$folder.log" 2>&1; then
        cat "$folder.log"
        return 1
    fi
    if ! cmake --build "$folder" --target "$@" >> "$folder.log" 2>&1; then
        grep -E -A12 'error|FAILED|undefined' "$folder.log" | head -n 60
        return 1
    fi
}
