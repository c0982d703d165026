// The LoadGen of PyPI's mlcommons-loadgen, embedded: a Python interpreter that runs nothing but its extension module.
//
// The interpreter lock is held for the hand-over of ids, indices and response addresses only. Every Python object lives
// in PythonLoadgen or on the stack of run(), so none outlives the interpreter.
#include <pybind11/embed.h>
#include <pybind11/functional.h>

#include <vector>

#include "mlperf/loadgen_module/module.h"

namespace py = pybind11;

namespace fovea::mlperf {
namespace {

std::vector<std::size_t> indices_of(const py::list& list) {
  std::vector<std::size_t> out(static_cast<std::size_t>(PyList_GET_SIZE(list.ptr())));
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = PyLong_AsSize_t(PyList_GET_ITEM(list.ptr(), static_cast<Py_ssize_t>(i)));
  return out;
}

// Everything of Python that completions need, looked up once.
class PythonSink : public CompletionSink {
 public:
  explicit PythonSink(const py::module_& module)
      : response_(module.attr("QuerySampleResponse")), complete_(module.attr("QuerySamplesComplete")) {}

  void complete(std::span<const QueryResponse> responses) override {
    py::gil_scoped_acquire lock;
    py::list list(responses.size());
    for (std::size_t i = 0; i < responses.size(); ++i) {
      const QueryResponse& r = responses[i];
      py::object one = response_(r.id, reinterpret_cast<std::uintptr_t>(r.data), r.size);
      PyList_SET_ITEM(list.ptr(), static_cast<Py_ssize_t>(i), one.release().ptr());
    }
    complete_(list);  // releases the lock itself while LoadGen works
  }

 private:
  py::object response_, complete_;
};

class PythonLoadgen : public Loadgen {
 public:
  explicit PythonLoadgen(const std::string& folder) : interpreter_(false) {
    if (!folder.empty()) py::module_::import("sys").attr("path").attr("insert")(0, folder);
    module_ = py::module_::import("mlperf_loadgen");
    origin_ = py::str(module_.attr("__file__"));
    try {
      version_ = py::str(py::module_::import("importlib.metadata").attr("version")("mlcommons-loadgen"));
    } catch (const py::error_already_set&) {
      version_ = "unknown";  // a module that no package manager installed
    }
    has_fixed_interval_ = py::hasattr(module_.attr("TestSettings"), "multi_stream_target_qps");
    unlocked_.emplace();
  }
  ~PythonLoadgen() override {
    unlocked_.reset();
    module_ = py::module_();
  }

  const std::string& version() const override { return version_; }
  const std::string& origin() const override { return origin_; }
  bool has_fixed_interval() const override { return has_fixed_interval_; }

  std::string run(SystemUnderTest& sut, SampleLibrary& library, const TestSettings& settings,
                  const LogSettings& log) override {
    py::gil_scoped_acquire lock;
    try {
      run_locked(sut, library, settings, log);
    } catch (const py::error_already_set& error) {
      return error.what();
    }
    return "";
  }

 private:
  py::object python_settings(const TestSettings& settings) const {
    py::object out = module_.attr("TestSettings")();
    out.attr("scenario") = module_.attr("TestScenario").attr(scenario_name(settings.scenario));
    out.attr("mode") = module_.attr("TestMode").attr(mode_name(settings.mode));
    // Settings that this LoadGen no longer has are left out: has_fixed_interval() tells of those that matter.
#define SETTING(type, name, value) \
  if (py::hasattr(out, #name)) out.attr(#name) = settings.name;
#include "mlperf/settings.inc"
#undef SETTING
    return out;
  }

  py::object python_log(const LogSettings& log) const {
    py::object output = module_.attr("LogOutputSettings")();
    output.attr("outdir") = log.folder;
    output.attr("copy_summary_to_stdout") = log.copy_summary_to_stdout;
    py::object out = module_.attr("LogSettings")();
    out.attr("log_output") = output;
    out.attr("enable_trace") = false;
    return out;
  }

  void run_locked(SystemUnderTest& sut, SampleLibrary& library, const TestSettings& settings, const LogSettings& log) {
    PythonSink sink(module_);
    const py::cpp_function issue([&sut](const py::list& ids, const py::list& indices) {
      std::vector<QuerySample> samples(static_cast<std::size_t>(PyList_GET_SIZE(ids.ptr())));
      for (std::size_t i = 0; i < samples.size(); ++i) {
        const auto at = static_cast<Py_ssize_t>(i);
        samples[i] = {PyLong_AsSize_t(PyList_GET_ITEM(ids.ptr(), at)),
                      PyLong_AsSize_t(PyList_GET_ITEM(indices.ptr(), at))};
      }
      py::gil_scoped_release unlocked;
      sut.issue(samples);
    });
    const py::cpp_function flush([&sut] {
      py::gil_scoped_release unlocked;
      sut.flush();
    });
    const py::cpp_function load([&library](const py::list& list) {
      const auto indices = indices_of(list);
      py::gil_scoped_release unlocked;
      library.load(indices);
    });
    const py::cpp_function unload([&library](const py::list& list) {
      const auto indices = indices_of(list);
      py::gil_scoped_release unlocked;
      library.unload(indices);
    });
    // LoadGen's pybind11 may be another one than ours, and would take our functions for its own and look into them:
    // wrapped, they are callables like any other.
    const py::object plain = py::module_::import("functools").attr("partial");
    const py::object python_sut = module_.attr("ConstructFastSUT")(plain(issue), plain(flush));
    const py::object python_library =
        module_.attr("ConstructQSL")(library.total_count(), library.performance_count(), plain(load), plain(unload));
    {
      py::gil_scoped_release unlocked;
      sut.begin(sink);
    }
    module_.attr("StartTestWithLogSettings")(
        python_sut, python_library, python_settings(settings), python_log(log),
        log.audit_config.empty() ? std::string("/nonexistent/audit.config") : log.audit_config);
    {
      py::gil_scoped_release unlocked;
      sut.end();
    }
    module_.attr("DestroyQSL")(python_library);
    module_.attr("DestroyFastSUT")(python_sut);
  }

  py::scoped_interpreter interpreter_;
  py::module_ module_;
  std::optional<py::gil_scoped_release> unlocked_;  // the lock is free whenever no call is under way
  std::string version_, origin_;
  bool has_fixed_interval_ = false;
};

}  // namespace
}  // namespace fovea::mlperf

extern "C" __attribute__((visibility("default"))) fovea::mlperf::Loadgen* fovea_open_loadgen_v1(const char* folder,
                                                                                                std::string& problem) {
  try {
    return new fovea::mlperf::PythonLoadgen(folder);  // NOLINT: the caller owns it
  } catch (const std::exception& error) {
    problem = error.what();
    return nullptr;
  }
}
