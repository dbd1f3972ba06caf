fuzzer(report rehearse_report)
foreach(name gate upstream_check wire)
  fuzzer(${name} rehearse_wire)
endforeach()
fuzzer(watch rehearse_core kube_core)
target_include_directories(fuzz_watch PRIVATE ${CMAKE_SOURCE_DIR}/src/rehearse) # private parts of the layer
fuzzer(informer rehearse_core PkgConfig::CMOCKA)
target_include_directories(fuzz_informer PRIVATE ${CMAKE_SOURCE_DIR}/tests/unit/rehearse) # the model
fuzzer(proxy rehearse simworld)
