// Reads the .npy files of the shared test data (NumPy format 1.0 and 2.0): little-endian u1, f4 and i8 in C order.
#pragma once

#include "tensor/tensor.h"
#include "tests/conformance/test_data.h"

namespace fovea::test {

inline Result<Tensor> read_npy(const std::filesystem::path& path) {
  const std::vector<std::byte> bytes = read_file(path);
  const auto wrong = [&](const char* what) { return bad_input("{}: {}", path.string(), what); };
  if (bytes.size() < 12 || std::memcmp(bytes.data(), "\x93NUMPY", 6) != 0) return wrong("not an .npy file");
  const bool first_version = bytes[6] == std::byte{1};
  std::size_t header_bytes = 0;
  for (int i = first_version ? 1 : 3; i >= 0; --i)
    header_bytes = header_bytes << 8 | static_cast<std::size_t>(bytes[8 + static_cast<std::size_t>(i)]);
  const std::size_t begin = first_version ? 10 : 12;
  if (bytes.size() < begin + header_bytes) return wrong("the header is cut off");
  const std::string header(reinterpret_cast<const char*>(bytes.data() + begin), header_bytes);
  const DType dtype = header.find("'|u1'") != std::string::npos   ? DType::kU8
                      : header.find("'<f4'") != std::string::npos ? DType::kF32
                      : header.find("'<i8'") != std::string::npos ? DType::kS64
                                                                  : DType::kBool;
  if (dtype == DType::kBool) return wrong("expected u1, f4 or i8 elements");
  if (header.find("'fortran_order': False") == std::string::npos) return wrong("expected C order");
  Dims dims;
  const char* at = header.c_str() + header.find('(', header.find("'shape'")) + 1;
  for (char* end = nullptr; *at && *at != ')'; at = *end == ',' ? end + 1 : end) {
    dims.push_back(std::strtoll(at, &end, 10));
    if (end == at) return wrong("the shape cannot be read");
    while (*end == ' ') ++end;
  }
  FOVEA_TRY(const std::int64_t count, checked_element_count(dims));
  if (bytes.size() != begin + header_bytes + static_cast<std::size_t>(count) * size_of(dtype))
    return wrong("the elements do not fill the shape");
  Tensor out(dtype, dims);
  std::memcpy(out.raw(), bytes.data() + begin + header_bytes, out.bytes());
  return out;
}

}  // namespace fovea::test
