#include "import/onnx/inflate.h"

#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/function_ref.h"

namespace fovea::onnx_import {
namespace {

constexpr std::size_t kChunkBytes = 256 << 10;
constexpr int kGzipOnly = 16 + MAX_WBITS;  // zlib's way of asking for a gzip header

// Owns the state of zlib.
struct Inflater {
  z_stream stream{};
  bool ready = inflateInit2(&stream, kGzipOnly) == Z_OK;
  Inflater() = default;
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() {
    if (ready) inflateEnd(&stream);
  }
};

// The most bytes that `compressed` bytes may become.
std::size_t allowed_bytes(std::int64_t compressed, const ImportLimits& limits) {
  const double by_ratio =
      std::max(static_cast<double>(limits.inflate_free_bytes), static_cast<double>(compressed) * limits.inflate_ratio);
  return static_cast<std::size_t>(std::min(by_ratio, static_cast<double>(limits.file_bytes)));
}

void grow(InflatedBytes& out, std::size_t allowed) {
  AlignedBuffer larger(std::min(allowed + 1, std::max(kChunkBytes, out.buffer.size() * 2)));
  if (out.size > 0) std::memcpy(larger.data(), out.buffer.data(), out.size);
  out.buffer = std::move(larger);
}

// Hands over the next compressed bytes, none at the end.
using Source = FunctionRef<Result<std::span<const std::byte>>()>;

Result<InflatedBytes> inflate_all(Source next, std::int64_t compressed, std::size_t hint, const ImportLimits& limits) {
  Inflater inflater;
  if (!inflater.ready) return make_error(ErrorCode::kResource, "zlib cannot start");
  z_stream& z = inflater.stream;
  const std::size_t allowed = allowed_bytes(compressed, limits);
  // One chunk more than hinted, so that reading the trailer does not need to grow the buffer.
  InflatedBytes out{AlignedBuffer(std::min(hint + kChunkBytes, allowed + 1)), 0};
  bool in_member = false;  // a gzip file may hold several members, one behind the other
  while (true) {
    FOVEA_TRY(const auto chunk, next());
    if (chunk.empty()) break;
    z.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(chunk.data()));
    z.avail_in = static_cast<uInt>(chunk.size());
    while (z.avail_in > 0) {
      if (out.size == out.buffer.size()) {
        if (out.size > allowed) break;
        grow(out, allowed);
      }
      const std::size_t room = std::min<std::size_t>(out.buffer.size() - out.size, 1u << 30);
      z.next_out = reinterpret_cast<Bytef*>(out.buffer.data() + out.size);
      z.avail_out = static_cast<uInt>(room);
      in_member = true;
      const int status = inflate(&z, Z_NO_FLUSH);
      out.size += room - z.avail_out;
      if (status == Z_STREAM_END) {
        in_member = false;
        if (inflateReset(&z) != Z_OK) return bad_input("gzip: cannot read the next member");
      } else if (status != Z_OK && status != Z_BUF_ERROR) {
        return bad_input("gzip: {}", z.msg ? z.msg : "damaged data");
      }
    }
    if (out.size > allowed)
      return make_error(ErrorCode::kResource, "gzip: {} bytes inflate to more than the {} bytes allowed", compressed,
                        allowed);
  }
  if (in_member) return bad_input("gzip: the file ends early, after {} inflated bytes", out.size);
  return out;
}

}  // namespace

bool is_gzip(std::span<const std::byte> first_bytes) {
  return first_bytes.size() >= 2 && first_bytes[0] == std::byte{0x1f} && first_bytes[1] == std::byte{0x8b};
}

Result<InflatedBytes> inflate_file(int fd, std::int64_t file_bytes, const ImportLimits& limits) {
  // The last four bytes claim the inflated size modulo 2^32. As a hint it saves copying; it is never trusted.
  std::uint32_t claimed = 0;
  if (file_bytes < 18 || pread(fd, &claimed, sizeof claimed, file_bytes - 4) != sizeof claimed)
    return bad_input("gzip: the file ends early, after {} bytes", file_bytes);
  AlignedBuffer chunk(kChunkBytes);
  off_t offset = 0;
  const auto next = [&]() -> Result<std::span<const std::byte>> {
    ssize_t n;
    do {
      n = pread(fd, chunk.data(), chunk.size(), offset);
    } while (n < 0 && errno == EINTR);
    if (n < 0) return bad_input("cannot read: {}", std::strerror(errno));
    offset += n;
    return std::span<const std::byte>(chunk.data(), static_cast<std::size_t>(n));
  };
  const auto hint = std::min<double>(claimed, static_cast<double>(file_bytes) * limits.inflate_ratio);
  return inflate_all(next, file_bytes, static_cast<std::size_t>(hint), limits);
}

Result<InflatedBytes> inflate_bytes(std::span<const std::byte> bytes, const ImportLimits& limits) {
  const auto compressed = static_cast<std::int64_t>(bytes.size());
  const auto next = [&]() -> Result<std::span<const std::byte>> {
    const auto chunk = bytes.first(std::min(bytes.size(), kChunkBytes));
    bytes = bytes.subspan(chunk.size());
    return chunk;
  };
  return inflate_all(next, compressed, 0, limits);
}

}  // namespace fovea::onnx_import
