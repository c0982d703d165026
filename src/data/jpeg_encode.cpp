#include "data/jpeg_encode.h"

#include <csetjmp>
#include <cstdio>
#include <cstdlib>

// jpeglib.h needs FILE.
#include <jpeglib.h>

namespace fovea {
namespace {

struct EncodeErrors {
  jpeg_error_mgr base;  // first: libjpeg holds a pointer to it
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX];
};

// Everything that libjpeg touches; the destructor releases it after a jump as after a return.
struct JpegWriter {
  jpeg_compress_struct info{};
  EncodeErrors errors{};
  unsigned char* bytes = nullptr;  // libjpeg's malloc
  unsigned long size = 0;
  ~JpegWriter() {
    jpeg_destroy_compress(&info);
    std::free(bytes);
  }
};

[[noreturn]] void on_error(j_common_ptr info) {
  auto& errors = *reinterpret_cast<EncodeErrors*>(info->err);
  errors.base.format_message(info, errors.message);
  std::longjmp(errors.jump, 1);
}

// False: writer.errors.message says why. No object with a destructor may live here: errors jump out.
bool write(JpegWriter& writer, const Image& image, int quality) {
  writer.info.err = jpeg_std_error(&writer.errors.base);
  writer.errors.base.error_exit = on_error;
  if (setjmp(writer.errors.jump)) return false;
  jpeg_create_compress(&writer.info);
  jpeg_mem_dest(&writer.info, &writer.bytes, &writer.size);
  writer.info.image_width = static_cast<JDIMENSION>(image.width);
  writer.info.image_height = static_cast<JDIMENSION>(image.height);
  writer.info.input_components = kImageChannels;
  writer.info.in_color_space = JCS_RGB;
  jpeg_set_defaults(&writer.info);
  jpeg_set_quality(&writer.info, quality, TRUE);
  jpeg_start_compress(&writer.info, TRUE);
  while (writer.info.next_scanline < writer.info.image_height) {
    auto* row = const_cast<JSAMPROW>(image.row(static_cast<int>(writer.info.next_scanline)));
    jpeg_write_scanlines(&writer.info, &row, 1);
  }
  jpeg_finish_compress(&writer.info);
  return true;
}

}  // namespace

Result<std::vector<std::byte>> encode_jpeg(const Image& image, int quality) {
  if (image.empty()) return bad_input("an image of {} x {} pixels cannot be written", image.width, image.height);
  JpegWriter writer;
  if (!write(writer, image, quality)) return make_error(ErrorCode::kResource, "JPEG: {}", writer.errors.message);
  const auto* begin = reinterpret_cast<const std::byte*>(writer.bytes);
  return std::vector<std::byte>(begin, begin + writer.size);
}

}  // namespace fovea
