add_library(net_kit STATIC ${CMAKE_CURRENT_LIST_DIR}/kit.c)
target_include_directories(net_kit PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(net_kit PUBLIC net PkgConfig::UV PkgConfig::CMOCKA PRIVATE options)
foreach(file client client_faults flood stream server server_limits)
  unit_test(net/${file} net_kit)
endforeach()
unit_test(net/http_in net)
target_include_directories(unit_net_http_in PRIVATE ${CMAKE_SOURCE_DIR}/src/net) # a private part of the layer

pkg_check_modules(SSL REQUIRED IMPORTED_TARGET libssl) # the tests' own TLS server
add_library(net_tls_server STATIC ${CMAKE_CURRENT_LIST_DIR}/tls_server.c)
target_include_directories(net_tls_server PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(net_tls_server PUBLIC base PkgConfig::SSL PkgConfig::CRYPTO PRIVATE options)
unit_test(net/tls net_kit net_tls_server)
unit_test(net/proxy net_kit net_tls_server)
unit_test(net/dns net_kit)
unit_test(net/curl_error net PkgConfig::CURL PkgConfig::UV)
target_include_directories(unit_net_curl_error PRIVATE ${CMAKE_SOURCE_DIR}/src/net)
