// Feeds seeded mutants of TFRecord files to open_tfrecords and loads every sample. Exits 1 at the first that is treated
// wrongly; a sanitizer build finds the rest. Usage: fuzz_tfrecord_mutation [--count N] [--seed S] [--max-mib M]
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string>

#include "base/clock.h"
#include "data/dataset.h"
#include "data/example_image.h"
#include "data/image_mutator.h"
#include "data/tfrecord.h"
#include "tests/fuzz/command_line.h"

namespace {

using namespace fovea;

void append_record(Bytes& file, std::span<const std::byte> data) {
  const auto put = [&file](const auto& number) {
    const auto* bytes = reinterpret_cast<const std::byte*>(&number);
    file.insert(file.end(), bytes, bytes + sizeof number);
  };
  const std::uint64_t length = data.size();
  put(length);
  put(masked_crc32c(std::as_bytes(std::span(&length, 1))));
  file.insert(file.end(), data.begin(), data.end());
  put(masked_crc32c(data));
}

// The records of small images, as bytes of their examples.
std::vector<Bytes> seed_examples() {
  std::vector<Bytes> examples;
  std::int64_t label = 0;
  for (const Bytes& encoded : mutation_seeds()) {
    ImageExample example;
    example.encoded = encoded;
    example.label = ++label;
    example.filename = "seed";
    example.synset = "n01440764";
    examples.push_back(serialise(example));
  }
  return examples;
}

// Either the examples are broken and the checksums right, so that the reader behind them is reached, or the file is.
Bytes make_mutant(const std::vector<Bytes>& examples, std::uint64_t i, Rng& rng) {
  Bytes file;
  const bool inside = i % 2 == 0;
  for (int record = 0; record < 3; ++record) {
    const Bytes& example = examples[rng.below(examples.size())];
    append_record(file, inside ? mutate(example, rng) : example);
  }
  return inside ? file : mutate(file, rng);
}

bool is_expected(const Error& error) {
  const bool kind = error.code() == ErrorCode::kBadInput || error.code() == ErrorCode::kUnsupported ||
                    error.code() == ErrorCode::kResource;
  return kind && error.message().size() > 5;
}

std::string complaint_about(const std::string& path, std::uint64_t& loaded) {
  const auto dataset = open_tfrecords(path, {.label_base = 1});
  if (!dataset.ok()) return is_expected(dataset.error()) ? "" : "an error of another kind: " + dataset.error().text();
  for (std::int64_t i = 0; i < (*dataset)->size(); ++i) {
    const DatasetSample sample = (*dataset)->get(i);
    if (sample.label < kNoLabel) return fmt::format("label {}", sample.label);
    const auto image = (*dataset)->load(i, {.limits = {.max_pixels = 4'000'000}});
    if (image.ok()) {
      ++loaded;
    } else if (!is_expected(image.error())) {
      return "an error of another kind: " + image.error().text();
    }
  }
  return {};
}

bool write(const std::string& path, const Bytes& bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  return static_cast<bool>(out.flush());
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t count = 20'000, seed = 1, max_mib = 2048;
  const fovea::fuzz::Flag flags[] = {{"--count", &count}, {"--seed", &seed}, {"--max-mib", &max_mib}};
  if (!fovea::fuzz::read_flags(argc, argv, flags)) {
    fmt::print(stderr, "usage: {} [--count N] [--seed S] [--max-mib M]\n", argv[0]);
    return 2;
  }
  constexpr std::int64_t kSlowest_ns = 7'500'000'000;  // three images, of which the decoder lets each take 2 s
  const std::vector<Bytes> examples = seed_examples();
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "mutant").string();
  std::int64_t slowest_ns = 0;
  std::uint64_t loaded = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    Rng rng(seed * 0x9e3779b97f4a7c15ull + i);
    if (!write(path, make_mutant(examples, i, rng))) {
      fmt::print(stderr, "cannot write {}\n", path);
      return 2;
    }
    const std::int64_t begin_ns = now_ns();
    const std::string complaint = complaint_about(path, loaded);
    slowest_ns = std::max(slowest_ns, now_ns() - begin_ns);
    if (!complaint.empty()) {
      fmt::print(stderr, "mutant {} of seed {}: {}\n", i, seed, complaint);
      return 1;
    }
  }
  fmt::print("tfrecords: {} mutants, {} images loaded, slowest {:.0f} ms, peak {} MiB\n", count, loaded,
             static_cast<double>(slowest_ns) / 1e6, fovea::fuzz::peak_mib());
  if (slowest_ns > kSlowest_ns || fovea::fuzz::peak_mib() > max_mib || loaded == 0) {
    fmt::print(stderr, "limits passed: {} ns a mutant, {} MiB, at least one image\n", kSlowest_ns, max_mib);
    return 1;
  }
  return 0;
}
