# Protobuf messages described in the tree, compiled into a library of their own.
# fovea_messages(<folder under src> <.proto files in it...>)
# Makes target fovea_<folder>_messages; sources include "<folder>/<name>.pb.h". The generated code keeps the compiler's
# default warnings.
function(fovea_messages folder)
  string(REPLACE "/" "_" name fovea_${folder}_messages)
  list(TRANSFORM ARGN PREPEND ${CMAKE_SOURCE_DIR}/src/${folder}/ OUTPUT_VARIABLE protos)
  set(generated ${CMAKE_BINARY_DIR}/generated)
  file(MAKE_DIRECTORY ${generated})
  add_library(${name} STATIC ${protos})
  protobuf_generate(TARGET ${name} LANGUAGE cpp IMPORT_DIRS ${CMAKE_SOURCE_DIR}/src PROTOC_OUT_DIR ${generated})
  target_include_directories(${name} SYSTEM PUBLIC ${generated})
  target_link_libraries(${name} PUBLIC protobuf::libprotobuf)
endfunction()
