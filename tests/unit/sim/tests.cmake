foreach(name store/custom store/history store/objects rest/clients_random rest/discovery rest/event_view rest/fault rest/field_validation rest/list rest/load rest/patch rest/protobuf rest/watch
    controllers/converge controllers/deployment controllers/gc controllers/operator controllers/pod controllers/replicaset controllers/statefulset)
  unit_test(sim/${name} sim_core)
endforeach()
foreach(name rest_protobuf store_history) # which look inside
  target_include_directories(unit_sim_${name} PRIVATE ${CMAKE_SOURCE_DIR}/src/sim)
endforeach()
