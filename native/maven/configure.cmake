# SPDX-License-Identifier: Apache-2.0
# cmake -DBUILD=folder -P configure.cmake: configures the release preset once, with Ninja when it is found. Later changes
# of CMake files are noticed by the build itself.
if(EXISTS ${BUILD}/CMakeCache.txt)
    return()
endif()
get_filename_component(source ${CMAKE_CURRENT_LIST_DIR}/.. ABSOLUTE)
find_program(ninja NAMES ninja ninja-build)
set(generator "")
if(ninja)
    set(generator -G Ninja -DCMAKE_MAKE_PROGRAM=${ninja})
endif()
# Another compiler has other warnings: they stop CI, not somebody's first build.
if("$ENV{CI}" STREQUAL "true")
    set(werror ON)
else()
    set(werror OFF)
endif()
execute_process(COMMAND ${CMAKE_COMMAND} --preset release -B ${BUILD} ${generator} -DPUNA_WERROR=${werror}
    WORKING_DIRECTORY ${source} RESULT_VARIABLE status)
if(status)
    file(REMOVE ${BUILD}/CMakeCache.txt) # a failed attempt must not be taken for a configured folder
    message(FATAL_ERROR "CMake could not configure the native core")
endif()
