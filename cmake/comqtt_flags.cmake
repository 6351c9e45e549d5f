# Language level, warnings and sanitizers for every target of the tree.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

# A compiler cache where one is installed, unless the caller has said what to call the compiler with. It serves a second
# build of the same sources, in another folder or after a change that was taken back.
option(COMQTT_CCACHE "Compile by way of ccache where it is installed" ON)
find_program(COMQTT_CCACHE_PROGRAM ccache)
mark_as_advanced(COMQTT_CCACHE_PROGRAM)
if(COMQTT_CCACHE AND COMQTT_CCACHE_PROGRAM)
  foreach(language C CXX)
    if(NOT DEFINED CMAKE_${language}_COMPILER_LAUNCHER)
      set(CMAKE_${language}_COMPILER_LAUNCHER "${COMQTT_CCACHE_PROGRAM}")
    endif()
  endforeach()
endif()

# _POSIX_C_SOURCE for C without extensions: the C tests and examples use clock_gettime, nanosleep, sockets.
add_compile_definitions($<$<COMPILE_LANGUAGE:C>:_POSIX_C_SOURCE=200809L>)
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow)
if(COMQTT_WERROR)
  add_compile_options(-Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports memory overlaps and overflows inside its own inlined std::string; wrong, and only at -O3.
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict>)
  set(CMAKE_CXX_FLAGS_RELEASE "-O3 -DNDEBUG")
  set(CMAKE_C_FLAGS_RELEASE "-O3 -DNDEBUG")
endif()

if(COMQTT_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "COMQTT_FUZZ needs clang; use the preset `fuzz`")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
elseif(COMQTT_SANITIZE)
  add_compile_options(-fsanitize=${COMQTT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${COMQTT_SANITIZE})
  if(COMQTT_SANITIZE MATCHES thread)
    # ThreadSanitizer does not know fences; the locks that Asio has beside them order everything.
    add_compile_definitions(ASIO_DISABLE_FENCED_BLOCK)
  endif()
endif()

# comqtt_unity(<target>): with COMQTT_UNITY its sources are compiled as one file, or as one for each UNITY_GROUP when
# they have one. What is local to a file must have a name of its own in its group, then.
function(comqtt_unity target)
  if(NOT COMQTT_UNITY)
    return()
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  get_target_property(sources ${target} SOURCES)
  get_target_property(folder ${target} SOURCE_DIR)
  foreach(source IN LISTS sources)
    get_filename_component(source "${source}" ABSOLUTE BASE_DIR "${folder}")
    get_source_file_property(group "${source}" DIRECTORY "${folder}" UNITY_GROUP)
    if(NOT group)
      set_source_files_properties("${source}" DIRECTORY "${folder}" PROPERTIES UNITY_GROUP all)
    endif()
  endforeach()
endfunction()

# comqtt_fast_code: code generation of the library. Its objects carry both bytecode and machine code, so that the
# shared library is optimised as a whole while tests link the same objects in no time (comqtt_plain_link).
add_library(comqtt_fast_code INTERFACE)
add_library(comqtt_plain_link INTERFACE)
if(NOT COMQTT_SANITIZE AND NOT COMQTT_FUZZ)
  target_compile_options(comqtt_fast_code INTERFACE -fno-plt -fno-semantic-interposition)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
    # Records of 100 bytes are cleared and copied with plain moves: `rep stos` takes 10 ns to begin, for each message.
    target_compile_options(comqtt_fast_code INTERFACE
      "-mmemset-strategy=unrolled_loop:256:noalign,libcall:-1:noalign"
      "-mmemcpy-strategy=unrolled_loop:256:noalign,libcall:-1:noalign")
  endif()
  if(COMQTT_LTO AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(comqtt_fast_code INTERFACE -flto=auto -ffat-lto-objects)
    target_link_options(comqtt_plain_link INTERFACE -fno-lto)
  endif()
endif()
