# SPDX-License-Identifier: Apache-2.0
# One cross compiler for all released natives: zig, from the Python package ziglang. The zig-OS-ARCH.cmake files set
# PUNA_ZIG_TARGET and include this one. The compiler is found by -DPUNA_ZIG=..., the environment variable PUNA_ZIG, or
# the package of python3.
#
# The target is always given: without it zig compiles for this machine's processor, with it for the plainest of its kind.
# -fno-sanitize=all: zig switches traps on in debug builds. -s: else its run-time library's debug data is linked in.

set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES PUNA_ZIG PUNA_ZIG_TARGET)
if(NOT PUNA_ZIG AND DEFINED ENV{PUNA_ZIG})
    set(PUNA_ZIG "$ENV{PUNA_ZIG}")
endif()
if(NOT PUNA_ZIG)
    execute_process(
        COMMAND python3 -c "import os, ziglang; print(os.path.join(os.path.dirname(ziglang.__file__), 'zig'))"
        OUTPUT_VARIABLE PUNA_ZIG OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(NOT PUNA_ZIG OR NOT EXISTS "${PUNA_ZIG}")
    message(FATAL_ERROR "zig is missing: python3 -m pip install ziglang==0.17.1, or set PUNA_ZIG to the zig binary")
endif()
set(PUNA_ZIG "${PUNA_ZIG}" CACHE FILEPATH "the zig binary")

# A compiler's name is one program to CMake: each tool gets a wrapper.
set(puna_zig_tools ${CMAKE_BINARY_DIR}/zig)
foreach(tool ar ranlib)
    if(NOT EXISTS ${puna_zig_tools}/${tool})
        file(WRITE ${puna_zig_tools}/${tool} "#!/bin/sh\nexec '${PUNA_ZIG}' ${tool} \"$@\"\n")
        file(CHMOD ${puna_zig_tools}/${tool} PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
    endif()
endforeach()
set(CMAKE_C_COMPILER "${PUNA_ZIG}" cc)
set(CMAKE_C_COMPILER_TARGET ${PUNA_ZIG_TARGET})
set(CMAKE_AR ${puna_zig_tools}/ar)
set(CMAKE_RANLIB ${puna_zig_tools}/ranlib)
set(CMAKE_C_FLAGS_INIT "-fno-sanitize=all")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-s")
set(CMAKE_SHARED_LINKER_FLAGS_INIT "-s")
set(CMAKE_POLICY_DEFAULT_CMP0025 NEW)
