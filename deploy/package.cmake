# Where things are installed, and the Debian package: cpack -G DEB in a release build.
include(GNUInstallDirs)
install(TARGETS handover handover-sim RUNTIME)
install(FILES deploy/systemd/handover.service DESTINATION lib/systemd/system)
install(FILES README.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs)
foreach(kind manifests namespaced kustomize helm alerts dashboard)
  install(DIRECTORY deploy/${kind} DESTINATION ${CMAKE_INSTALL_DOCDIR}/deploy)
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME handover)
set(CPACK_PACKAGE_CONTACT "Handover's developers <developers@handover.dev>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "safe upgrades for Kubernetes operators")
set(CPACK_PACKAGE_DESCRIPTION "An image update of an annotated operator starts a canary of the new version; it is judged by its error rate, and promoted or
rolled back. This package has the command line, the operator for a host outside of the cluster, and the embedded API server for
experiments.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates)
include(CPack)
