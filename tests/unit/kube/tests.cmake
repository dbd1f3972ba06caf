unit_test(kube/splitter kube_core)
unit_test(kube/store kube_core)
unit_test(kube/reflector kube_core)
unit_test(kube/reflector_random kube_core)

# A scripted world for the edges.
add_library(kube_fake STATIC ${CMAKE_CURRENT_SOURCE_DIR}/kube/fake.c)
target_link_libraries(kube_fake PUBLIC simworld PRIVATE options PkgConfig::CMOCKA)
unit_test(kube/proxy kube)
foreach(file config config_exec client client_auth client_scrape list informer informer_stream informer_trouble informer_writes events)
  unit_test(kube/${file} kube kube_fake)
endforeach()
unit_test(kube/informer_sim kube kube_fake sim_core)
