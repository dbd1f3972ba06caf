# Of the REST side and the store; the controllers' are beside them.
foreach(part rest controllers)
  include(${CMAKE_CURRENT_LIST_DIR}/${part}.cmake OPTIONAL)
endforeach()
