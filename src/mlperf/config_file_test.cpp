#include "mlperf/config_file.h"

#include <gtest/gtest.h>

#include "mlperf/rules.h"

namespace fovea::mlperf {
namespace {

TestSettings applied(std::string_view text, Scenario scenario, std::vector<std::string> models = {"mobilenet"}) {
  const auto config = parse_config(text, "user.conf", ConfigKind::kUser);
  EXPECT_TRUE(config.ok()) << (config.ok() ? "" : config.error().text());
  TestSettings settings;
  settings.scenario = scenario;
  if (config.ok()) apply_config(*config, models, false, settings);
  return settings;
}

std::string problem(std::string_view text, ConfigKind kind = ConfigKind::kUser) {
  const auto config = parse_config(text, "user.conf", kind);
  return config.ok() ? "" : config.error().text();
}

TEST(ConfigFile, UnitsAreThoseOfLoadgen) {
  const TestSettings s = applied(
      "*.Server.target_latency = 15\n*.Server.target_latency_percentile = 97\n"
      "*.Server.target_qps = 12.5\n*.*.min_duration = 60000  # a minute\n",
      Scenario::kServer);
  EXPECT_EQ(s.server_target_latency_ns, 15'000'000u);
  EXPECT_DOUBLE_EQ(s.server_target_latency_percentile, 0.97);
  EXPECT_DOUBLE_EQ(s.server_target_qps, 12.5);
  EXPECT_EQ(s.min_duration_ms, 60'000u);
}

TEST(ConfigFile, TheMostParticularLineCounts) {
  const char* text =
      "*.*.min_query_count = 1\nmobilenet.*.min_query_count = 2\n*.Offline.min_query_count = 3\n"
      "mobilenet.Offline.min_query_count = 4\n";
  EXPECT_EQ(applied(text, Scenario::kOffline).min_query_count, 4u);
  EXPECT_EQ(applied(text, Scenario::kOffline, {"resnet50"}).min_query_count, 3u);
  EXPECT_EQ(applied(text, Scenario::kServer).min_query_count, 2u);
  EXPECT_EQ(applied(text, Scenario::kServer, {"resnet50"}).min_query_count, 1u);
}

TEST(ConfigFile, NamesOfModelsMayHoldDots) {
  EXPECT_EQ(
      applied("mobilenet-v1-0.25-128.Offline.min_query_count = 7\n", Scenario::kOffline, {"mobilenet-v1-0.25-128"})
          .min_query_count,
      7u);
}

TEST(ConfigFile, ErrorsNameTheLine) {
  EXPECT_NE(problem("\n*.*.min_durration = 1\n")
                .find("user.conf, line 2 › unknown key 'min_durration'; did you mean 'min_duration'"),
            std::string::npos)
      << problem("\n*.*.min_durration = 1\n");
  EXPECT_NE(problem("*.Servre.target_qps = 1").find("unknown scenario 'Servre'"), std::string::npos);
  EXPECT_NE(problem("*.*.min_duration = soon").find("expected a number"), std::string::npos);
  EXPECT_NE(problem("*.*.min_duration = -1").find("not negative"), std::string::npos);
  EXPECT_NE(problem("min_duration 5").find("expected model.scenario.key"), std::string::npos);
  EXPECT_NE(problem("*.*.min_duration = 5\n*.*.min_duration = 6").find("set twice"), std::string::npos);
  EXPECT_NE(problem("*.Offline.coalesce_queries = 1").find("means nothing in Offline"), std::string::npos);
}

TEST(ConfigFile, AUserMayNotSetWhatTheRulesFix) {
  EXPECT_NE(problem("*.*.qsl_rng_seed = 1").find("fixed by the rules"), std::string::npos);
  EXPECT_EQ(problem("*.*.qsl_rng_seed = 1", ConfigKind::kRules), "");
}

TEST(Rules, EveryRoundGivesItsOwnSeedsAndDurations) {
  for (const RoundRules& round : rounds())
    for (const Scenario scenario : kScenarios) {
      SettingsRequest request;
      request.round = &round;
      request.models = {"resnet50", "resnet"};
      request.scenario = scenario;
      const auto e = effective_settings(request);
      ASSERT_TRUE(e.ok()) << e.error().text();
      EXPECT_EQ(e->settings.qsl_rng_seed, round.seeds.qsl) << round.version;
      EXPECT_EQ(e->settings.min_duration_ms, static_cast<std::uint64_t>(round.min_duration_ms)) << round.version;
      EXPECT_NE(e->settings.test05_qsl_rng_seed, round.seeds.qsl) << round.version;
      EXPECT_TRUE(e->departures.empty()) << round.version;
      if (scenario == Scenario::kOffline) {
        EXPECT_EQ(e->settings.min_query_count, 24'576u);
      }
      if (scenario == Scenario::kServer) {
        EXPECT_EQ(e->settings.server_target_latency_ns, 15'000'000u);
      }
    }
}

TEST(Rules, AShorterRunIsATrialAndSaysWhy) {
  SettingsRequest request;
  request.round = &rounds().back();
  request.models = {"resnet50"};
  request.scenario = Scenario::kOffline;
  request.min_duration_ms = 1000;
  const auto e = effective_settings(request);
  ASSERT_TRUE(e.ok());
  ASSERT_EQ(e->departures.size(), 1u);
  EXPECT_EQ(e->departures[0], "min_duration (ms) is 1000, the rules ask for 600000");
}

}  // namespace
}  // namespace fovea::mlperf
