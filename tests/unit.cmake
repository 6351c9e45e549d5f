# comqtt_unit mirrors cpp/; comqtt_sim runs protocol histories against a model. Both are doctest programs with one
# ctest entry per source file; a file in which doctest finds no case fails.

function(comqtt_add_doctest program folder)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.cpp")
  list(REMOVE_ITEM sources "${CMAKE_CURRENT_SOURCE_DIR}/unit/main.cpp")
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  if(NOT tests)
    message(STATUS "tests/${folder}: no *_test.cpp, ${program} is left out")
    return()
  endif()
  add_executable(${program} unit/main.cpp ${sources})
  target_include_directories(${program} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
  target_link_libraries(${program} PRIVATE comqtt_core comqtt_plain_link)
  # Tests are run once: compiled quickly, and out of reach of g++ 12's false -Wmaybe-uninitialized at -O3.
  target_compile_options(${program} PRIVATE $<$<CONFIG:Release>:-O1>)
  foreach(source IN LISTS tests)
    file(RELATIVE_PATH name "${CMAKE_CURRENT_SOURCE_DIR}" "${source}")
    string(REGEX REPLACE "_test\\.cpp$" "" test "${name}")
    add_test(NAME ${test} COMMAND ${program} "--source-file=*tests/${name}" --no-version)
    set_tests_properties(${test} PROPERTIES
      LABELS ${folder} TIMEOUT 300 FAIL_REGULAR_EXPRESSION "test cases: +0 ")
  endforeach()
endfunction()

comqtt_add_doctest(comqtt_unit unit)
file(GLOB sim_tests CONFIGURE_DEPENDS sim/CMakeLists.txt)
if(sim_tests)
  add_subdirectory(sim)
else()
  comqtt_add_doctest(comqtt_sim sim)
endif()
