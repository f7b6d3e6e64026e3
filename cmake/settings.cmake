# Compiler settings for every target: C++20, warnings as errors, sanitizers, mold, ccache.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set_property(GLOBAL PROPERTY JOB_POOLS link=1)
set(CMAKE_JOB_POOL_LINK link)

if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()
# Every preset states its optimisation itself, so that no flag is given twice.
foreach(type IN ITEMS RELEASE RELWITHDEBINFO DEBUG)
    set(CMAKE_CXX_FLAGS_${type} "")
    set(CMAKE_C_FLAGS_${type} "")
endforeach()
set(LEAT_OPTIMIZE "-O1;-g1" CACHE STRING "optimisation and debug-information flags")
set(LEAT_SANITIZE "" CACHE STRING "value of -fsanitize=, empty for none")
option(LEAT_FUZZ "build fuzz targets for libFuzzer instead of tests (clang)" OFF)

add_library(leat_settings INTERFACE)
target_include_directories(leat_settings INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_options(leat_settings INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
    # x86-64-v2 has the CRC32C instruction and runs on any machine of the last ten years.
    -march=x86-64-v2 -fno-omit-frame-pointer -fstack-protector-strong -fPIE
    ${LEAT_OPTIMIZE}
    # For clang -Wconversion includes this, for g++ it does not: both shall ask the same.
    $<$<CXX_COMPILER_ID:Clang>:-Wno-sign-conversion>
)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND (LEAT_SANITIZE OR LEAT_OPTIMIZE MATCHES "-O[23]"))
    # g++ 12 sees overflows in its own std::string and std::optional once they are inlined
    # (PR 105329, 105651, 105562); clang, the sanitizers and the dev build keep watch.
    target_compile_options(leat_settings INTERFACE -Wno-restrict -Wno-array-bounds
        -Wno-stringop-overflow -Wno-stringop-overread -Wno-maybe-uninitialized)
endif()
target_compile_definitions(leat_settings INTERFACE _GLIBCXX_ASSERTIONS)
target_link_options(leat_settings INTERFACE -pie -Wl,--as-needed)

find_program(LEAT_MOLD mold)
if(LEAT_MOLD)
    target_link_options(leat_settings INTERFACE -fuse-ld=mold)
endif()

if(LEAT_SANITIZE)
    target_compile_options(leat_settings INTERFACE
        -fsanitize=${LEAT_SANITIZE} -fno-sanitize-recover=all)
    target_link_options(leat_settings INTERFACE -fsanitize=${LEAT_SANITIZE})
endif()
if(LEAT_SANITIZE MATCHES "thread")
    # g++ warns that it does not model fences for the sanitizer; the run itself is unaffected.
    target_compile_options(leat_settings INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
endif()
if(LEAT_FUZZ)
    # Coverage feedback in every library; the fuzz programs alone link libFuzzer's main.
    target_compile_options(leat_settings INTERFACE -fsanitize=fuzzer-no-link)
    target_link_options(leat_settings INTERFACE -fsanitize=fuzzer-no-link)
endif()

find_program(LEAT_CCACHE ccache)
if(LEAT_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
        CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
        CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${LEAT_CCACHE})
endif()
