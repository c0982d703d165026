#include "measure/launcher.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <new>
#include <numeric>

#include "base/binding.h"
#include "base/clock.h"

namespace fovea {
namespace {

constexpr int kPollMs = 50;
constexpr std::int64_t kMemoryPeriodNs = 250'000'000;
constexpr std::int64_t kAbortPatienceNs = 10'000'000'000;
constexpr std::size_t kMaxLine = 3000;  // below PIPE_BUF: lines of several sessions never mix

// Messages are lines of words, "<kind> <instance> <fields…>"; the last field may hold blanks.
void send(int fd, std::string line) {
  if (line.size() > kMaxLine) line.resize(kMaxLine);
  std::replace(line.begin(), line.end(), '\n', ' ');
  line += '\n';
  while (::write(fd, line.data(), line.size()) < 0 && errno == EINTR) {
  }
}

class PipeObserver : public InstanceObserver {
 public:
  PipeObserver(int fd, int instance) : fd_(fd), instance_(instance) {}
  void ready(std::int64_t arena, std::int64_t packed, double macs) override {
    send(fd_, fmt::format("R {} {} {} {}", instance_, arena, packed, static_cast<std::int64_t>(macs)));
  }
  void iteration(int number, std::int64_t begin_ns, std::int64_t end_ns) override {
    send(fd_, fmt::format("I {} {} {} {}", instance_, number, begin_ns, end_ns));
  }
  void answer(const std::string& file, int label, int prediction) override {
    send(fd_, fmt::format("A {} {} {} {}", instance_, label, prediction, file));
  }
  void finished() override { send(fd_, fmt::format("F {}", instance_)); }
  void failed(const Error& error) {
    send(fd_, fmt::format("E {} {} {}", instance_, static_cast<int>(error.code()), error.text()));
  }

 private:
  int fd_, instance_;
};

// Memory that the processes share; lives as long as the launcher.
class SharedSignals {
 public:
  SharedSignals() {
    void* memory = ::mmap(nullptr, sizeof(InstanceSignals), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory != MAP_FAILED) signals_ = new (memory) InstanceSignals;
  }
  ~SharedSignals() {
    if (signals_) ::munmap(signals_, sizeof(InstanceSignals));
  }
  SharedSignals(const SharedSignals&) = delete;
  SharedSignals& operator=(const SharedSignals&) = delete;
  InstanceSignals* get() const { return signals_; }

 private:
  InstanceSignals* signals_ = nullptr;
};

int threads_of(const InstanceJob& job, const InstanceCores& cores) {
  return job.threads > 0 ? job.threads : static_cast<int>(cores.processors.size());
}

Status run_alone(const LaunchJob& launch, int instance, InstanceSignals& signals, PipeObserver& observer) {
  const InstanceCores& cores = launch.instances[static_cast<std::size_t>(instance)];
  FOVEA_RETURN_IF_ERROR(bind_this_thread(cores.processors));
  FOVEA_RETURN_IF_ERROR(bind_memory_near(cores.processors));
  FOVEA_TRY(const auto plan, plan_instance(launch.job, threads_of(launch.job, cores)));
  return run_instance(launch.job, plan, cores, signals, observer);
}

// All instances as sessions on one plan, each driven by a thread of its own.
void run_sharing(const LaunchJob& launch, int fd, InstanceSignals& signals) {
  const auto count = static_cast<int>(launch.instances.size());
  std::vector<int> all, first;
  for (const InstanceCores& cores : launch.instances) {
    all.insert(all.end(), cores.processors.begin(), cores.processors.end());
    first.push_back(cores.processors.front());
  }
  std::vector<PipeObserver> observers;
  for (int i = 0; i < count; ++i) observers.emplace_back(fd, i);
  const auto fail = [&](const Error& error) {
    for (PipeObserver& o : observers) o.failed(error);
  };
  if (const Status bound = bind_this_thread(all); !bound.ok()) return fail(bound.error());
  const auto plan = plan_instance(launch.job, threads_of(launch.job, launch.instances.front()));
  if (!plan.ok()) return fail(plan.error());
  ThreadPool drivers({count, true, first, 0});
  drivers.run(count, [&](int i) {
    const auto place = static_cast<std::size_t>(i);
    const Status status = run_instance(launch.job, *plan, launch.instances[place], signals, observers[place]);
    if (!status.ok()) observers[place].failed(status.error());
  });
}

// The life of a process of instances. Never returns.
[[noreturn]] void be_instance(const LaunchJob& launch, int instance, int fd, InstanceSignals& signals, pid_t parent) {
  // The terminal's Ctrl-C reaches every process; the parent alone decides what it means.
  ::signal(SIGINT, SIG_IGN);
  ::signal(SIGTERM, SIG_DFL);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(static_cast<int>(ErrorCode::kInternal));  // it ended before the line above
  PipeObserver observer(fd, instance);
  int code = 0;
  try {
    if (launch.share_weights) {
      run_sharing(launch, fd, signals);
    } else if (const Status status = run_alone(launch, instance, signals, observer); !status.ok()) {
      observer.failed(status.error());
      code = static_cast<int>(status.error().code());
    }
  } catch (const std::bad_alloc&) {
    observer.failed(Error(ErrorCode::kResource, "out of memory"));
    code = static_cast<int>(ErrorCode::kResource);
  } catch (const std::exception& e) {
    observer.failed(Error(ErrorCode::kInternal, e.what()));
    code = static_cast<int>(ErrorCode::kInternal);
  }
  ::_exit(code);  // no destructors or buffers of the parent's
}

struct Worker {
  pid_t pid = -1;
  int fd = -1;
  std::string pending;       // a line that has not come whole
  int first = 0, count = 1;  // its instances
};

class Launcher {
 public:
  explicit Launcher(const LaunchJob& launch) : launch_(launch) {
    outcome_.instances.resize(launch.instances.size());
    for (std::size_t i = 0; i < launch.instances.size(); ++i) outcome_.instances[i].cores = launch.instances[i];
    over_.resize(launch.instances.size());
    ready_ = over_;
  }
  ~Launcher() {
    for (Worker& worker : workers_) end(worker, true);
  }

  Result<LaunchOutcome> run() {
    if (!signals_.get()) return make_error(ErrorCode::kResource, "no memory to share with instances");
    FOVEA_RETURN_IF_ERROR(start());
    while (std::any_of(workers_.begin(), workers_.end(), [](const Worker& w) { return w.fd >= 0; })) {
      FOVEA_RETURN_IF_ERROR(wait_for_messages());
      watch_memory();
      signal_instances();
    }
    for (Worker& worker : workers_) end(worker, false);
    return std::move(outcome_);
  }

 private:
  Status start() {
    const pid_t parent = ::getpid();
    const auto count = static_cast<int>(launch_.instances.size());
    const int processes = launch_.share_weights ? 1 : count;
    for (int i = 0; i < processes; ++i) {
      int ends[2];
      if (::pipe2(ends, O_CLOEXEC) != 0) return cannot("make a pipe");
      const pid_t pid = ::fork();
      if (pid < 0) {
        const Status failure = cannot("start a process");
        ::close(ends[0]);
        ::close(ends[1]);
        return failure;
      }
      if (pid == 0) {
        ::close(ends[0]);
        for (const Worker& other : workers_) ::close(other.fd);
        be_instance(launch_, i, ends[1], *signals_.get(), parent);
      }
      ::close(ends[1]);
      workers_.push_back({pid, ends[0], "", i, launch_.share_weights ? count : 1});
    }
    return {};
  }

  static Error cannot(const char* what) {
    const int error = errno;
    return make_error(ErrorCode::kResource, "cannot {} for an instance: {}", what, std::strerror(error));
  }

  Status wait_for_messages() {
    std::vector<pollfd> polled;
    std::vector<Worker*> owners;
    for (Worker& worker : workers_) {
      if (worker.fd < 0) continue;
      polled.push_back({worker.fd, POLLIN, 0});
      owners.push_back(&worker);
    }
    if (::poll(polled.data(), polled.size(), kPollMs) < 0 && errno != EINTR) return cannot("poll");
    for (std::size_t i = 0; i < polled.size(); ++i)
      if (polled[i].revents != 0) FOVEA_RETURN_IF_ERROR(read_from(*owners[i]));
    return {};
  }

  Status read_from(Worker& worker) {
    char piece[1 << 16];
    const ssize_t got = ::read(worker.fd, piece, sizeof piece);
    if (got < 0 && errno == EINTR) return {};
    if (got <= 0) {
      end(worker, false);
      return {};
    }
    worker.pending.append(piece, static_cast<std::size_t>(got));
    std::size_t begin = 0;
    for (std::size_t newline; (newline = worker.pending.find('\n', begin)) != std::string::npos; begin = newline + 1)
      FOVEA_RETURN_IF_ERROR(take(std::string_view(worker.pending).substr(begin, newline - begin)));
    worker.pending.erase(0, begin);
    return {};
  }

  Status take(std::string_view line) {
    const auto word = [&line] {
      const auto blank = line.find(' ');
      const std::string_view text = line.substr(0, blank);
      line.remove_prefix(blank == std::string_view::npos ? line.size() : blank + 1);
      return text;
    };
    const auto number = [&word] {
      std::int64_t value = 0;
      const std::string_view text = word();
      std::from_chars(text.data(), text.data() + text.size(), value);
      return value;
    };
    const std::string_view kind = word();
    const auto index = static_cast<std::size_t>(number());
    FOVEA_CHECK(index < outcome_.instances.size());
    InstanceOutcome& instance = outcome_.instances[index];
    if (kind == "R") {
      instance.arena_bytes = number();
      instance.packed_bytes = number();
      instance.macs_per_image = static_cast<double>(number());
      ready_[index] = true;
    } else if (kind == "I") {
      const auto step = static_cast<int>(number());
      const std::int64_t begin_ns = number();
      return take_iteration(static_cast<int>(index), step, begin_ns, number());
    } else if (kind == "A") {
      LaunchAnswer answer{static_cast<int>(index), "", static_cast<int>(number()), kNoLabel};
      answer.prediction = static_cast<int>(number());
      answer.file = line;
      outcome_.answers.push_back(std::move(answer));
    } else if (kind == "F") {
      instance.state = InstanceOutcome::State::kFinished;
      over_[index] = true;
    } else if (kind == "E") {
      instance.code = static_cast<ErrorCode>(number());
      instance.error = line;
      over_[index] = true;
    }
    return {};
  }

  Status take_iteration(int index, int number, std::int64_t begin_ns, std::int64_t end_ns) {
    InstanceOutcome& instance = outcome_.instances[static_cast<std::size_t>(index)];
    const double seconds = static_cast<double>(end_ns - begin_ns) * 1e-9;
    if (number <= launch_.job.warm_up) {
      instance.warm_up_s.push_back(seconds);
    } else {
      if (instance.samples_s.empty()) instance.begin_ns = begin_ns;
      instance.end_ns = end_ns;
      instance.samples_s.push_back(seconds);
    }
    return launch_.on_iteration ? launch_.on_iteration(index, number, seconds) : Status();
  }

  // Resident memory of all instances together, now and then: what they need while they run.
  void watch_memory() {
    const std::int64_t now = now_ns();
    if (now - memory_read_ns_ < kMemoryPeriodNs) return;
    memory_read_ns_ = now;
    std::int64_t resident = 0, proportional = 0;
    for (const Worker& worker : workers_) {
      if (worker.pid < 0) continue;
      std::ifstream file(fmt::format("/proc/{}/smaps_rollup", worker.pid));
      std::int64_t kib = 0;
      for (std::string line; std::getline(file, line);) {
        if (std::sscanf(line.c_str(), "Rss: %ld", &kib) == 1) resident += kib * 1024;
        if (std::sscanf(line.c_str(), "Pss: %ld", &kib) == 1) proportional += kib * 1024;
      }
    }
    outcome_.peak_resident_bytes = std::max(outcome_.peak_resident_bytes, resident);
    outcome_.peak_proportional_bytes = std::max(outcome_.peak_proportional_bytes, proportional);
  }

  void signal_instances() {
    InstanceSignals& signals = *signals_.get();
    bool warm = true, all_over = true;
    for (std::size_t i = 0; i < over_.size(); ++i) {
      warm = warm && (ready_[i] || over_[i]);
      all_over = all_over && over_[i];
    }
    if (warm) signals.go = true;
    if (all_over) signals.stop = InstanceSignals::kEnd;
    if (launch_.stop && launch_.stop->load() && aborted_ns_ == 0) {
      outcome_.interrupted = !all_over;
      signals.stop = InstanceSignals::kAbort;
      aborted_ns_ = now_ns();
    }
    if (aborted_ns_ != 0 && now_ns() - aborted_ns_ > kAbortPatienceNs)
      for (const Worker& worker : workers_)
        if (worker.pid > 0) ::kill(worker.pid, SIGKILL);
  }

  // After its last message, or at once.
  void end(Worker& worker, bool at_once) {
    if (worker.fd >= 0) ::close(worker.fd);
    worker.fd = -1;
    if (worker.pid < 0) return;
    if (at_once) ::kill(worker.pid, SIGKILL);
    int status = 0;
    while (::waitpid(worker.pid, &status, 0) < 0 && errno == EINTR) {
    }
    worker.pid = -1;
    for (int i = worker.first; i < worker.first + worker.count; ++i) {
      InstanceOutcome& instance = outcome_.instances[static_cast<std::size_t>(i)];
      instance.exit = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
      const bool cleanly = instance.exit == 0 && instance.error.empty();
      const bool finished = instance.state == InstanceOutcome::State::kFinished;
      if (finished && !cleanly) instance.state = InstanceOutcome::State::kDied;
      if (!finished && cleanly && outcome_.interrupted) instance.state = InstanceOutcome::State::kInterrupted;
      if (instance.state == InstanceOutcome::State::kDied && instance.error.empty())
        instance.error = WIFSIGNALED(status)
                             ? fmt::format("killed by signal {} ({})", WTERMSIG(status), ::strsignal(WTERMSIG(status)))
                             : fmt::format("ended with {} before its last step", instance.exit);
      over_[static_cast<std::size_t>(i)] = true;
    }
  }

  const LaunchJob& launch_;
  SharedSignals signals_;
  LaunchOutcome outcome_;
  std::vector<Worker> workers_;
  std::vector<bool> over_, ready_;  // by instance
  std::int64_t memory_read_ns_ = 0, aborted_ns_ = 0;
};

}  // namespace

double InstanceOutcome::mean_s() const {
  return samples_s.empty()
             ? 0
             : std::accumulate(samples_s.begin(), samples_s.end(), 0.0) / static_cast<double>(samples_s.size());
}

bool LaunchOutcome::all_finished() const {
  return std::all_of(instances.begin(), instances.end(),
                     [](const InstanceOutcome& i) { return i.state == InstanceOutcome::State::kFinished; });
}

Result<LaunchOutcome> launch_instances(const LaunchJob& job) {
  FOVEA_CHECK(job.job.model != nullptr && !job.instances.empty());
  FOVEA_CHECK(job.job.warm_up >= 0 && job.job.steps > job.job.warm_up);
  return Launcher(job).run();
}

}  // namespace fovea
