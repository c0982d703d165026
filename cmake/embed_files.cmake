# Run at build time by fovea_embed: writes FILES (paths) as byte arrays into the C++ source OUTPUT, named by their path
# under FOLDER, or by their last part where they lie elsewhere. HEADER declares EmbeddedFile and FUNCTION.
set(arrays "")
set(rows "")
set(index 0)
foreach(file IN LISTS FILES)
  file(RELATIVE_PATH name ${FOLDER} ${file})
  if(name MATCHES "^\\.\\.")
    get_filename_component(name ${file} NAME)
  endif()
  file(READ ${file} bytes HEX)
  string(LENGTH "${bytes}" digits)
  math(EXPR size "${digits} / 2")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  # One more byte, so that an empty file is no empty array.
  string(APPEND arrays "constexpr unsigned char kFile${index}[] = {${bytes}0};\n")
  string(APPEND rows "    {\"${name}\", {reinterpret_cast<const char*>(kFile${index}), ${size}}},\n")
  math(EXPR index "${index} + 1")
endforeach()
file(WRITE ${OUTPUT} "// Generated from the files named below.
#include \"${HEADER}\"

namespace fovea {
namespace {

${arrays}
const EmbeddedFile kFiles[] = {
${rows}};

}  // namespace

std::span<const EmbeddedFile> ${FUNCTION}() { return kFiles; }

}  // namespace fovea
")
