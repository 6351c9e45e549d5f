# One Python for the module and its tests: the virtual environment of the tests when there is one, and the pybind11
# installed in it.

set(comqtt_venv_python "${PROJECT_SOURCE_DIR}/build/venv/bin/python")
if(NOT DEFINED Python_EXECUTABLE AND EXISTS "${comqtt_venv_python}")
  set(Python_EXECUTABLE "${comqtt_venv_python}" CACHE FILEPATH "Python to build for")
endif()
set(PYBIND11_FINDPYTHON ON)
find_package(Python 3.9 REQUIRED COMPONENTS Interpreter Development.Module)

if(NOT pybind11_DIR)
  execute_process(COMMAND "${Python_EXECUTABLE}" -m pybind11 --cmakedir
    OUTPUT_VARIABLE comqtt_pybind11_dir OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(comqtt_pybind11_dir)
    set(pybind11_DIR "${comqtt_pybind11_dir}" CACHE PATH "pybind11's CMake package")
  endif()
endif()
