# How a folder becomes a library, its *_test.cpp a test program, and its kernel files get their ISA.
# Adding a source file never needs an edit here: folders are globbed, ISA flags follow the file's stem.

add_library(fovea_flags INTERFACE)
# GCC 12 reports a -Wrestrict that is not there for "text" + std::string (GCC bug 105651) and, at -O3, uses of the inactive
# member of a variant as uninitialised; the sanitizer builds watch for the real ones.
target_compile_options(fovea_flags INTERFACE -Wall -Wextra -Wno-missing-field-initializers
                       $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict> $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
if(FOVEA_WERROR)
  target_compile_options(fovea_flags INTERFACE -Werror)
endif()
if(FOVEA_SANITIZE)
  target_compile_options(fovea_flags INTERFACE -fsanitize=${FOVEA_SANITIZE} -fno-omit-frame-pointer
                         -fno-sanitize-recover=all -O1)
  target_link_options(fovea_flags INTERFACE -fsanitize=${FOVEA_SANITIZE})
endif()
target_include_directories(fovea_flags INTERFACE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include)

# ISA of a kernel file, by stem. A kernel file may hold nothing but kernels (see HACKING.md).
set(FOVEA_ISA_avx2 -mavx2 -mfma -mf16c)
set(FOVEA_ISA_avxvnni ${FOVEA_ISA_avx2} -mavxvnni)
# GCC 12's own AVX-512 headers read a deliberately undefined operand, which -Wuninitialized reports at every use.
set(FOVEA_ISA_avx512 ${FOVEA_ISA_avx2} -mavx512f -mavx512bw -mavx512dq -mavx512vl -mprefer-vector-width=512
    -Wno-uninitialized -Wno-maybe-uninitialized)
set(FOVEA_ISA_avx512_vbmi ${FOVEA_ISA_avx512} -mavx512vbmi)
set(FOVEA_ISA_avx512_vnni ${FOVEA_ISA_avx512} -mavx512vnni)
set(FOVEA_ISA_avx512_bf16 ${FOVEA_ISA_avx512} -mavx512bf16)

# Instrumented, the unrolled vector kernels take minutes and gigabytes each to compile. Sanitizer builds leave them plain, at
# -O1: their own tests put guard pages behind every buffer, and their scalar twins are instrumented.
if(FOVEA_SANITIZE)
  set(FOVEA_KERNEL_OPTIMISATION -O1 -fno-sanitize=all)
else()
  set(FOVEA_KERNEL_OPTIMISATION -O3)
endif()

function(fovea_set_isa_flags)
  foreach(source ${ARGN})
    get_filename_component(stem ${source} NAME_WE)
    if(DEFINED FOVEA_ISA_${stem})
      set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${FOVEA_KERNEL_OPTIMISATION};-ffp-contract=fast;${FOVEA_ISA_${stem}}")
    endif()
  endforeach()
endfunction()

# fovea_folder(<path under src> [RECURSE] DEPENDS <folders or libraries...>)
# Makes target fovea_<path with / as _>, and fovea_<...>_test where the folder has *_test.cpp files.
# fovea_all_folders collects the targets in rank order: the installed library is their sum.
set_property(GLOBAL PROPERTY fovea_all_folders "")
function(fovea_folder folder)
  cmake_parse_arguments(ARG "RECURSE" "" "DEPENDS;TEST_DEPENDS" ${ARGN})
  string(REPLACE "/" "_" name fovea_${folder})
  set(dir ${CMAKE_SOURCE_DIR}/src/${folder})
  if(ARG_RECURSE)
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${dir}/*.cpp)
  else()
    file(GLOB sources CONFIGURE_DEPENDS ${dir}/*.cpp)
  endif()
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$|/test\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$|/test\\.cpp$|_bench\\.cpp$|/kernels/.*/bench\\.cpp$|/main\\.cpp$")
  if(NOT sources)  # a folder of headers only
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE fovea_flags ${ARG_DEPENDS})
    return()
  endif()
  fovea_set_isa_flags(${sources})
  add_library(${name} STATIC ${sources})
  target_link_libraries(${name} PUBLIC fovea_flags ${ARG_DEPENDS})
  set_property(GLOBAL APPEND PROPERTY fovea_all_folders ${name})
  if(FOVEA_BUILD_TESTS AND tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE ${name} ${ARG_TEST_DEPENDS} GTest::gtest GTest::gmock GTest::gtest_main)
    target_compile_options(${name}_test PRIVATE -O1)  # a third less to compile; what they test stays as it ships
    target_compile_definitions(${name}_test PRIVATE FOVEA_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    gtest_discover_tests(${name}_test DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT 300 LABELS unit)
  endif()
endfunction()
