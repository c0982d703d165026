# Files compiled into a library, so that the program needs nothing beside itself.
# fovea_embed(<folder under src> <glob patterns under the folder...>)
# Adds a source to the folder's library that defines fovea::embedded_files() of <folder>/embedded.h. It is made anew
# when a file changes, and a new file needs no edit here.
function(fovea_embed folder)
  string(REPLACE "/" "_" name fovea_${folder})
  set(dir ${CMAKE_SOURCE_DIR}/src/${folder})
  set(output ${CMAKE_BINARY_DIR}/embedded/${name}_files.cpp)
  list(TRANSFORM ARGN PREPEND ${dir}/ OUTPUT_VARIABLE patterns)
  file(GLOB files CONFIGURE_DEPENDS ${patterns})
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${output} -DFOLDER=${dir} -DHEADER=${folder}/embedded.h "-DFILES=${files}"
            -P ${CMAKE_SOURCE_DIR}/cmake/embed_files.cmake
    DEPENDS ${files} ${CMAKE_SOURCE_DIR}/cmake/embed_files.cmake
    COMMENT "Embedding the files of src/${folder}"
    VERBATIM)
  target_sources(${name} PRIVATE ${output})
endfunction()
