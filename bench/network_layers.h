// The convolutions of the networks that kernels are measured on: pointwise, dense and first layers, batch 1.
#pragma once

namespace fovea::bench {

struct ConvLayer {
  const char* network;
  int in_channels, out_channels, kernel, stride, size;
};

inline constexpr ConvLayer kConvLayers[] = {
    {"resnet50", 3, 64, 7, 2, 224},      {"resnet50", 64, 64, 1, 1, 56},     {"resnet50", 64, 64, 3, 1, 56},
    {"resnet50", 64, 256, 1, 1, 56},     {"resnet50", 256, 64, 1, 1, 56},    {"resnet50", 256, 128, 1, 1, 56},
    {"resnet50", 128, 128, 3, 2, 56},    {"resnet50", 128, 512, 1, 1, 28},   {"resnet50", 256, 512, 1, 2, 56},
    {"resnet50", 512, 128, 1, 1, 28},    {"resnet50", 128, 128, 3, 1, 28},   {"resnet50", 512, 256, 1, 1, 28},
    {"resnet50", 256, 256, 3, 2, 28},    {"resnet50", 256, 1024, 1, 1, 14},  {"resnet50", 512, 1024, 1, 2, 28},
    {"resnet50", 1024, 256, 1, 1, 14},   {"resnet50", 256, 256, 3, 1, 14},   {"resnet50", 1024, 512, 1, 1, 14},
    {"resnet50", 512, 512, 3, 2, 14},    {"resnet50", 512, 2048, 1, 1, 7},   {"resnet50", 1024, 2048, 1, 2, 14},
    {"resnet50", 2048, 512, 1, 1, 7},    {"resnet50", 512, 512, 3, 1, 7},    {"resnet50", 2048, 1000, 1, 1, 1},
    {"mobilenet1", 3, 32, 3, 2, 224},    {"mobilenet1", 32, 64, 1, 1, 112},  {"mobilenet1", 64, 128, 1, 1, 56},
    {"mobilenet1", 128, 128, 1, 1, 56},  {"mobilenet1", 128, 256, 1, 1, 28}, {"mobilenet1", 256, 256, 1, 1, 28},
    {"mobilenet1", 256, 512, 1, 1, 14},  {"mobilenet1", 512, 512, 1, 1, 14}, {"mobilenet1", 512, 1024, 1, 1, 7},
    {"mobilenet1", 1024, 1024, 1, 1, 7}, {"mobilenet2", 32, 16, 1, 1, 112},  {"mobilenet2", 16, 96, 1, 1, 112},
    {"mobilenet2", 96, 24, 1, 1, 56},    {"mobilenet2", 24, 144, 1, 1, 56},  {"mobilenet2", 144, 24, 1, 1, 56},
    {"mobilenet2", 144, 32, 1, 1, 28},   {"mobilenet2", 32, 192, 1, 1, 28},  {"mobilenet2", 192, 32, 1, 1, 28},
    {"mobilenet2", 64, 384, 1, 1, 14},   {"mobilenet2", 384, 96, 1, 1, 14},  {"mobilenet2", 960, 320, 1, 1, 7},
};

}  // namespace fovea::bench
