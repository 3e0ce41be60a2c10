# Install rules: header, libraries, a CMake package (find_package(bwtree) gives bwtree::bwtree, which
# is the shared library if there is one) and a pkg-config file.
include(CMakePackageConfigHelpers)

set(BWTREE_TARGETS bwtree_static)
if(BWTREE_SHARED)
  list(APPEND BWTREE_TARGETS bwtree_shared)
endif()
install(FILES impl/include/bwtree.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)
install(TARGETS ${BWTREE_TARGETS} EXPORT bwtree-targets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime
        NAMELINK_COMPONENT development
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)

set(BWTREE_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/bwtree)
install(EXPORT bwtree-targets NAMESPACE bwtree:: DESTINATION ${BWTREE_CMAKE_DIR}
        COMPONENT development)
configure_package_config_file(cmake/bwtree-config.cmake.in bwtree-config.cmake
                              INSTALL_DESTINATION ${BWTREE_CMAKE_DIR})
write_basic_package_version_file(bwtree-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/bwtree-config.cmake
              ${PROJECT_BINARY_DIR}/bwtree-config-version.cmake
        DESTINATION ${BWTREE_CMAKE_DIR} COMPONENT development)

configure_file(cmake/bwtree.pc.in bwtree.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/bwtree.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
        COMPONENT development)
