// Reads PyTorch checkpoints (state dicts saved with torch.save) without executing anything that they contain.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace fovea {

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

// The tensors of a checkpoint, in the order of the file.
class TorchCheckpoint {
 public:
  // The name must be new.
  void add(std::string name, Tensor tensor);
  const std::vector<NamedTensor>& tensors() const { return tensors_; }
  const Tensor* find(const std::string& name) const;  // nullptr if there is none; valid as long as the checkpoint
  // Leaves that are no tensors (epoch numbers, settings): counted, not kept.
  std::int64_t skipped_values = 0;

 private:
  std::vector<NamedTensor> tensors_;
  std::map<std::string, std::size_t> index_;
};

// Reads a file of the zip format (PyTorch 1.6 and later) or of the legacy format. Tensors become dense and row-major;
// keys of nested dicts are joined with '.' ("state_dict.conv1.weight"). Whole pickled modules, TorchScript archives,
// compressed archives and big-endian files are refused with the reason. Memory is bounded by five times the file's
// size.
Result<TorchCheckpoint> read_torch_checkpoint(const std::filesystem::path& path);

// The same from memory.
Result<TorchCheckpoint> parse_torch_checkpoint(std::span<const std::byte> bytes);

}  // namespace fovea
