// Images and image files made on the spot, for the tests and fuzzers of this folder. Not part of the library.
#pragma once

// jpeglib.h needs FILE.
// clang-format off
#include <cstdio>
#include <jpeglib.h>
// clang-format on
#include <png.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/knobs.h"
#include "base/rng.h"
#include "base/sha256.h"
#include "data/image.h"

namespace fovea {

using Bytes = std::vector<std::byte>;

// The same bytes as tools/golden/image_reference.py's noise().
inline Image noise_image(std::uint64_t seed, int width, int height) {
  Image image{width, height, std::vector<std::uint8_t>(static_cast<std::size_t>(width) * height * 3)};
  Rng rng(seed);
  for (auto& byte : image.rgb) byte = static_cast<std::uint8_t>(rng.next() >> 56);
  return image;
}

// Gradients: what a JPEG keeps nearly unchanged. Red grows to the right, green downwards.
inline Image gradient_image(int width, int height) {
  Image image{width, height, {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (const int value : {x * 255 / std::max(width - 1, 1), y * 255 / std::max(height - 1, 1), 128})
        image.rgb.push_back(static_cast<std::uint8_t>(value));
  return image;
}

inline std::string sha256_of(const Image& image) { return sha256_hex(std::as_bytes(std::span(image.rgb))); }

struct JpegSettings {
  int quality = 90;
  bool progressive = false;
  bool grey = false;
  bool cmyk = false;       // Adobe's inverted CMYK
  bool subsampled = true;  // 4:2:0
  int restart_rows = 0;
  int orientation = 0;  // 1..8 writes an EXIF segment
};

inline Bytes encode_jpeg(const Image& image, const JpegSettings& settings = {}) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);  // exits on an error: the tests give valid settings
  jpeg_create_compress(&info);
  unsigned char* out = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &out, &size);
  info.image_width = static_cast<JDIMENSION>(image.width);
  info.image_height = static_cast<JDIMENSION>(image.height);
  info.input_components = settings.cmyk ? 4 : settings.grey ? 1 : 3;
  info.in_color_space = settings.cmyk ? JCS_CMYK : settings.grey ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, settings.quality, TRUE);
  if (!settings.subsampled) info.comp_info[0].h_samp_factor = info.comp_info[0].v_samp_factor = 1;
  info.restart_in_rows = settings.restart_rows;
  if (settings.progressive) jpeg_simple_progression(&info);
  jpeg_start_compress(&info, TRUE);
  if (settings.orientation != 0) {
    const unsigned char exif[] = {
        'E', 'x', 'i', 'f',  0,    0, 'M', 'M', 0, 42, 0, 0, 0,
        8,   0,   1,   0x01, 0x12, 0, 3,   0,   0, 0,  1, 0, static_cast<unsigned char>(settings.orientation),
        0,   0,   0,   0,    0,    0};
    jpeg_write_marker(&info, JPEG_APP0 + 1, exif, sizeof exif);
  }
  std::vector<unsigned char> row(static_cast<std::size_t>(image.width) * 4);
  while (info.next_scanline < info.image_height) {
    const std::uint8_t* from = image.row(static_cast<int>(info.next_scanline));
    for (std::size_t x = 0; x < static_cast<std::size_t>(image.width); ++x) {
      if (settings.grey) {
        row[x] = from[3 * x];
      } else if (settings.cmyk) {  // no black: inverted cyan, magenta and yellow are red, green and blue
        std::memcpy(&row[4 * x], from + 3 * x, 3);
        row[4 * x + 3] = 255;
      } else {
        std::memcpy(&row[3 * x], from + 3 * x, 3);
      }
    }
    JSAMPROW pointer = row.data();
    jpeg_write_scanlines(&info, &pointer, 1);
  }
  jpeg_finish_compress(&info);
  Bytes bytes(size);
  std::memcpy(bytes.data(), out, size);
  std::free(out);
  jpeg_destroy_compress(&info);
  return bytes;
}

struct PngSettings {
  int colour_type = PNG_COLOR_TYPE_RGB;  // also GRAY, GRAY_ALPHA, RGB_ALPHA and PALETTE (of the first 256 pixels)
  int bits = 8;                          // 8 or 16
  bool interlaced = false;
};

inline Bytes encode_png(const Image& image, const PngSettings& settings = {}) {
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  Bytes bytes;
  png_set_write_fn(
      png, &bytes,
      [](png_structp p, png_bytep data, size_t count) {
        auto& to = *static_cast<Bytes*>(png_get_io_ptr(p));
        to.insert(to.end(), reinterpret_cast<std::byte*>(data), reinterpret_cast<std::byte*>(data) + count);
      },
      nullptr);
  png_set_IHDR(png, info, static_cast<png_uint_32>(image.width), static_cast<png_uint_32>(image.height), settings.bits,
               settings.colour_type, settings.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_color palette[256];
  const std::size_t colours = std::min<std::size_t>(256, image.rgb.size() / 3);
  for (std::size_t i = 0; i < colours; ++i) palette[i] = {image.rgb[3 * i], image.rgb[3 * i + 1], image.rgb[3 * i + 2]};
  if (settings.colour_type == PNG_COLOR_TYPE_PALETTE) png_set_PLTE(png, info, palette, static_cast<int>(colours));
  png_write_info(png, info);
  std::vector<std::vector<png_byte>> rows(static_cast<std::size_t>(image.height));
  std::vector<png_bytep> pointers;
  for (int y = 0; y < image.height; ++y) {
    auto& row = rows[static_cast<std::size_t>(y)];
    const auto put = [&](unsigned value) {
      row.push_back(static_cast<png_byte>(value));
      if (settings.bits == 16) row.push_back(static_cast<png_byte>(value * 7));  // a lower byte to be dropped
    };
    for (int x = 0; x < image.width; ++x) {
      const std::uint8_t* pixel = image.row(y) + 3 * x;
      if (settings.colour_type == PNG_COLOR_TYPE_PALETTE) {
        put(static_cast<unsigned>((y * image.width + x) % static_cast<int>(colours)));
        continue;
      }
      put(pixel[0]);
      if ((settings.colour_type & PNG_COLOR_MASK_COLOR) != 0) put(pixel[1]), put(pixel[2]);
      if ((settings.colour_type & PNG_COLOR_MASK_ALPHA) != 0) put(static_cast<unsigned>(x * 31 + y) % 256);
    }
  }
  for (auto& row : rows) pointers.push_back(row.data());
  png_write_image(png, pointers.data());
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return bytes;
}

#ifdef FOVEA_SOURCE_DIR
// The models and images that some tests need; may be absent.
inline std::filesystem::path test_data_folder() {
  if (!knobs().test_data.empty()) return knobs().test_data;
  return std::filesystem::path(FOVEA_SOURCE_DIR) / "../shared/data";
}
#endif

// A folder of its own that disappears with it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "fovea-data-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  // Writes a file, folders on the way included; its path.
  std::filesystem::path write(const std::filesystem::path& name, std::span<const std::byte> bytes) const {
    const auto path = path_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return path;
  }
  std::filesystem::path write(const std::filesystem::path& name, const std::string& text) const {
    return write(name, std::as_bytes(std::span(text)));
  }

 private:
  std::filesystem::path path_;
};

}  // namespace fovea
