// What a Session promises, on whole networks with seeded weights: the answer of the reference evaluation, on every ISA;
// the same bytes for every thread count and batch; no allocation while it runs; one copy of the weights.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <new>

#include "base/rng.h"
#include "ops/evaluate.h"
#include "ops/infer.h"
#include "runtime/compile.h"
#include "runtime/session.h"
#include "zoo/networks.h"
#include "zoo/weight_source.h"

namespace {
std::atomic<long> allocations{0};
}

// Counts every allocation of the process, libraries included.
void* operator new(std::size_t bytes) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* p = std::malloc(bytes ? bytes : 1)) return p;
  throw std::bad_alloc();
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  const auto a = static_cast<std::size_t>(alignment);
  if (void* p = std::aligned_alloc(a, (bytes + a - 1) / a * a)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

namespace fovea {
namespace {

Graph network(const char* name) {
  const NetworkSpec* spec = find_network(name);
  EXPECT_NE(spec, nullptr) << name;
  SyntheticWeights weights(1);
  auto graph = spec->build(weights);
  EXPECT_TRUE(graph.ok()) << graph.error().text();
  return std::move(graph).value();
}

std::shared_ptr<const Plan> plan_of(const Graph& graph, std::int64_t batch = 1, Isa isa = Isa::kAvx512Bf16,
                                    Precision precision = Precision::kFp32) {
  CompileOptions options;
  options.batch = batch;
  options.precision = precision;
  options.input_layout = Layout::kChannelsLast;
  options.plan.cpu = detect_cpu().limited_to(isa);
  auto plan = compile(graph, options);
  EXPECT_TRUE(plan.ok()) << plan.error().text();
  return plan.ok() ? *plan : nullptr;
}

Tensor random_input(const Plan& plan, std::uint64_t seed) {
  Tensor t(DType::kF32, plan.inputs[0].dims, plan.inputs[0].layout);
  Rng rng(seed);
  for (float& v : t.as<float>()) v = rng.uniform(-1, 1);
  return t;
}

Tensor run(const std::shared_ptr<const Plan>& plan, int threads, const Tensor& input) {
  Session session(plan, threads);
  auto outputs = session.run(std::span<const Tensor>(&input, 1));
  EXPECT_TRUE(outputs.ok()) << outputs.error().text();
  return std::move((*outputs)[0]);
}

double largest_difference(const Tensor& a, const Tensor& b) {
  double worst = 0;
  for (std::size_t i = 0; i < a.as<float>().size(); ++i)
    worst = std::max(worst, std::abs(static_cast<double>(a.as<float>()[i]) - static_cast<double>(b.as<float>()[i])));
  return worst;
}

double largest(const Tensor& t) {
  double value = 0;
  for (float v : t.as<float>()) value = std::max(value, std::abs(static_cast<double>(v)));
  return value;
}

std::vector<Isa> isas_here() {
  std::vector<Isa> out;
  for (Isa isa : {Isa::kScalar, Isa::kAvx2, Isa::kAvx512, Isa::kAvx512Bf16})
    if (detect_cpu().has(isa)) out.push_back(isa);
  return out;
}

TEST(SessionProperties, EveryIsaGivesTheAnswerOfTheReference) {
  const Graph graph = network("mobilenet-v1-0.25-128");
  auto bound = specialise(graph, 1);
  ASSERT_TRUE(bound.ok());
  for (Isa isa : isas_here()) {
    const auto plan = plan_of(graph, 1, isa);
    ASSERT_TRUE(plan);
    const Tensor input = random_input(*plan, 3);
    const Tensor row_major = input.in_layout(Layout::kRowMajor);
    auto reference = evaluate_graph(*bound, std::span<const Tensor>(&row_major, 1));
    ASSERT_TRUE(reference.ok()) << reference.error().text();
    const Tensor answer = run(plan, 2, input);
    EXPECT_LE(largest_difference(reference->outputs[0], answer), 1e-5 * (1 + largest(reference->outputs[0]))) << isa_name(isa);
  }
}

TEST(SessionProperties, BytesDoNotDependOnThreadsOrBatch) {
  for (const char* name : {"mobilenet-v2", "resnet18", "efficientnet-lite0"}) {
    const Graph graph = network(name);
    const auto one = plan_of(graph, 1), eight = plan_of(graph, 8);
    ASSERT_TRUE(one && eight);
    Tensor batch = random_input(*eight, 5);
    const auto image_elems = static_cast<std::size_t>(batch.count() / 8);
    Tensor last(DType::kF32, one->inputs[0].dims, one->inputs[0].layout);  // the last image of the batch alone
    std::memcpy(last.raw(), batch.as<float>().data() + 7 * image_elems, last.bytes());
    const Tensor alone = run(one, 1, last);
    for (int threads : {2, 3}) EXPECT_EQ(0, std::memcmp(alone.raw(), run(one, threads, last).raw(), alone.bytes())) << name << ", threads " << threads;
    for (int threads : {1, 2}) {
      const Tensor together = run(eight, threads, batch);
      const auto classes = static_cast<std::size_t>(alone.count());
      EXPECT_EQ(0, std::memcmp(alone.raw(), std::as_const(together).as<float>().data() + 7 * classes, alone.bytes()))
          << name << ", batch 8, threads " << threads;
    }
  }
}

TEST(SessionProperties, RunningAllocatesNothing) {
  for (const char* name : {"mobilenet-v2", "resnet18"}) {
    const auto plan = plan_of(network(name));
    ASSERT_TRUE(plan);
    for (int threads : {1, 2}) {
      Session session(plan, threads);
      const Tensor input = random_input(*plan, 1);
      Tensor output(DType::kF32, plan->outputs[0].dims);
      const TensorView in = input.view(), out = output.view();
      ASSERT_TRUE(session.run({&in, 1}, {&out, 1}).ok());
      const long before = allocations.load();
      ASSERT_TRUE(session.run({&in, 1}, {&out, 1}).ok());
      ASSERT_TRUE(session.run({&in, 1}, {&out, 1}).ok());
      EXPECT_EQ(allocations.load() - before, 0) << name << ", " << threads << " thread(s)";
    }
  }
}

std::int64_t resident_kib() {
  std::ifstream status("/proc/self/statm");
  std::int64_t total = 0, resident = 0;
  status >> total >> resident;
  return resident * 4;
}

TEST(SessionProperties, ASecondSessionCostsItsArenaOnly) {
  const auto plan = plan_of(network("resnet50"));
  ASSERT_TRUE(plan);
  EXPECT_LE(plan->arena_bytes, 12 << 20);
  EXPECT_GE(plan->packed_bytes, 90 << 20);  // 25.5 M weights: what the second Session must not cost again
  const Tensor input = random_input(*plan, 1);
  Session first(plan, 1);
  ASSERT_TRUE(first.run(std::span<const Tensor>(&input, 1)).ok());
  const std::int64_t before = resident_kib();
  Session second(plan, 1);
  ASSERT_TRUE(second.run(std::span<const Tensor>(&input, 1)).ok());
  const auto arena_kib = static_cast<std::int64_t>((plan->arena_bytes + static_cast<std::int64_t>(plan->workspace_bytes(1))) / 1024);
  EXPECT_LE(resident_kib() - before, arena_kib + 6 * 1024);
}

TEST(SessionProperties, Bf16StaysNearFp32) {
  if (!detect_cpu().avx512_bf16) GTEST_SKIP() << "this CPU has no AVX512_BF16";
  const Graph graph = network("resnet18");
  const auto fp32 = plan_of(graph), bf16 = plan_of(graph, 1, Isa::kAvx512Bf16, Precision::kBf16);
  ASSERT_TRUE(fp32 && bf16);
  const Tensor input = random_input(*fp32, 9);
  const Tensor a = run(fp32, 1, input), b = run(bf16, 1, input);
  EXPECT_LE(largest_difference(a, b), 0.05 * largest(a));
  EXPECT_GT(largest_difference(a, b), 0) << "bf16 did not compute in bf16";
  EXPECT_EQ(0, std::memcmp(b.raw(), run(bf16, 2, input).raw(), b.bytes()));
}

TEST(SessionProperties, AskingOnlyWinnersForTheirKernelsChangesNoChoice) {
  for (const char* name : {"resnet50", "mobilenet-v2"})
    for (const Precision precision : {Precision::kFp32, Precision::kBf16}) {
      if (!check_precision(precision, detect_cpu()).ok()) continue;
      SCOPED_TRACE(std::string(name) + " " + precision_name(precision));
      const Graph graph = network(name);
      CompileOptions options;
      options.precision = precision;
      options.input_layout = Layout::kChannelsLast;
      const auto lazy = compile(graph, options);
      options.plan.confirm_all = true;
      const auto all = compile(graph, options);
      ASSERT_TRUE(lazy.ok() && all.ok());
      ASSERT_EQ((*lazy)->steps.size(), (*all)->steps.size());
      for (std::size_t s = 0; s < (*all)->steps.size(); ++s)
        EXPECT_EQ((*lazy)->steps[s].decision.chosen, (*all)->steps[s].decision.chosen) << (*all)->steps[s].decision.node;
    }
}

TEST(SessionProperties, APrecisionThatTheCpuLacksIsAnError) {
  CompileOptions options;
  options.precision = Precision::kBf16;
  options.plan.cpu = detect_cpu().limited_to(Isa::kAvx2);
  const auto plan = compile(network("mobilenet-v1-0.25-128"), options);
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.error().code(), ErrorCode::kUnsupported);
}

TEST(SessionProperties, WrongInputsAreNamed) {
  const auto plan = plan_of(network("mobilenet-v1-0.25-128"));
  ASSERT_TRUE(plan);
  Session session(plan, 1);
  const Tensor wrong(DType::kF32, {1, 3, 64, 64}, Layout::kChannelsLast);
  const auto outputs = session.run(std::span<const Tensor>(&wrong, 1));
  ASSERT_FALSE(outputs.ok());
  EXPECT_NE(outputs.error().text().find("expected f32[1,3,128,128]"), std::string::npos) << outputs.error().text();
  EXPECT_FALSE(session.run(std::span<const Tensor>()).ok());
}

}  // namespace
}  // namespace fovea

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
