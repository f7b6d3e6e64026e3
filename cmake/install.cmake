# What `make install` and `make package` put where: the program, and beside it every shared library
# it needs but glibc's own, so that the folder runs on any x86-64 Linux with glibc 2.36 or newer,
# wherever it is put.
install(TARGETS leat
    RUNTIME_DEPENDENCIES
        DIRECTORIES ${leat_arrow_root}/lib ${leat_duckdb_root}/lib
        PRE_EXCLUDE_REGEXES "^ld-linux" "^lib(c|m|dl|rt|pthread|resolv)\\.so"
    RUNTIME DESTINATION bin
    LIBRARY DESTINATION lib/leat)
# DT_RPATH and not DT_RUNPATH: it also holds for what these libraries need of each other.
target_link_options(leat PRIVATE -Wl,--disable-new-dtags)
set_target_properties(leat PROPERTIES INSTALL_RPATH "$ORIGIN/../lib/leat")

install(FILES LICENSE README.md DESTINATION share/doc/leat)
install(FILES deploy/leat@.service DESTINATION lib/systemd/system)

set(CPACK_GENERATOR TGZ)
set(CPACK_PACKAGE_FILE_NAME leat-${PROJECT_VERSION}-linux-x86_64)
set(CPACK_STRIP_FILES ON)
include(CPack)
