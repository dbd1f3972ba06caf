fuzzer(http_request net)
target_include_directories(fuzz_http_request PRIVATE ${CMAKE_SOURCE_DIR}/src/net) # http_in.h is private to its layer
