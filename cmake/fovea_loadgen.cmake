# fovea_loadgen.so: what `fovea mlperf` loads on demand to reach MLPerf's LoadGen. By default it embeds the Python that the
# LoadGen of PyPI (mlcommons-loadgen) is imported into; with FOVEA_LOADGEN_SOURCE it holds a LoadGen built from source.
# As a script, `cmake -D FOVEA_LOADGEN_SOURCE=DIR -P cmake/fovea_loadgen.cmake` only says whether DIR would do.
cmake_policy(VERSION 3.25)  # a script has none
set(FOVEA_LOADGEN_SOURCE "" CACHE PATH "Folder of LoadGen's C++ sources (loadgen/ of mlcommons/inference) to build in instead of PyPI's")

# What a folder of LoadGen's sources lacks, as a list of "file (why)". Old and new LoadGens have different files: those that
# the module needs must be there, and whatever the files that are there include.
function(fovea_missing_of_loadgen folder result)
  set(missing "")
  foreach(file loadgen.cc loadgen.h query_sample_library.h system_under_test.h test_settings.h version.h)
    if(NOT EXISTS ${folder}/${file})
      list(APPEND missing ${file})
    endif()
  endforeach()
  if(NOT EXISTS ${folder}/generated/version_generated.cc AND NOT EXISTS ${folder}/version_generator.py)
    list(APPEND missing "version_generator.py or generated/version_generated.cc")
  endif()
  file(GLOB files ${folder}/*.cc ${folder}/*.h)
  set(included "")
  foreach(file ${files})
    get_filename_component(name ${file} NAME)
    file(STRINGS ${file} includes REGEX "^#include \"[^\"]+\"")
    foreach(include ${includes})
      string(REGEX REPLACE "^#include \"([^\"]+)\".*" "\\1" include "${include}")
      if(EXISTS ${folder}/${include} OR include IN_LIST included
         OR (include STREQUAL "mlperf_conf.h" AND EXISTS ${folder}/mlperf.conf))
        continue()
      endif()
      list(APPEND included ${include})
      list(APPEND missing "${include} (which ${name} includes)")
    endforeach()
  endforeach()
  set(${result} "${missing}" PARENT_SCOPE)
endfunction()

function(fovea_check_loadgen_source folder)
  string(CONCAT expected "Expected is one of\n"
    "  - the folder loadgen of a checkout of mlcommons/inference\n"
    "  - the unpacked source package of PyPI, 4.0.1 or later:\n"
    "      pip download --no-binary :all: --no-deps mlcommons-loadgen && tar xf mlcommons_loadgen-*.tar.gz")
  if(NOT IS_DIRECTORY ${folder})
    message(FATAL_ERROR "FOVEA_LOADGEN_SOURCE: there is no folder\n  ${folder}\n${expected}")
  endif()
  if(NOT EXISTS ${folder}/loadgen.h AND EXISTS ${folder}/loadgen/loadgen.h)
    message(FATAL_ERROR "FOVEA_LOADGEN_SOURCE: LoadGen's sources are one folder deeper; name\n  ${folder}/loadgen")
  endif()
  fovea_missing_of_loadgen(${folder} missing)
  if(missing)
    list(JOIN missing "\n  - " missing)
    message(FATAL_ERROR "FOVEA_LOADGEN_SOURCE: these are not LoadGen's sources, or not all of them:\n  ${folder}\nlacks\n  - ${missing}\n${expected}")
  endif()
  # MultiStream is what rounds differ in most: v1.1 took its rate and its limit away.
  file(STRINGS ${folder}/test_settings.h rate REGEX "multi_stream_target_qps")
  set(multi_stream "back to back, as the rules from v1.1 on want it")
  if(rate)
    set(multi_stream "at a fixed interval, as the rules up to v1.0 want it")
  endif()
  message(STATUS "LoadGen is built from ${folder}; its MultiStream issues queries ${multi_stream}")
endfunction()

if(FOVEA_LOADGEN_SOURCE)
  fovea_check_loadgen_source(${FOVEA_LOADGEN_SOURCE})
endif()
if(CMAKE_SCRIPT_MODE_FILE)
  return()
endif()
if(FOVEA_BUILD_TESTS)
  add_test(NAME loadgen_source_refused
    COMMAND ${CMAKE_COMMAND} -D FOVEA_LOADGEN_SOURCE=${CMAKE_SOURCE_DIR}/docs -P ${CMAKE_CURRENT_LIST_FILE})
  set_tests_properties(loadgen_source_refused PROPERTIES PASS_REGULAR_EXPRESSION "lacks.*- loadgen.h.*pip download" LABELS unit)
endif()

set(module_dir ${CMAKE_SOURCE_DIR}/src/mlperf/loadgen_module)
if(FOVEA_LOADGEN_SOURCE)
  file(GLOB loadgen_sources ${FOVEA_LOADGEN_SOURCE}/*.cc)
  set(generated ${CMAKE_BINARY_DIR}/loadgen-generated)
  file(MAKE_DIRECTORY ${generated})
  # A checkout generates what says which sources these are; a source package brings it.
  set(version_source ${FOVEA_LOADGEN_SOURCE}/generated/version_generated.cc)
  if(NOT EXISTS ${version_source})
    set(version_source ${generated}/version_generated.cc)
    find_package(Python3 COMPONENTS Interpreter REQUIRED)
    add_custom_command(OUTPUT ${version_source}
      COMMAND ${Python3_EXECUTABLE} ${FOVEA_LOADGEN_SOURCE}/version_generator.py ${version_source} ${FOVEA_LOADGEN_SOURCE}
      DEPENDS ${FOVEA_LOADGEN_SOURCE}/version_generator.py ${loadgen_sources}
      WORKING_DIRECTORY ${FOVEA_LOADGEN_SOURCE} VERBATIM)
  endif()
  if(NOT EXISTS ${FOVEA_LOADGEN_SOURCE}/mlperf_conf.h AND EXISTS ${FOVEA_LOADGEN_SOURCE}/mlperf.conf)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${FOVEA_LOADGEN_SOURCE}/mlperf.conf)
    file(READ ${FOVEA_LOADGEN_SOURCE}/mlperf.conf conf)
    file(CONFIGURE OUTPUT ${generated}/mlperf_conf.h CONTENT "const char* mlperf_conf = R\"conf(@conf@)conf\";\n" @ONLY)
  endif()
  add_library(fovea_loadgen MODULE ${module_dir}/native_module.cpp ${loadgen_sources} ${version_source})
  set_source_files_properties(${loadgen_sources} ${version_source} PROPERTIES COMPILE_OPTIONS "-w;-include;cstdint")
  target_include_directories(fovea_loadgen SYSTEM PRIVATE ${FOVEA_LOADGEN_SOURCE} ${generated})
  target_compile_definitions(fovea_loadgen PRIVATE FOVEA_LOADGEN_SOURCE="${FOVEA_LOADGEN_SOURCE}")
  target_link_libraries(fovea_loadgen PRIVATE fovea_flags fmt::fmt Threads::Threads)
else()
  # The headers alone: pybind11's own CMake package runs whatever Python stands in PATH, which need not be the one to embed.
  find_path(PYBIND11_INCLUDE_DIR pybind11/embed.h)
  pkg_check_modules(PYTHON_EMBED QUIET IMPORTED_TARGET python3-embed)
  if(NOT PYBIND11_INCLUDE_DIR OR NOT PYTHON_EMBED_FOUND)
    message(STATUS "fovea mlperf will not reach a LoadGen: it needs pybind11-dev and python3-dev")
    return()
  endif()
  add_library(fovea_loadgen MODULE ${module_dir}/python_module.cpp ${CMAKE_SOURCE_DIR}/src/mlperf/scenario.cpp)
  target_include_directories(fovea_loadgen SYSTEM PRIVATE ${PYBIND11_INCLUDE_DIR})
  target_link_libraries(fovea_loadgen PRIVATE fovea_flags PkgConfig::PYTHON_EMBED fmt::fmt)
endif()
set_target_properties(fovea_loadgen PROPERTIES PREFIX "" SUFFIX ".so")
# Whoever builds mlperf's users gets the module as well, without linking it.
add_dependencies(fovea_mlperf fovea_loadgen)
