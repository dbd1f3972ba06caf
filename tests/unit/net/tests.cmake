add_library(net_kit STATIC ${CMAKE_CURRENT_LIST_DIR}/kit.c)
target_include_directories(net_kit PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(net_kit PUBLIC net PkgConfig::UV PkgConfig::CMOCKA PRIVATE options)
unit_test(net/client net_kit)
unit_test(net/server net_kit)
unit_test(net/http_in net)
target_include_directories(unit_net_http_in PRIVATE ${CMAKE_SOURCE_DIR}/src/net) # a private part of the layer
