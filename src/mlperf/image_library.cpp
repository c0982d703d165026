#include "mlperf/image_library.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include "base/atomic_file.h"
#include "base/sha256.h"
#include "base/thread_pool.h"
#include "base/topology.h"

namespace fovea::mlperf {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHashChars = 64;

std::string describe(const Preprocess& p) {
  return fmt::format("{}|{}|{}x{}|{}|{}x{}|{}|{}|{},{},{}|{},{},{}|{}|{}|{}", p.resize.text(),
                     static_cast<int>(p.interpolation), p.crop.width, p.crop.height, static_cast<int>(p.crop_rounding),
                     p.final_size.width, p.final_size.height, channel_order_name(p.channel_order), p.divisor, p.mean[0],
                     p.mean[1], p.mean[2], p.std[0], p.std[1], p.std[2], dtype_name(p.dtype),
                     static_cast<int>(p.layout), p.decode.apply_orientation);
}

std::uint64_t machine_memory_bytes() {
  return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::string hash_of(std::string_view key, std::span<const std::byte> pixels) {
  return sha256_hex(std::as_bytes(std::span(key))).substr(0, kHashChars / 2) +
         sha256_hex(pixels).substr(0, kHashChars / 2);
}

}  // namespace

ImageLibrary::ImageLibrary(ImageLibraryOptions options, RunHealth& health)
    : options_(std::move(options)),
      health_(health),
      sample_bytes_(output_bytes(options_.preprocess)),
      slot_of_(static_cast<std::size_t>(options_.dataset->size()), -1) {
  if (options_.threads <= 0) options_.threads = detect_topology().usable_threads();
  options_.performance_count = std::min(options_.performance_count, total_count());
}

Result<std::unique_ptr<ImageLibrary>> ImageLibrary::open(ImageLibraryOptions options, RunHealth& health) {
  FOVEA_RETURN_IF_ERROR(check_preprocess(options.preprocess));
  if (output_size(options.preprocess).width <= 0)
    return make_error(ErrorCode::kUsage, "the pre-processing gives images of different sizes: it needs a crop");
  if (options.dataset->size() == 0) return bad_input("{} holds no image", options.dataset->name());
  std::unique_ptr<ImageLibrary> library(new ImageLibrary(std::move(options), health));
  const std::uint64_t needed = static_cast<std::uint64_t>(library->sample_bytes_) * library->performance_count();
  if (needed > machine_memory_bytes() / 10 * 8)
    return make_error(ErrorCode::kResource, "{} samples of {} bytes do not fit into this machine's memory ({} bytes)",
                      library->performance_count(), library->sample_bytes_, machine_memory_bytes());
  if (!library->options_.cache.empty()) {
    std::error_code failure;
    fs::create_directories(library->options_.cache, failure);
    if (failure) return bad_input("cannot create {}: {}", library->options_.cache.string(), failure.message());
  }
  return library;
}

std::string ImageLibrary::key_of(const fs::path& file) const {
  std::error_code failure;
  const auto size = fs::file_size(file, failure);
  const auto time = fs::last_write_time(file, failure).time_since_epoch().count();
  return fmt::format("{}|{}|{}|{}", fs::absolute(file, failure).string(), size, time, describe(options_.preprocess));
}

bool ImageLibrary::read_cached(std::size_t index, const std::string& key, std::byte* to) const {
  std::ifstream file(options_.cache / fmt::format("{:08}.sample", index), std::ios::binary);
  std::string hash(kHashChars, '\0');
  if (!file.read(hash.data(), static_cast<std::streamsize>(hash.size()))) return false;
  if (!file.read(reinterpret_cast<char*>(to), static_cast<std::streamsize>(sample_bytes_))) return false;
  return hash == hash_of(key, {to, sample_bytes_});
}

void ImageLibrary::write_cached(std::size_t index, const std::string& key, const std::byte* from) const {
  std::string text = hash_of(key, {from, sample_bytes_});
  text.append(reinterpret_cast<const char*>(from), sample_bytes_);
  // Only a cache: the next run decodes again what could not be kept.
  if (Status status = write_file_atomically(options_.cache / fmt::format("{:08}.sample", index), text); !status.ok())
    return;
}

void ImageLibrary::load_one(std::size_t index, std::byte* to, PreprocessScratch& scratch) {
  const auto at = static_cast<std::int64_t>(index);
  const fs::path file = options_.dataset->get(at).path;
  const std::string key = options_.cache.empty() ? "" : key_of(file);
  if (!key.empty() && read_cached(index, key, to)) return;
  const auto fail = [&](Error error) {
    std::memset(to, 0, sample_bytes_);
    health_.fail(std::move(error).within(fmt::format("sample {} ({})", index, file.string())));
  };
  auto image = options_.dataset->load(at, options_.preprocess.decode);
  if (!image.ok()) return fail(std::move(image).error());
  if (Status status = preprocess_into(image->image, options_.preprocess, scratch, {to, sample_bytes_}); !status.ok())
    return fail(std::move(status).error());
  ++decoded_;
  if (!key.empty()) write_cached(index, key, to);
}

void ImageLibrary::load(std::span<const std::size_t> indices) {
  // LoadGen alternates between runs that want the same set: what lies there already is kept.
  if (resident_.size() == indices.size() && std::equal(indices.begin(), indices.end(), resident_.begin())) return;
  for (const std::size_t index : resident_) slot_of_[index] = -1;
  resident_.clear();
  try {
    if (memory_.size() < indices.size() * sample_bytes_) {
      memory_ = AlignedBuffer();  // never both at once
      memory_ = AlignedBuffer(indices.size() * sample_bytes_);
    }
    ThreadPool pool({options_.threads, true, {}, 0});
    std::vector<PreprocessScratch> scratch(static_cast<std::size_t>(options_.threads));
    std::atomic<std::size_t> next{0};
    pool.run(options_.threads, [&](int part) {
      for (std::size_t i; !health_.failed() && (i = next++) < indices.size();)
        load_one(indices[i], memory_.data() + i * sample_bytes_, scratch[static_cast<std::size_t>(part)]);
    });
  } catch (const std::exception& error) {
    health_.fail(make_error(ErrorCode::kResource, "loading {} samples: {}", indices.size(), error.what()));
    return;
  }
  resident_.assign(indices.begin(), indices.end());
  for (std::size_t slot = 0; slot < resident_.size(); ++slot)
    slot_of_[resident_[slot]] = static_cast<std::int32_t>(slot);
}

void ImageLibrary::unload(std::span<const std::size_t>) {}  // the next load reuses the memory

const std::byte* ImageLibrary::find(std::size_t index) const {
  if (index >= slot_of_.size() || slot_of_[index] < 0) return nullptr;
  return memory_.data() + static_cast<std::size_t>(slot_of_[index]) * sample_bytes_;
}

}  // namespace fovea::mlperf
