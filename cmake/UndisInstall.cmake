# SPDX-License-Identifier: MIT
#
# What is installed: libundis.so, the command, the headers of drivers and hosts, the CMake package and undis.pc.
include(CMakePackageConfigHelpers)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/undis)
set(installed undis)
if(TARGET undis_cli)
  set_target_properties(undis_cli PROPERTIES EXPORT_NAME cli)
  list(APPEND installed undis_cli)
endif()

install(TARGETS ${installed} EXPORT undisTargets
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT undisTargets NAMESPACE undis:: DESTINATION ${package})
install(DIRECTORY include/wdk include/undis/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/undis)

configure_package_config_file(cmake/undisConfig.cmake.in ${PROJECT_BINARY_DIR}/undisConfig.cmake
  INSTALL_DESTINATION ${package})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/undisConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/undisConfig.cmake ${PROJECT_BINARY_DIR}/undisConfigVersion.cmake
  cmake/UndisDriver.cmake DESTINATION ${package})

# Relative to the file itself, so that an installed tree may be moved.
file(RELATIVE_PATH UNDIS_PREFIX_FROM_PC ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" UNDIS_PREFIX_FROM_PC "${UNDIS_PREFIX_FROM_PC}")
configure_file(cmake/undis.pc.in ${PROJECT_BINARY_DIR}/undis.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/undis.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# find_package(undis) inside this build tree: the targets are there already, so examples need not be written twice.
file(WRITE ${PROJECT_BINARY_DIR}/intree/undisConfig.cmake "include(${PROJECT_SOURCE_DIR}/cmake/UndisDriver.cmake)\n")
