# comqtt_core: all layers below the C interface, as one static library.

set(comqtt_layers base mqtt topics session hooks auth broker net storage http config server)
set(comqtt_core_sources)
foreach(layer IN LISTS comqtt_layers)
  file(GLOB_RECURSE layer_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/cpp/${layer}/*.cpp")
  list(APPEND comqtt_core_sources ${layer_sources})
  set_source_files_properties(${layer_sources} PROPERTIES UNITY_GROUP ${layer})
endforeach()

add_library(comqtt_core STATIC ${comqtt_core_sources})
comqtt_unity(comqtt_core)
target_include_directories(comqtt_core PUBLIC "${PROJECT_SOURCE_DIR}/cpp")
# Whether Asio finds aligned_alloc depends on what a file includes before it: memory of one way, freed in the other.
target_compile_definitions(comqtt_core
  PUBLIC FMT_HEADER_ONLY=1
  PRIVATE ASIO_STANDALONE ASIO_NO_DEPRECATED ASIO_DISABLE_STD_ALIGNED_ALLOC COMQTT_VERSION="${PROJECT_VERSION}")
target_link_libraries(comqtt_core
  PUBLIC Threads::Threads
  PRIVATE comqtt_fast_code SQLite::SQLite3)
