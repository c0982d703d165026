#include <gtest/gtest.h>

#include "data/image_mutator.h"

namespace fovea {
namespace {

TEST(ImageMutation, MutantsAreImagesOrCleanErrors) {
  const auto seeds = mutation_seeds();
  Rng rng(20240601);
  int images = 0, errors = 0;
  for (int i = 0; i < 900; ++i) {
    const Bytes mutant = mutate(seeds[static_cast<std::size_t>(i) % seeds.size()], rng);
    const bool strict = i % 3 != 0;
    ASSERT_EQ(complaint_about(mutant, strict), "") << "mutant " << i;
    ++(decode_image(mutant, {.limits = {.max_pixels = 4'000'000}, .strict = strict}).ok() ? images : errors);
  }
  // The mutator is neither harmless nor hopeless.
  EXPECT_GT(images, 50);
  EXPECT_GT(errors, 50);
}

TEST(ImageMutation, SeedsDecode) {
  for (const Bytes& seed : mutation_seeds()) EXPECT_TRUE(decode_image(seed).ok());
}

}  // namespace
}  // namespace fovea
