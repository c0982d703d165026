#include "data/loader.h"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>

#include "base/topology.h"

namespace fovea {
namespace {

constexpr std::int64_t kMaxRingBytes = 4ll << 30;
constexpr int kMaxWorkers = 256;

// One batch of the ring.
struct Slot {
  Tensor tensor;
  Batch batch;
  std::int64_t missing = 0;  // samples still to come; 0 and not yet read = ready
};

}  // namespace

struct Loader::State {
  std::shared_ptr<const Dataset> dataset;
  Preprocess preprocess;
  LoaderOptions options;
  std::int64_t count = 0;  // samples in the run
  std::size_t sample_bytes = 0;
  std::vector<Slot> slots;  // batch b lies in slot b % slots.size()

  std::mutex mutex;               // guards all below, and the slots' `missing`
  std::condition_variable room;   // a slot was freed, or the end has come
  std::condition_variable ready;  // a batch is complete
  std::int64_t next_sample = 0;   // the next one to be given to a worker
  std::int64_t next_batch = 0;    // the next one to be read
  std::int64_t freed = 0;         // batches that the reader has done with
  bool stopping = false;
  std::vector<std::thread> workers;

  std::int64_t batches() const { return (count + options.batch - 1) / options.batch; }
  std::int64_t size_of_batch(std::int64_t b) const { return std::min(options.batch, count - b * options.batch); }
  Slot& slot_of(std::int64_t b) { return slots[static_cast<std::size_t>(b % static_cast<std::int64_t>(slots.size()))]; }

  bool may_start(std::int64_t sample) const {
    return sample / options.batch < freed + static_cast<std::int64_t>(slots.size());
  }
  void prepare(std::int64_t batch);
  void work();
  void load(std::int64_t sample, PreprocessScratch& scratch);
  void stop();
};

// Makes a free slot the home of `batch`. Called with the mutex held, before its first sample is given out.
void Loader::State::prepare(std::int64_t batch) {
  Slot& slot = slot_of(batch);
  const std::int64_t size = size_of_batch(batch);
  slot.missing = size;
  slot.batch.samples.assign(static_cast<std::size_t>(size), LoadedSample{});
  const std::size_t used = static_cast<std::size_t>(size) * sample_bytes;
  std::memset(static_cast<std::byte*>(slot.tensor.raw()) + used, 0, slot.tensor.bytes() - used);
}

void Loader::State::work() {
  PreprocessScratch scratch;
  std::unique_lock lock(mutex);
  for (;;) {
    room.wait(lock, [this] { return stopping || next_sample >= count || may_start(next_sample); });
    if (stopping || next_sample >= count) return;
    const std::int64_t sample = next_sample++;
    const std::int64_t batch = sample / options.batch;
    if (sample % options.batch == 0) prepare(batch);
    lock.unlock();
    load(sample, scratch);
    lock.lock();
    if (--slot_of(batch).missing == 0) ready.notify_one();
  }
}

// Fills the sample's own part of its slot; nothing else touches that before it is counted as come. Never throws but for
// want of memory for an error's text.
void Loader::State::load(std::int64_t sample, PreprocessScratch& scratch) {
  Slot& slot = slot_of(sample / options.batch);
  const auto place = static_cast<std::size_t>(sample % options.batch);
  LoadedSample& loaded = slot.batch.samples[place];
  const std::span<std::byte> room_for_it(static_cast<std::byte*>(slot.tensor.raw()) + place * sample_bytes,
                                         sample_bytes);
  loaded.index = options.first + sample;
  try {
    loaded.source = dataset->get(loaded.index);
    auto decoded = dataset->load(loaded.index, preprocess.decode);
    if (decoded.ok()) {
      loaded.damaged = decoded->info.damaged();
      auto done = preprocess_into(decoded->image, preprocess, scratch, room_for_it);
      if (!done.ok()) loaded.error = std::move(done).error().within("image " + loaded.source.path.string());
    } else {
      loaded.error = std::move(decoded).error();
    }
  } catch (const std::bad_alloc&) {
    loaded.error = Error(ErrorCode::kResource, "not enough memory").within("image " + loaded.source.path.string());
  } catch (const std::exception& e) {
    loaded.error = Error(ErrorCode::kInternal, e.what()).within("image " + loaded.source.path.string());
  } catch (...) {
    loaded.error = Error(ErrorCode::kInternal, "unknown exception").within("image " + loaded.source.path.string());
  }
  if (loaded.error) std::memset(room_for_it.data(), 0, room_for_it.size());
}

void Loader::State::stop() {
  {
    const std::lock_guard lock(mutex);
    stopping = true;
  }
  room.notify_all();
  for (std::thread& worker : workers) worker.join();
  workers.clear();
}

Loader::Loader(std::unique_ptr<State> state) : state_(std::move(state)) {}

Loader::~Loader() { state_->stop(); }

Result<std::unique_ptr<Loader>> Loader::start(std::shared_ptr<const Dataset> dataset, const Preprocess& preprocess,
                                              const LoaderOptions& options) {
  FOVEA_CHECK(dataset != nullptr);
  FOVEA_RETURN_IF_ERROR(check_preprocess(preprocess));
  const auto usage = [](std::string message) { return Error(ErrorCode::kUsage, "loader: " + message); };
  const ImageSize size = output_size(preprocess);
  if (size.width == 0) return usage("the images would differ in size: give a crop, or resize to an exact size");
  if (options.batch < 1 || options.workers < 0 || options.workers > kMaxWorkers || options.batches_ahead < 2 ||
      options.first < 0 || options.first > dataset->size() || options.count < -1)
    return usage(
        fmt::format("expected batch >= 1, workers 0 to {}, batches ahead >= 2, first 0 to {} and count >= -1; "
                    "found {}, {}, {}, {} and {}",
                    kMaxWorkers, dataset->size(), options.batch, options.workers, options.batches_ahead, options.first,
                    options.count));
  auto state = std::make_unique<State>();
  state->sample_bytes = output_bytes(preprocess);
  const std::int64_t batch_limit =
      kMaxRingBytes / options.batches_ahead / static_cast<std::int64_t>(state->sample_bytes);
  if (options.batch > batch_limit)
    return make_error(ErrorCode::kResource, "loader: {} batches of {} samples of {} bytes are more than {} bytes",
                      options.batches_ahead, options.batch, state->sample_bytes, kMaxRingBytes);
  const std::int64_t rest = dataset->size() - options.first;
  state->count = options.count < 0 ? rest : std::min(options.count, rest);
  state->dataset = std::move(dataset);
  state->preprocess = preprocess;
  state->options = options;
  const std::int64_t slots = std::min<std::int64_t>(options.batches_ahead, std::max<std::int64_t>(state->batches(), 1));
  state->slots.resize(static_cast<std::size_t>(slots));
  for (Slot& slot : state->slots) {
    slot.tensor = Tensor(preprocess.dtype, {options.batch, kImageChannels, size.height, size.width}, preprocess.layout);
    slot.batch.data = slot.tensor.view();
    slot.batch.samples.reserve(static_cast<std::size_t>(options.batch));  // so that prepare() need not allocate
  }
  std::unique_ptr<Loader> loader(new Loader(std::move(state)));
  const int asked = options.workers > 0 ? options.workers : detect_topology().usable_threads();
  const auto workers = static_cast<int>(std::min<std::int64_t>(asked, loader->state_->count));
  try {
    for (int i = 0; i < workers; ++i) loader->state_->workers.emplace_back([s = loader->state_.get()] { s->work(); });
  } catch (const std::system_error& e) {  // no more threads; the loader's end joins those that run
    return make_error(ErrorCode::kResource, "loader: {} threads cannot be started: {}", workers, e.what());
  }
  return loader;
}

const Batch* Loader::next() {
  State& s = *state_;
  std::unique_lock lock(s.mutex);
  if (s.freed < s.next_batch) {  // the batch that was read until now
    s.freed = s.next_batch;
    s.room.notify_all();
  }
  if (s.next_batch >= s.batches()) return nullptr;
  const std::int64_t batch = s.next_batch;
  // All its samples were given out, and all have come.
  s.ready.wait(lock, [&s, batch] {
    return s.next_sample >= batch * s.options.batch + s.size_of_batch(batch) && s.slot_of(batch).missing == 0;
  });
  ++s.next_batch;
  return &s.slot_of(batch).batch;
}

std::int64_t Loader::samples() const { return state_->count; }
std::int64_t Loader::batches() const { return state_->batches(); }

}  // namespace fovea
