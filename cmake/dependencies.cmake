# Third-party libraries as imported targets. Arrow and DuckDB come from the cache that
# `make setup` fills, everything else from Debian's packages.
if(DEFINED ENV{LEAT_CACHE})
    set(leat_cache_default $ENV{LEAT_CACHE})
else()
    set(leat_cache_default $ENV{HOME}/.cache/leat)
endif()
set(LEAT_CACHE ${leat_cache_default} CACHE PATH "folder that make setup fills")

set(leat_arrow_root ${LEAT_CACHE}/arrow-26.0.1)
set(leat_duckdb_root ${LEAT_CACHE}/duckdb-1.5.6)
set(LEAT_PYTHON ${LEAT_CACHE}/venv/bin/python)
foreach(needed IN ITEMS ${leat_arrow_root} ${leat_duckdb_root} ${LEAT_PYTHON})
    if(NOT EXISTS ${needed})
        message(FATAL_ERROR "${needed} is missing: run `make setup` first")
    endif()
endforeach()

# leat_imported(NAME LIBRARY INCLUDE): a shared library by its full path, headers as system headers.
function(leat_imported name library include)
    add_library(${name} SHARED IMPORTED GLOBAL)
    set_target_properties(${name} PROPERTIES
        IMPORTED_LOCATION ${library}
        INTERFACE_INCLUDE_DIRECTORIES ${include})
endfunction()

leat_imported(leat::arrow ${leat_arrow_root}/lib/libarrow.so.2600 ${leat_arrow_root}/include)
leat_imported(leat::duckdb ${leat_duckdb_root}/lib/libduckdb.so ${leat_duckdb_root}/include)

# leat_system(NAME HEADER LIBRARY [SUFFIX]): a library without a usable CMake package.
function(leat_system name header library)
    string(MAKE_C_IDENTIFIER ${library} id)
    find_path(LEAT_${id}_INCLUDE ${header} PATH_SUFFIXES ${ARGN} REQUIRED)
    find_library(LEAT_${id}_LIBRARY ${library} REQUIRED)
    leat_imported(${name} ${LEAT_${id}_LIBRARY} ${LEAT_${id}_INCLUDE})
endfunction()

leat_system(leat::pq libpq-fe.h pq postgresql)
leat_system(leat::yaml yaml.h yaml)
# Its CMake package asks for the libraries of its HTTP server and client, which are not used here.
leat_system(leat::prometheus prometheus/registry.h prometheus-cpp-core)
leat_system(leat::sqlite sqlite3.h sqlite3)
leat_system(leat::bson bson/bson.h bson-1.0 libbson-1.0)
leat_system(leat::mongoc mongoc/mongoc.h mongoc-1.0 libmongoc-1.0)
target_link_libraries(leat::mongoc INTERFACE leat::bson)

find_package(Threads REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(spdlog 1.10 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(GTest 1.12 REQUIRED)
find_package(rapidcheck REQUIRED)
find_package(benchmark REQUIRED)

add_library(leat::fmt ALIAS fmt::fmt)
add_library(leat::spdlog ALIAS spdlog::spdlog)
add_library(leat::cli11 ALIAS CLI11::CLI11)
add_library(leat::boost ALIAS Boost::headers)
add_library(leat::boost_json ALIAS Boost::json)
add_library(leat::ssl ALIAS OpenSSL::SSL)
add_library(leat::crypto ALIAS OpenSSL::Crypto)
add_library(leat::rapidcheck ALIAS rapidcheck)
add_library(leat::benchmark ALIAS benchmark::benchmark)
