# Headers, library, program, pkg-config file and CMake package.

include(CMakePackageConfigHelpers)

install(TARGETS comqtt EXPORT comqttTargets
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  FILES_MATCHING PATTERN "*.h")
if(TARGET comqtt_program)
  install(TARGETS comqtt_program RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endif()

set(comqtt_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/comqtt")
install(EXPORT comqttTargets NAMESPACE comqtt:: DESTINATION "${comqtt_package_dir}")
configure_package_config_file(
  "${PROJECT_SOURCE_DIR}/cmake/comqttConfig.cmake.in" "${CMAKE_BINARY_DIR}/package/comqttConfig.cmake"
  INSTALL_DESTINATION "${comqtt_package_dir}")
write_basic_package_version_file("${CMAKE_BINARY_DIR}/package/comqttConfigVersion.cmake"
  VERSION ${PROJECT_VERSION} COMPATIBILITY SameMajorVersion)
install(FILES
  "${CMAKE_BINARY_DIR}/package/comqttConfig.cmake"
  "${CMAKE_BINARY_DIR}/package/comqttConfigVersion.cmake"
  DESTINATION "${comqtt_package_dir}")

# The prefix is told relative to the file, so that `cmake --install --prefix` and a moved tree stay right.
function(comqtt_configure_pc source)
  file(RELATIVE_PATH up "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
  string(REGEX REPLACE "/$" "" up "${up}")
  set(CMAKE_INSTALL_PREFIX "\${pcfiledir}/${up}")
  configure_file("${source}" "${CMAKE_BINARY_DIR}/package/comqtt.pc" @ONLY)
endfunction()

file(GLOB comqtt_pc CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/pkgconfig/comqtt.pc.in")
if(comqtt_pc)
  comqtt_configure_pc("${comqtt_pc}")
  install(FILES "${CMAKE_BINARY_DIR}/package/comqtt.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
endif()
