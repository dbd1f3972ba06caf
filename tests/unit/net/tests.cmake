add_library(net_kit STATIC ${CMAKE_CURRENT_LIST_DIR}/kit.c)
target_include_directories(net_kit PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(net_kit PUBLIC net PkgConfig::UV PkgConfig::CMOCKA PRIVATE options)
unit_test(net/client net_kit)
