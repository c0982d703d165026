#include "measure/noise_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "measure/clock_watch.h"
#include "measure/energy.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

// A folder of made-up system files, gone at the end.
class SystemFiles : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::path(testing::TempDir()) / ("fovea_system_" + std::to_string(getpid()));
    fs::create_directories(root_);
  }
  void TearDown() override { fs::remove_all(root_); }
  void put(const fs::path& name, const std::string& text) {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << text;
  }
  fs::path root_;
};

TEST_F(SystemFiles, CountersOfProcStatAndCgroup) {
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  put("proc/stat", "cpu  100 10 20 5000 70 3 4 50 0 0\ncpu0 1 2 3\n");
  put("sys/fs/cgroup/cpu.stat", "usage_usec 5\nnr_periods 9\nnr_throttled 7\nthrottled_usec 1\n");
  const Disturbance d = read_disturbance(root_);
  EXPECT_DOUBLE_EQ(d.steal_s, 50 / ticks);
  EXPECT_DOUBLE_EQ(d.busy_s.value(), 137 / ticks);
  EXPECT_EQ(d.throttled, 7);
  EXPECT_FALSE(read_disturbance(root_ / "nothing").busy_s);
}

TEST_F(SystemFiles, ClockByCpufreqElseByCpuinfo) {
  EXPECT_FALSE(clock_mhz(root_));
  put("proc/cpuinfo", "processor : 0\ncpu MHz\t\t: 2000.5\n\nprocessor : 1\ncpu MHz\t\t: 3000.5\n");
  EXPECT_DOUBLE_EQ(clock_mhz(root_).value(), 2500.5);
  put("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "3500000\n");
  EXPECT_DOUBLE_EQ(clock_mhz(root_).value(), 3500);
}

TEST_F(SystemFiles, EnergyOfAllPackagesAndAcrossTheWrap) {
  for (const char* zone : {"intel-rapl:0", "intel-rapl:1"}) {
    put(fs::path(zone) / "name", zone[11] == '0' ? "package-0\n" : "package-1\n");
    put(fs::path(zone) / "max_energy_range_uj", "1000000000\n");
    put(fs::path(zone) / "energy_uj", "900000000\n");
  }
  put("intel-rapl:0:0/name", "core\n");  // part of its package: not counted again
  put("intel-rapl:0:0/energy_uj", "5\n");
  EnergyMeter meter(root_);
  put("intel-rapl:0/energy_uj", "950000000\n");  // + 50 J
  meter.poll();
  put("intel-rapl:0/energy_uj", "100000000\n");  // + 150 J across the wrap
  put("intel-rapl:1/energy_uj", "900000000\n");
  meter.poll();
  put("intel-rapl:0/energy_uj", "80000000\n");  // + 980 J across the next
  const Energy energy = meter.stop(10);
  EXPECT_DOUBLE_EQ(energy.joules.value(), 1180);
  EXPECT_DOUBLE_EQ(energy.watts.value(), 118);
  EXPECT_EQ(energy.absent_because, "");
}

TEST_F(SystemFiles, EnergyThatIsAbsentSaysWhy) {
  EXPECT_THAT(EnergyMeter(root_ / "none").stop(1).absent_because, HasSubstr("no RAPL"));
  EXPECT_THAT(EnergyMeter(root_).stop(1).absent_because, HasSubstr("no package domain"));
  put("intel-rapl:0/name", "package-0\n");
  const Energy energy = EnergyMeter(root_).stop(1);
  EXPECT_FALSE(energy.joules);
  EXPECT_THAT(energy.absent_because, HasSubstr("energy_uj cannot be read"));
}

NoiseWindow window(double at_s) {
  NoiseWindow w;
  w.at_ns = static_cast<std::int64_t>(at_s * 1e9);
  w.f32_peak_gmacs = 100;
  w.clock_mhz = 3000;
  w.disturbance.busy_s = 0;
  w.disturbance.processors = 4;
  return w;
}

TEST(JudgeNoise, AQuietRunIsStable) {
  NoiseWindow after = window(10);
  after.disturbance.busy_s = 20.5;
  after.disturbance.own_s = 20;
  const Noise n = judge_noise(window(0), after, 0.01, 2);
  EXPECT_EQ(n.verdict, NoiseVerdict::kStable);
  EXPECT_TRUE(n.watched);
  EXPECT_DOUBLE_EQ(n.other_load_percent.value(), 1.25);
  EXPECT_THAT(n.reasons, ElementsAre());
}

TEST(JudgeNoise, EveryDisturbanceIsNamed) {
  const auto reasons = [](auto change) {
    NoiseWindow after = window(10);
    change(after);
    return judge_noise(window(0), after, 0.01, 2);
  };
  const auto one = [](const char* text) { return ElementsAre(HasSubstr(text)); };
  Noise n = reasons([](NoiseWindow& w) { w.disturbance.steal_s = 0.4; });
  EXPECT_THAT(n.reasons, one("hypervisor took 2.0 %"));
  EXPECT_EQ(n.verdict, NoiseVerdict::kNoisy);
  EXPECT_EQ(reasons([](NoiseWindow& w) { w.disturbance.steal_s = 4; }).verdict, NoiseVerdict::kInvalid);
  EXPECT_THAT(reasons([](NoiseWindow& w) { w.disturbance.busy_s = 8; }).reasons, one("other processes used 20.0 %"));
  EXPECT_THAT(reasons([](NoiseWindow& w) { w.f32_peak_gmacs = 90; }).reasons, one("peak moved by -10.0 %"));
  EXPECT_EQ(reasons([](NoiseWindow& w) { w.f32_peak_gmacs = 70; }).verdict, NoiseVerdict::kInvalid);
  EXPECT_THAT(reasons([](NoiseWindow& w) { w.clock_mhz = 2700; }).reasons, one("clock moved by -10.0 %"));
  EXPECT_THAT(reasons([](NoiseWindow& w) { w.disturbance.throttled = 1; }).reasons, one("quota"));
  EXPECT_THAT(judge_noise(window(0), window(10), 0.2, 2).reasons, one("vary by 20.0 %"));
}

TEST(JudgeNoise, WithoutProcStatQuietCannotBeSaid) {
  NoiseWindow before = window(0);
  before.disturbance.busy_s.reset();
  const Noise n = judge_noise(before, window(10), 0.01, 2);
  EXPECT_FALSE(n.watched);
  EXPECT_FALSE(n.other_load_percent);
}

}  // namespace
}  // namespace fovea
