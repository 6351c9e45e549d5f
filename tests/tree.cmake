# Checks of the tree itself: layers, layout, the installed package.

if(COMQTT_SANITIZE)
  return()
endif()

add_test(NAME layout/check_layers
  COMMAND "${Python3_EXECUTABLE}" "${CMAKE_CURRENT_SOURCE_DIR}/layout/check_layers.py"
    --cache "${CMAKE_BINARY_DIR}/layout-cache")
set_tests_properties(layout/check_layers PROPERTIES LABELS layout TIMEOUT 900)

add_test(NAME docs/conformance
  COMMAND "${Python3_EXECUTABLE}" "${CMAKE_CURRENT_SOURCE_DIR}/conformance/table.py" --check)
set_tests_properties(docs/conformance PROPERTIES LABELS docs TIMEOUT 60)

if(TARGET comqtt)
  add_test(NAME docs/configuration
    COMMAND "${Python3_EXECUTABLE}" "${CMAKE_CURRENT_SOURCE_DIR}/docs/configuration.py" --check
      --library "$<TARGET_FILE:comqtt>")
  set_tests_properties(docs/configuration PROPERTIES LABELS docs TIMEOUT 60)
endif()

if(TARGET comqtt_program)
  add_test(NAME install/package
    COMMAND "${Python3_EXECUTABLE}" "${CMAKE_CURRENT_SOURCE_DIR}/install/check_package.py"
      --build "${CMAKE_BINARY_DIR}" --version "${PROJECT_VERSION}")
  set_tests_properties(install/package PROPERTIES LABELS install TIMEOUT 300)
endif()

file(GLOB abi_tests CONFIGURE_DEPENDS abi/CMakeLists.txt)
if(abi_tests)
  add_subdirectory(abi)
endif()
