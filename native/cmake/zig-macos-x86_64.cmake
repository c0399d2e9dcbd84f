# SPDX-License-Identifier: Apache-2.0
set(CMAKE_SYSTEM_NAME Darwin)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(PUNA_ZIG_TARGET x86_64-macos.13.0)
set(CMAKE_OSX_SYSROOT "")
set(CMAKE_OSX_DEPLOYMENT_TARGET "")
# Found beside whatever is linked with it; the build folder's path stays out of the file.
set(CMAKE_BUILD_WITH_INSTALL_NAME_DIR ON)
set(CMAKE_INSTALL_NAME_DIR "@loader_path")
include(${CMAKE_CURRENT_LIST_DIR}/zig.cmake)
