# Every outside library, found once. Folders link these targets and nothing else.
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(Protobuf REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PNG REQUIRED)
find_package(JPEG REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(Boost REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(HWLOC REQUIRED IMPORTED_TARGET hwloc)

# Debian's dnnl-config.cmake insists on OpenCL, which the CPU engine does not use: take header and library directly.
find_path(DNNL_INCLUDE_DIR oneapi/dnnl/dnnl.hpp REQUIRED)
find_library(DNNL_LIBRARY dnnl REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)
add_library(fovea_dnnl INTERFACE)
target_include_directories(fovea_dnnl SYSTEM INTERFACE ${DNNL_INCLUDE_DIR})
target_link_libraries(fovea_dnnl INTERFACE ${DNNL_LIBRARY} OpenMP::OpenMP_CXX)

# Debian ships the ONNX messages compiled (libonnx_proto) without a CMake package.
find_path(ONNX_INCLUDE_DIR onnx/onnx_pb.h REQUIRED)
find_library(ONNX_PROTO_LIBRARY onnx_proto REQUIRED)
add_library(fovea_onnx_messages INTERFACE)
target_include_directories(fovea_onnx_messages SYSTEM INTERFACE ${ONNX_INCLUDE_DIR})
target_compile_definitions(fovea_onnx_messages INTERFACE ONNX_ML=1 ONNX_NAMESPACE=onnx)
target_link_libraries(fovea_onnx_messages INTERFACE ${ONNX_PROTO_LIBRARY} protobuf::libprotobuf)

# Chart.js, which goes into HTML reports as it is.
find_file(FOVEA_CHART_JS chart.min.js PATHS /usr/share/javascript/chart.js REQUIRED)

if(FOVEA_BUILD_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()
if(FOVEA_BUILD_BENCH)
  find_package(benchmark REQUIRED)
endif()
