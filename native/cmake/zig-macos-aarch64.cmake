# SPDX-License-Identifier: Apache-2.0
set(CMAKE_SYSTEM_NAME Darwin)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(PUNA_ZIG_TARGET aarch64-macos.13.0)
set(CMAKE_OSX_SYSROOT "")
set(CMAKE_OSX_DEPLOYMENT_TARGET "")
include(${CMAKE_CURRENT_LIST_DIR}/zig.cmake)
