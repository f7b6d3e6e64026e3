# A folder becomes a static library, a test program and benchmark programs by one call:
#
#     leat_component(NAME LINK leat::arrow base change)
#
# NAME is the folder below src/ with / as _ (src/queue/log is queue_log). The library leat_NAME
# holds every *.cpp but tests, fuzz targets and benchmarks; a folder of headers alone becomes an
# interface library. *_test.cpp together become NAME_test, which ctest runs as one test; each
# *_bench.cpp becomes a program of its own (target `benches`). LINK names libraries
# (arrow duckdb pq bson mongoc yaml fmt spdlog cli11 boost boost_json ssl crypto rapidcheck
# benchmark, with or without leat::) or other components by their NAME. TEST_LINK, BENCH_LINK: the
# same for tests or benchmarks alone.
#
#     leat_python_test(NAME script.py [ARGS ...] [LABELS ...] [TIMEOUT seconds])
#
# registers a Python test that runs with the pinned environment; exit code 77 means skipped.

set_property(GLOBAL PROPERTY leat_components "")
add_custom_target(benches)
add_custom_target(fuzzers)

# What a test may need to know about its surroundings.
set(leat_test_environment
    LEAT_BINARY=${CMAKE_BINARY_DIR}/bin/leat
    LEAT_CACHE=${LEAT_CACHE}
    LEAT_PYTHON=${LEAT_PYTHON}
    LEAT_SOURCE_DIR=${CMAKE_SOURCE_DIR}
    LEAT_BUILD_DIR=${CMAKE_BINARY_DIR}
    LEAT_POSTGRES_15=/usr/lib/postgresql/15
    LEAT_MONGODB_5=${LEAT_CACHE}/mongodb-5
    LEAT_MONGODB_6=${LEAT_CACHE}/mongodb-6
    "UBSAN_OPTIONS=print_stacktrace=1"
    "ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1"
    "TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/cmake/tsan.supp:second_deadlock_stack=1"
)
if(LEAT_SANITIZE)
    # Arrow's own allocators hide reuse and overruns from the sanitizers.
    list(APPEND leat_test_environment ARROW_DEFAULT_MEMORY_POOL=system)
endif()
foreach(major IN ITEMS 14 16 17 18)
    list(APPEND leat_test_environment LEAT_POSTGRES_${major}=${LEAT_CACHE}/postgres-${major})
endforeach()

function(leat_add_folder folder)
    if(EXISTS ${CMAKE_SOURCE_DIR}/${folder}/CMakeLists.txt)
        add_subdirectory(${CMAKE_SOURCE_DIR}/${folder} ${CMAKE_BINARY_DIR}/${folder})
    endif()
endfunction()

# Turns the names given to LINK into targets.
function(leat_resolve result)
    set(targets)
    foreach(name IN LISTS ARGN)
        string(REPLACE "_" "/" path ${name})
        if(TARGET leat::${name})
            list(APPEND targets leat::${name})
        elseif(EXISTS ${CMAKE_SOURCE_DIR}/src/${path} OR EXISTS ${CMAKE_SOURCE_DIR}/src/${name}
           OR name STREQUAL "connectors")
            list(APPEND targets leat_${name})
        else()
            list(APPEND targets ${name})
        endif()
    endforeach()
    set(${result} ${targets} PARENT_SCOPE)
endfunction()

function(leat_register_test name)
    cmake_parse_arguments(arg "" "TIMEOUT" "LABELS" ${ARGN})
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 300)
    endif()
    set_tests_properties(${name} PROPERTIES
        ENVIRONMENT "${leat_test_environment}"
        TIMEOUT ${arg_TIMEOUT}
        SKIP_RETURN_CODE 77
        LABELS "${arg_LABELS}")
endfunction()

# gtest is parsed once per build tree; every test program borrows the result. Clang insists on
# equal flags for that, so it parses the header each time.
add_library(leat_test_main STATIC EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/cmake/test_main.cpp)
target_link_libraries(leat_test_main PUBLIC leat_settings GTest::gtest Threads::Threads)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_precompile_headers(leat_test_main PRIVATE
        <gtest/gtest.h> <string> <vector> <memory> <optional> <string_view>)
endif()

function(leat_test_program name sources)
    cmake_parse_arguments(arg "" "TIMEOUT" "LINK;LABELS" ${ARGN})
    add_executable(${name} ${sources})
    leat_resolve(libraries ${arg_LINK})
    target_link_libraries(${name} PRIVATE ${libraries} leat_test_main)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        target_precompile_headers(${name} REUSE_FROM leat_test_main)
    endif()
    add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_BINARY_DIR})
    leat_register_test(${name} TIMEOUT ${arg_TIMEOUT} LABELS ${arg_LABELS})
endfunction()

function(leat_bench_program name source)
    cmake_parse_arguments(arg "" "" "LINK" ${ARGN})
    add_executable(${name} EXCLUDE_FROM_ALL ${source})
    leat_resolve(libraries ${arg_LINK})
    target_link_libraries(${name} PRIVATE
        ${libraries} leat_settings benchmark::benchmark Threads::Threads)
    add_dependencies(benches ${name})
endfunction()

function(leat_component name)
    cmake_parse_arguments(arg "" "TIMEOUT" "LINK;TEST_LINK;BENCH_LINK;LABELS" ${ARGN})
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "leat_component(${name}): unknown ${arg_UNPARSED_ARGUMENTS}")
    endif()
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
    foreach(kind IN ITEMS test fuzz bench)
        set(${kind}_sources ${sources})
        list(FILTER ${kind}_sources INCLUDE REGEX "_${kind}\\.cpp$")
        list(FILTER sources EXCLUDE REGEX "_${kind}\\.cpp$")
    endforeach()

    leat_resolve(libraries ${arg_LINK})
    if(sources)
        add_library(leat_${name} STATIC ${sources})
        target_link_libraries(leat_${name} PUBLIC leat_settings ${libraries} Threads::Threads)
    else()
        add_library(leat_${name} INTERFACE)
        target_link_libraries(leat_${name} INTERFACE leat_settings ${libraries} Threads::Threads)
    endif()
    if(CMAKE_CURRENT_SOURCE_DIR MATCHES "^${CMAKE_SOURCE_DIR}/src/" AND NOT name STREQUAL "cli")
        set_property(GLOBAL APPEND PROPERTY leat_components leat_${name})
    endif()

    if(test_sources AND NOT LEAT_FUZZ)
        leat_test_program(${name}_test "${test_sources}" LINK leat_${name} ${arg_TEST_LINK}
            rapidcheck TIMEOUT ${arg_TIMEOUT} LABELS ${arg_LABELS})
    endif()
    foreach(source IN LISTS bench_sources)
        get_filename_component(stem ${source} NAME_WE)
        leat_bench_program(${stem} ${source} LINK leat_${name} ${arg_BENCH_LINK})
    endforeach()
endfunction()

function(leat_python_test name script)
    cmake_parse_arguments(arg "" "TIMEOUT" "ARGS;LABELS" ${ARGN})
    if(LEAT_FUZZ)
        return()
    endif()
    add_test(NAME ${name}
        COMMAND ${LEAT_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/${script} ${arg_ARGS}
        WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    leat_register_test(${name} TIMEOUT ${arg_TIMEOUT} LABELS ${arg_LABELS})
endfunction()

# The registry names every connector, so it links all of them; programs link the registry.
function(leat_connectors source)
    if(EXISTS ${CMAKE_SOURCE_DIR}/${source})
        get_property(components GLOBAL PROPERTY leat_components)
        add_library(leat_connectors STATIC ${source})
        target_link_libraries(leat_connectors PUBLIC leat_settings ${components})
    endif()
endfunction()

function(leat_program name source)
    if(EXISTS ${CMAKE_SOURCE_DIR}/${source})
        add_executable(${name} ${source})
        set(optional)
        foreach(library IN ITEMS leat_cli leat_connectors)
            if(TARGET ${library})
                list(APPEND optional ${library})
            endif()
        endforeach()
        get_property(components GLOBAL PROPERTY leat_components)
        target_link_libraries(${name} PRIVATE
            leat_settings ${optional} ${components} leat::cli11 Threads::Threads)
    endif()
endfunction()

# leat_fuzz(NAME SOURCE LINK ...): under the fuzz preset a libFuzzer program; in every other build
# a program that feeds the named corpus cases through the same entry point, run by ctest.
function(leat_fuzz name source)
    cmake_parse_arguments(arg "" "" "LINK" ${ARGN})
    leat_resolve(libraries ${arg_LINK})
    add_executable(${name} ${source})
    target_link_libraries(${name} PRIVATE leat_settings ${libraries} Threads::Threads)
    if(LEAT_FUZZ)
        target_link_options(${name} PRIVATE -fsanitize=fuzzer)
        set_target_properties(${name} PROPERTIES
            RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzzers)
        add_dependencies(fuzzers ${name})
    else()
        target_sources(${name} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/fuzz_replay.cpp)
        add_test(NAME ${name}_corpus
            COMMAND ${name} ${CMAKE_CURRENT_SOURCE_DIR}/corpus/${name})
        leat_register_test(${name}_corpus LABELS fuzz)
    endif()
endfunction()
