# What `cmake --install build` copies: the program, the shared library with its headers, and the package files by which
# find_package(fovea) gives the target fovea::fovea.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/fovea)
install(TARGETS fovea_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
if(TARGET fovea_loadgen)  # found beside the program when `fovea mlperf` needs it
  install(TARGETS fovea_loadgen LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/fovea)
endif()
install(TARGETS fovea_shared EXPORT fovea_targets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/fovea DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h")
install(FILES ${CMAKE_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(EXPORT fovea_targets NAMESPACE fovea:: DESTINATION ${package_dir})

# The shared library needs nothing of its users but its headers, so the package file has no dependencies to find.
set(config ${CMAKE_BINARY_DIR}/package/fovea-config.cmake)
file(WRITE ${config} "include(\${CMAKE_CURRENT_LIST_DIR}/fovea_targets.cmake)\n")
set(version ${CMAKE_BINARY_DIR}/package/fovea-config-version.cmake)
write_basic_package_version_file(${version} COMPATIBILITY SameMinorVersion)
install(FILES ${config} ${version} DESTINATION ${package_dir})

# A sanitizer build is not what gets installed, and its library only loads into programs with the same run time.
if(FOVEA_BUILD_TESTS AND NOT FOVEA_SANITIZE)
  find_package(Python3 COMPONENTS Interpreter REQUIRED)
  add_test(NAME install
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/install/install_test.py
            ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
  set_tests_properties(install PROPERTIES TIMEOUT 300 LABELS integration)
endif()
