# Files compiled into a library, so that the program needs nothing beside itself.
# fovea_embed(<folder under src> <glob patterns under the folder...> [FUNCTION <name>] [FILES <paths elsewhere...>])
# Adds a source to the folder's library that defines fovea::embedded_files(), or the FUNCTION named, of
# <folder>/embedded.h. It is made anew when a file changes, and a new file needs no edit here. FILES are named by their
# last part.
function(fovea_embed folder)
  string(REPLACE "/" "_" name fovea_${folder})
  set(dir ${CMAKE_SOURCE_DIR}/src/${folder})
  set(output ${CMAKE_BINARY_DIR}/embedded/${name}_files.cpp)
  cmake_parse_arguments(ARG "" "FUNCTION" "FILES" ${ARGN})
  if(NOT ARG_FUNCTION)
    set(ARG_FUNCTION embedded_files)
  endif()
  list(TRANSFORM ARG_UNPARSED_ARGUMENTS PREPEND ${dir}/ OUTPUT_VARIABLE patterns)
  file(GLOB files CONFIGURE_DEPENDS ${patterns})
  list(APPEND files ${ARG_FILES})
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${output} -DFOLDER=${dir} -DHEADER=${folder}/embedded.h -DFUNCTION=${ARG_FUNCTION} "-DFILES=${files}"
            -P ${CMAKE_SOURCE_DIR}/cmake/embed_files.cmake
    DEPENDS ${files} ${CMAKE_SOURCE_DIR}/cmake/embed_files.cmake
    COMMENT "Embedding the files of src/${folder}"
    VERBATIM)
  target_sources(${name} PRIVATE ${output})
endfunction()
