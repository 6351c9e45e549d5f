# Black-box tests in C: test_*.c is a program, header_*.c and header_*.cpp need only compile, any other .c file is
# shared by the programs.

set(folder "${CMAKE_CURRENT_SOURCE_DIR}/capi")
file(GLOB capi_tests CONFIGURE_DEPENDS "${folder}/test_*.c" "${folder}/test_*.cpp")
file(GLOB capi_headers CONFIGURE_DEPENDS "${folder}/header_*.c" "${folder}/header_*.cpp")
file(GLOB capi_support CONFIGURE_DEPENDS "${folder}/*.c")
if(capi_support)
  list(REMOVE_ITEM capi_support ${capi_tests} ${capi_headers})
endif()

if(capi_headers)
  add_library(capi_header_checks OBJECT ${capi_headers})
  target_link_libraries(capi_header_checks PRIVATE comqtt)
endif()

if(capi_support AND capi_tests)
  add_library(capi_test_support OBJECT ${capi_support})
  target_link_libraries(capi_test_support PRIVATE comqtt Threads::Threads)
endif()

foreach(source IN LISTS capi_tests)
  get_filename_component(name "${source}" NAME_WE)
  add_executable(capi_${name} "${source}")
  target_link_libraries(capi_${name} PRIVATE comqtt Threads::Threads)
  if(TARGET capi_test_support)
    target_link_libraries(capi_${name} PRIVATE capi_test_support)
  endif()
  add_test(NAME capi/${name} COMMAND capi_${name})
  set_tests_properties(capi/${name} PROPERTIES LABELS capi TIMEOUT 120)
endforeach()
# It measures at three numbers of threads, and again where a busy machine was in the way.
if(TEST capi/test_scale)
  set_tests_properties(capi/test_scale PROPERTIES TIMEOUT 900)
endif()
