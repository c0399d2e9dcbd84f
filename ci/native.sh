# SPDX-License-Identifier: Apache-2.0
# Read by other scripts, from the repository's root: builds the C core in a preset's folder.
# One builder at a time in a folder: checks that run side by side (ci/checks) may want the same one.
mkdir -p build/ci

# native_build PRESET LOG [TARGET ...]: configures native/build/PRESET and builds the targets, or all; on failure shows the log.
native_build() (
    preset=$1 log=$2
    shift 2
    folder=$PWD/native/build/$preset
    targets=
    [ $# = 0 ] || targets="--target $*"
    options=
    command -v ninja > /dev/null && options="-G Ninja"
    case $preset in
        release) ;;
        *)  # the product kernels are compiled without sanitizers, hence once for all
            native_build release "$log" puna || exit 1
            options="$options -DPUNA_PRODUCTS=$PWD/native/build/release"
            ;;
    esac
    exec 8> "build/ci/$preset.lock"
    ! command -v flock > /dev/null || flock 8
    if [ "$preset" = release ]; then
        cmake -DBUILD="$folder" -P native/maven/configure.cmake > "$log" 2>&1
    else
        # shellcheck disable=SC2086 # options are words
        (cd native && cmake --preset "$preset" $options) > "$log" 2>&1
    fi || { tail -n 40 "$log"; exit 1; }
    # shellcheck disable=SC2086 # targets are words
    cmake --build "$folder" $targets --parallel 2 >> "$log" 2>&1 || { tail -n 40 "$log"; exit 1; }
)
