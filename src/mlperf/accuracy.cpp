#include "mlperf/accuracy.h"

#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

namespace fovea::mlperf {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

Result<std::vector<std::byte>> parse_hex(const std::string& text) {
  if (text.size() % 2 != 0) return bad_input("data: expected pairs of hex digits, found {} digits", text.size());
  std::vector<std::byte> bytes(text.size() / 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return bad_input("data: expected hex digits, found '{}'", text.substr(2 * i, 2));
    bytes[i] = static_cast<std::byte>(high * 16 + low);
  }
  return bytes;
}

Result<LoggedResponse> parse_response(std::string line) {
  if (!line.empty() && line.back() == ',') line.pop_back();
  const nlohmann::json json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object()) return bad_input("expected a JSON object, found '{}'", line.substr(0, 60));
  for (const char* key : {"seq_id", "qsl_idx"})
    if (!json.contains(key) || !json[key].is_number_unsigned()) return bad_input("'{}': expected a number", key);
  if (!json.contains("data") || !json["data"].is_string()) return bad_input("'data': expected text");
  LoggedResponse response{json["seq_id"].get<std::int64_t>(), json["qsl_idx"].get<std::size_t>(), {}};
  FOVEA_TRY(response.data, parse_hex(json["data"].get<std::string>()));
  return response;
}

class ImagenetEvaluator : public AccuracyEvaluator {
 public:
  ImagenetEvaluator(std::shared_ptr<const Dataset> dataset, ResponseType type)
      : dataset_(std::move(dataset)), type_(type) {}

  Status add(const LoggedResponse& response) override {
    if (response.index >= static_cast<std::size_t>(dataset_->size()))
      return bad_input("sample {} is outside the data set of {}", response.index, dataset_->size());
    if (!seen_.insert(response.index).second) return {};
    FOVEA_TRY(const std::int64_t answer, class_in(response));
    const int label = dataset_->get(static_cast<std::int64_t>(response.index)).label;
    if (label == kNoLabel) return bad_input("sample {} has no label", response.index);
    good_ += answer == label;
    return {};
  }

  AccuracyFigure figure() const override {
    const auto total = static_cast<std::int64_t>(seen_.size());
    AccuracyFigure f{total ? 100.0 * static_cast<double>(good_) / static_cast<double>(total) : 0.0, good_, total, ""};
    f.line = fmt::format("accuracy={:.3f}%, good={}, total={}", f.percent, f.good, f.total);
    return f;
  }

 private:
  Result<std::int64_t> class_in(const LoggedResponse& response) const {
    const std::size_t wanted = type_ == ResponseType::kInt64 ? 8 : 4;
    if (response.data.size() < wanted)
      return bad_input("sample {}: a response of {} bytes, expected {} ({})", response.index, response.data.size(),
                       wanted, response_type_name(type_));
    const auto read = [&](auto value) {
      std::memcpy(&value, response.data.data(), sizeof value);
      return static_cast<std::int64_t>(value);
    };
    switch (type_) {
      case ResponseType::kInt32:
        return read(std::int32_t{});
      case ResponseType::kInt64:
        return read(std::int64_t{});
      case ResponseType::kFloat32:
        break;
    }
    float value = 0;
    std::memcpy(&value, response.data.data(), sizeof value);
    return value >= 0 && value < 1e6f ? static_cast<std::int64_t>(value) : -1;  // what is no class is a wrong one
  }

  std::shared_ptr<const Dataset> dataset_;
  ResponseType type_;
  std::set<std::size_t> seen_;
  std::int64_t good_ = 0;
};

}  // namespace

Status read_accuracy_log(const std::filesystem::path& file, const std::function<Status(const LoggedResponse&)>& visit) {
  std::ifstream in(file);
  if (!in) return bad_input("cannot open {}", file.string());
  std::string line;
  int number = 0;
  bool began = false, ended = false;
  while (std::getline(in, line)) {
    ++number;
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (line.empty()) continue;
    if (line == "[") {
      began = true;
      continue;
    }
    if (line == "]") {
      ended = true;
      continue;
    }
    const auto located = [&](Error error) {
      return std::move(error).within(fmt::format("{}, line {}", file.string(), number));
    };
    auto response = parse_response(line);
    if (!response.ok()) return located(std::move(response).error());
    if (Status status = visit(*response); !status.ok()) return located(std::move(status).error());
  }
  if (!began || !ended)
    return bad_input("{}: not the whole log of a run, its {} is missing", file.string(), began ? "end" : "beginning");
  return {};
}

std::unique_ptr<AccuracyEvaluator> imagenet_evaluator(std::shared_ptr<const Dataset> dataset, ResponseType type) {
  return std::make_unique<ImagenetEvaluator>(std::move(dataset), type);
}

Result<AccuracyFigure> evaluate_accuracy_log(const std::filesystem::path& file, AccuracyEvaluator& evaluator) {
  FOVEA_RETURN_IF_ERROR(
      read_accuracy_log(file, [&](const LoggedResponse& response) { return evaluator.add(response); }));
  const AccuracyFigure figure = evaluator.figure();
  if (figure.total == 0) return bad_input("{} holds no response", file.string());
  return figure;
}

Result<std::map<std::size_t, std::vector<std::byte>>> responses_by_sample(const std::filesystem::path& file) {
  std::map<std::size_t, std::vector<std::byte>> all;
  FOVEA_RETURN_IF_ERROR(read_accuracy_log(file, [&](const LoggedResponse& response) {
    all.emplace(response.index, response.data);
    return Status();
  }));
  return all;
}

}  // namespace fovea::mlperf
