#include "data/jpeg.h"

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstring>

// jpeglib.h needs FILE, and jerror.h numbers its messages by what jpeglib.h configures.
// clang-format off
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#include "data/decode_clock.h"

namespace fovea {
namespace {

// Coefficient planes of a multi-scan file of the largest allowed picture without chroma subsampling fit; a file that
// needs more is refused instead of spilled to a temporary file.
constexpr long kMaxCodecBytes = 1l << 30;
constexpr int kRowsBetweenClockReads = 16;

// libjpeg reports through C callbacks that find this structure behind cinfo->err.
struct JpegErrors {
  jpeg_error_mgr base;  // first: libjpeg holds a pointer to it
  std::jmp_buf jump;
  bool strict;
  ErrorCode code;
  char message[JMSG_LENGTH_MAX];
  char warning[JMSG_LENGTH_MAX];
};

struct JpegProgress {
  jpeg_progress_mgr base;
  const DecodeClock* clock;
  int max_scans;
};

// Everything that libjpeg touches, in one object whose destructor releases it after a jump as after a return.
struct JpegReader {
  jpeg_decompress_struct info{};
  JpegErrors errors{};
  JpegProgress progress{};
  ~JpegReader() { jpeg_destroy_decompress(&info); }  // does nothing before jpeg_create_decompress
};

JpegErrors& errors_of(j_common_ptr info) { return *reinterpret_cast<JpegErrors*>(info->err); }

[[noreturn]] void fail(j_common_ptr info, ErrorCode code) {
  errors_of(info).code = code;
  std::longjmp(errors_of(info).jump, 1);
}

ErrorCode code_of_message(int message) {
  switch (message) {
    case JERR_OUT_OF_MEMORY:
    case JERR_NO_BACKING_STORE:
    case JERR_IMAGE_TOO_BIG:
    case JERR_WIDTH_OVERFLOW:
      return ErrorCode::kResource;
    case JERR_BAD_PRECISION:
    case JERR_SOF_UNSUPPORTED:
    case JERR_ARITH_NOTIMPL:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_CCIR601_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
    case JERR_NOT_COMPILED:
      return ErrorCode::kUnsupported;
    default:
      return ErrorCode::kBadInput;
  }
}

void on_error(j_common_ptr info) {
  JpegErrors& errors = errors_of(info);
  info->err->format_message(info, errors.message);
  if (info->err->msg_code == JERR_NO_BACKING_STORE)
    std::snprintf(errors.message, sizeof errors.message, "needs more than %ld MiB to decode", kMaxCodecBytes >> 20);
  fail(info, code_of_message(info->err->msg_code));
}

// Warnings that leave the picture whole (stray bytes between segments, unknown versions, odd progression parameters);
// they occur in photographs of well-known data sets. After any other, pixels are missing or wrong.
bool loses_pixels(int message) {
  switch (message) {
    case JWRN_ADOBE_XFORM:
    case JWRN_BOGUS_PROGRESSION:
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_JFIF_MAJOR:
    case JWRN_TOO_MUCH_DATA:
      return false;
    default:
      return true;
  }
}

void on_message(j_common_ptr info, int level) {
  if (level >= 0) return;  // traces
  JpegErrors& errors = errors_of(info);
  if (errors.base.num_warnings++ == 0) info->err->format_message(info, errors.warning);
  if (errors.strict && loses_pixels(info->err->msg_code)) on_error(info);
}

void on_output(j_common_ptr) {}  // the library never prints

void on_progress(j_common_ptr info) {
  const auto& progress = *reinterpret_cast<const JpegProgress*>(info->progress);
  JpegErrors& errors = errors_of(info);
  const int scan = reinterpret_cast<j_decompress_ptr>(info)->input_scan_number;
  if (scan > progress.max_scans) {
    std::snprintf(errors.message, sizeof errors.message, "has more than %d scans", progress.max_scans);
    fail(info, ErrorCode::kResource);
  }
  if (progress.clock->expired()) {
    std::snprintf(errors.message, sizeof errors.message, "took too long to decode (stopped in scan %d)", scan);
    fail(info, ErrorCode::kResource);
  }
}

void set_up(JpegReader& reader, std::span<const std::byte> bytes, const DecodeOptions& options,
            const DecodeClock& clock) {
  jpeg_create_decompress(&reader.info);
  reader.info.mem->max_memory_to_use = kMaxCodecBytes;
  reader.progress.base.progress_monitor = on_progress;
  reader.progress.clock = &clock;
  reader.progress.max_scans = std::min(options.limits.max_scans, kHardMaxScans);
  reader.info.progress = &reader.progress.base;
  jpeg_mem_src(&reader.info, reinterpret_cast<const unsigned char*>(bytes.data()),
               static_cast<unsigned long>(bytes.size()));
}

// Chooses the output and starts. False, with a message, where a limit or the number of components forbids it.
bool check_header(JpegReader& reader, const DecodeLimits& limits) {
  JpegErrors& errors = reader.errors;
  const auto width = static_cast<std::int64_t>(reader.info.image_width);
  const auto height = static_cast<std::int64_t>(reader.info.image_height);
  if (width > limits.max_side || height > limits.max_side || width * height > limits.max_pixels) {
    errors.code = ErrorCode::kResource;
    std::snprintf(errors.message, sizeof errors.message,
                  "has %ldx%ld pixels; the limits are %d a side and %ld altogether", static_cast<long>(width),
                  static_cast<long>(height), limits.max_side, static_cast<long>(limits.max_pixels));
    return false;
  }
  const int components = reader.info.num_components;
  if (components != 1 && components != 3 && components != 4) {
    errors.code = ErrorCode::kUnsupported;
    std::snprintf(errors.message, sizeof errors.message, "has %d components; 1, 3 and 4 can be read", components);
    return false;
  }
  return true;
}

// Pillow's MULDIV255: a * b / 255, rounded.
unsigned multiply_255(unsigned a, unsigned b) {
  const unsigned t = a * b + 128;
  return ((t >> 8) + t) >> 8;
}

// One row of inverted CMYK (Adobe's way, which is the only one in use) to RGB by Pillow's formula.
void cmyk_row_to_rgb(const std::uint8_t* cmyk, std::uint8_t* rgb, int width) {
  for (int x = 0; x < width; ++x, cmyk += 4, rgb += kImageChannels) {
    const unsigned white = cmyk[3];
    for (int c = 0; c < kImageChannels; ++c)
      rgb[c] = static_cast<std::uint8_t>(white - std::min(white, multiply_255(255u - cmyk[c], white)));
  }
}

// From the header to the last row. Holds no object with a destructor: a jump may leave it at any libjpeg call.
// `cmyk_row` has room for one row of four channels where the file has four.
bool read_all(JpegReader& reader, std::span<const std::byte> bytes, const DecodeOptions& options,
              const DecodeClock& clock, Image& image, std::vector<std::uint8_t>& cmyk_row) {
  if (setjmp(reader.errors.jump) != 0) return false;
  set_up(reader, bytes, options, clock);
  jpeg_read_header(&reader.info, TRUE);
  if (!check_header(reader, options.limits)) return false;
  jpeg_decompress_struct& info = reader.info;
  info.out_color_space = info.num_components == 4 ? JCS_CMYK : JCS_RGB;
  info.dct_method = options.fast_dct ? JDCT_IFAST : JDCT_ISLOW;
  info.do_fancy_upsampling = options.fancy_upsampling ? TRUE : FALSE;
  jpeg_start_decompress(&info);
  image.width = static_cast<int>(info.output_width);
  image.height = static_cast<int>(info.output_height);
  // Rows are added as they arrive: a short file with a huge header costs address space, not memory.
  image.rgb.reserve(image.row_bytes() * static_cast<std::size_t>(image.height));
  if (info.num_components == 4) cmyk_row.resize(static_cast<std::size_t>(image.width) * 4);
  while (info.output_scanline < info.output_height) {
    const auto y = static_cast<int>(info.output_scanline);
    if (y % kRowsBetweenClockReads == 0) on_progress(reinterpret_cast<j_common_ptr>(&info));
    image.rgb.resize(image.row_bytes() * (static_cast<std::size_t>(y) + 1));
    JSAMPROW row = info.num_components == 4 ? cmyk_row.data() : image.row(y);
    jpeg_read_scanlines(&info, &row, 1);
    if (info.num_components == 4) cmyk_row_to_rgb(cmyk_row.data(), image.row(y), image.width);
  }
  jpeg_finish_decompress(&info);
  return true;
}

const char* colour_name(J_COLOR_SPACE space) {
  switch (space) {
    case JCS_GRAYSCALE:
      return "grey";
    case JCS_RGB:
      return "rgb";
    case JCS_YCbCr:
      return "ycbcr";
    case JCS_CMYK:
      return "cmyk";
    case JCS_YCCK:
      return "ycck";
    default:
      return "unknown";
  }
}

}  // namespace

Result<DecodedImage> decode_jpeg(std::span<const std::byte> bytes, const DecodeOptions& options) {
  const DecodeClock clock(options.limits.max_cpu_ms);
  JpegReader reader;
  reader.info.err = jpeg_std_error(&reader.errors.base);
  reader.errors.base.error_exit = on_error;
  reader.errors.base.emit_message = on_message;
  reader.errors.base.output_message = on_output;
  reader.errors.strict = options.strict;
  DecodedImage decoded;
  std::vector<std::uint8_t> cmyk_row;
  const bool complete = read_all(reader, bytes, options, clock, decoded.image, cmyk_row);
  if (!complete) return Error(reader.errors.code, fmt::format("JPEG: {}", reader.errors.message));
  decoded.info.format = ImageFormat::kJpeg;
  decoded.info.colour = colour_name(reader.info.jpeg_color_space);
  decoded.info.bits = reader.info.data_precision;
  decoded.info.scans = std::max(reader.info.input_scan_number, 1);
  decoded.info.progressive = reader.info.progressive_mode != FALSE;
  decoded.info.warnings = static_cast<int>(std::min<long>(reader.errors.base.num_warnings, 1'000'000));
  decoded.info.warning = reader.errors.warning;
  return decoded;
}

}  // namespace fovea
