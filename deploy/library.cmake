# What operators in C are built on, for others than this tree: one static library, its headers, find_package(handover) and handover.pc. A
# component of its own, which is installed only when it is asked for: cmake --install BUILD --component dev. See docs/reference/library.md.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)
set(library_layers base api yaml world loop net kube_core kube control_core control leader_core leader leadership obs)
list(TRANSFORM library_layers REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>" OUTPUT_VARIABLE library_objects)
add_library(handover_library STATIC ${library_objects})
set_target_properties(handover_library PROPERTIES OUTPUT_NAME handover EXPORT_NAME handover LINKER_LANGUAGE C)
target_include_directories(handover_library INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/handover>)
target_link_libraries(handover_library INTERFACE PkgConfig::UV PkgConfig::CURL PkgConfig::CJSON PkgConfig::SYSTEMD PkgConfig::YAML
  PkgConfig::SSL PkgConfig::CRYPTO PkgConfig::ZLIB http_parser m)
if(HANDOVER_SANITIZE)
  list(APPEND library_flags -fsanitize=address,undefined)
endif()
if(HANDOVER_COVERAGE)
  list(APPEND library_flags --coverage)
endif()
target_link_options(handover_library INTERFACE ${library_flags})
list(JOIN library_flags " " library_flags)

set(dev COMPONENT dev EXCLUDE_FROM_ALL)
set(library_made ${CMAKE_BINARY_DIR}/library)
set(library_cmake ${CMAKE_INSTALL_LIBDIR}/cmake/handover)
install(TARGETS handover_library EXPORT handover ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} ${dev})
install(EXPORT handover NAMESPACE handover:: FILE handover-targets.cmake DESTINATION ${library_cmake} ${dev})
foreach(layer base api world loop net kube control obs)
  install(DIRECTORY src/${layer}/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/handover ${dev} FILES_MATCHING PATTERN *.h
    PATTERN reflector.h EXCLUDE PATTERN splitter.h EXCLUDE) # the inside of an informer
endforeach()
install(DIRECTORY leader/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/handover ${dev} FILES_MATCHING PATTERN *.h)
install(FILES src/app/include/app/leadership.h src/app/include/app/termination_grace.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/handover/app ${dev})
install(FILES deploy/library/handover.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/handover ${dev})

string(REGEX REPLACE "[^/]+" ".." library_up ${CMAKE_INSTALL_LIBDIR}) # handover.pc finds its prefix from where it is
configure_file(deploy/library/handover.pc.in ${library_made}/handover.pc @ONLY)
configure_package_config_file(deploy/library/handover-config.cmake.in ${library_made}/handover-config.cmake INSTALL_DESTINATION ${library_cmake})
write_basic_package_version_file(${library_made}/handover-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${library_made}/handover.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig ${dev})
install(FILES ${library_made}/handover-config.cmake ${library_made}/handover-config-version.cmake DESTINATION ${library_cmake} ${dev})
