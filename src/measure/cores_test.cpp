#include "measure/cores.h"

#include <gtest/gtest.h>

namespace fovea {
namespace {

// Sockets x nodes a socket x cores a node, with SMT siblings numbered behind all cores.
Topology machine(int sockets, int nodes, int cores) {
  Topology t;
  t.cores = sockets * nodes * cores;
  for (int sibling = 0; sibling < 2; ++sibling)
    for (int core = 0; core < t.cores; ++core)
      t.processors.push_back({sibling * t.cores + core, core, core / (nodes * cores), core / cores});
  return t;
}

std::string text(const Result<CorePlan>& plan) {
  if (!plan.ok()) return plan.error().text();
  std::string text;
  for (const InstanceCores& i : plan->instances) text += fmt::format("{}@{} ", range_text(i.processors), i.numa_node);
  return text + "idle " + range_text(plan->idle);
}

TEST(Cores, OneInstanceTakesAll) {
  EXPECT_EQ(text(place_instances(machine(1, 1, 2), {})), "0-1@0 idle ");
  EXPECT_EQ(text(place_instances(machine(2, 1, 4), {})), "0-7@-1 idle ");
  EXPECT_EQ(text(place_instances(machine(2, 1, 4), {.numa_node = 1})), "4-7@1 idle ");
  EXPECT_EQ(text(place_instances(machine(2, 1, 4), {.cores = 3, .numa_node = 1})), "4-6@1 idle ");
}

TEST(Cores, InstancesStayWithinANode) {
  EXPECT_EQ(text(place_instances(machine(2, 1, 6), {.cores_per_instance = 4})), "0-3@0 6-9@1 idle 4-5,10-11");
  EXPECT_EQ(text(place_instances(machine(1, 2, 2), {.cores_per_instance = 1})), "0@0 1@0 2@1 3@1 idle ");
  // No node has four cores: a socket has.
  EXPECT_EQ(text(place_instances(machine(2, 2, 2), {.cores_per_instance = 4})), "0-3@-1 4-7@-1 idle ");
  EXPECT_EQ(text(place_instances(machine(2, 1, 2), {.cores_per_instance = 3})), "0-2@-1 idle 3");
}

TEST(Cores, SocketsAndCounts) {
  EXPECT_EQ(text(place_instances(machine(2, 2, 2), {.per_socket = true})), "0-3@-1 4-7@-1 idle ");
  EXPECT_EQ(text(place_instances(machine(2, 1, 2), {.instances = 4})), "0@0 1@0 2@1 3@1 idle ");
  EXPECT_EQ(text(place_instances(machine(1, 1, 8), {.cores_per_instance = 2, .instances = 3})),
            "0-1@0 2-3@0 4-5@0 idle 6-7");
}

TEST(Cores, WhatTheMachineLacksIsAnError) {
  EXPECT_NE(text(place_instances(machine(1, 1, 2), {.cores = 3})).find("3 cores asked for, 2"), std::string::npos);
  EXPECT_NE(text(place_instances(machine(1, 1, 2), {.numa_node = 1})).find("node 1"), std::string::npos);
  EXPECT_NE(text(place_instances(machine(1, 1, 2), {.cores_per_instance = 4})).find("only 2"), std::string::npos);
  EXPECT_NE(text(place_instances(machine(1, 1, 2), {.instances = 3})).find("3 instances"), std::string::npos);
  EXPECT_NE(text(place_instances(machine(1, 1, 4), {.cores_per_instance = 3, .instances = 2})).find("1 fit"),
            std::string::npos);
}

}  // namespace
}  // namespace fovea
