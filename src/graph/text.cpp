#include "graph/text.h"

#include <charconv>
#include <cmath>
#include <set>

#include "base/rng.h"
#include "base/sha256.h"

namespace fovea {
namespace {

std::string quoted(const std::string& s) {
  std::string out = "\"";
  for (char c : s) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string tensor_text(const Tensor& t, const TextOptions& options) {
  if (!options.constant_values) return "";
  if (t.count() > 16)
    return " = sha(" +
           sha256_hex({static_cast<const std::byte*>(t.raw()), t.bytes()}).substr(0, 8) + ")";
  std::string out = " = {";
  if (is_float(t.dtype())) {
    for (float v : t.to_floats()) out += fmt::format("{}{}", out.back() == '{' ? "" : ", ", v);
  } else {
    for (std::int64_t v : t.to_int64s()) out += fmt::format("{}{}", out.back() == '{' ? "" : ", ", v);
  }
  return out + "}";
}

}  // namespace

std::string attribute_text(const Attribute& attribute) {
  struct Visitor {
    std::string operator()(std::int64_t v) const { return std::to_string(v); }
    std::string operator()(float v) const {
      std::string s = fmt::format("{}", v);
      return s.find_first_of(".en") == std::string::npos ? s + ".0" : s;  // "1.0", so that it reads back as a float
    }
    std::string operator()(const std::string& v) const { return quoted(v); }
    std::string operator()(const std::vector<std::int64_t>& v) const { return fmt::format("[{}]", fmt::join(v, ",")); }
    std::string operator()(const std::vector<float>& v) const {
      std::vector<std::string> parts;
      for (float f : v) parts.push_back((*this)(f));
      return fmt::format("[{}]", fmt::join(parts, ","));
    }
    std::string operator()(const std::vector<std::string>& v) const {
      std::vector<std::string> parts;
      for (const auto& s : v) parts.push_back(quoted(s));
      return fmt::format("[{}]", fmt::join(parts, ","));
    }
    std::string operator()(const std::shared_ptr<const Tensor>& v) const { return "tensor " + v->type().text(); }
  };
  return std::visit(Visitor{}, attribute);
}

namespace {

std::string value_name(const Graph& graph, ValueId id) { return id == kNoValue ? "_" : graph.value(id).name; }

std::string node_text(const Graph& graph, const Node& node, const TextOptions& options) {
  std::string line;
  for (ValueId v : node.outputs) {
    if (!line.empty()) line += ", ";
    line += value_name(graph, v);
    if (v == kNoValue) continue;
    line += ": " + graph.value(v).type.text();
    if (options.layouts && graph.value(v).layout == Layout::kChannelsLast) line += " channels_last";
  }
  line += " = " + node.op;
  if (node.outputs.empty() || node.name != value_name(graph, node.outputs[0])) line += "@" + node.name;
  line += "(";
  for (std::size_t i = 0; i < node.inputs.size(); ++i) line += (i ? ", " : "") + value_name(graph, node.inputs[i]);
  line += ")";
  std::string attributes;
  for (const auto& [name, attribute] : node.attributes)
    attributes += (attributes.empty() ? "" : ", ") + name + "=" + attribute_text(attribute);
  return attributes.empty() ? line : line + " {" + attributes + "}";
}

// A cursor over one line of the text form.
class Scanner {
 public:
  explicit Scanner(std::string_view line) : rest_(line) {}
  void skip_space() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\t' || rest_[0] == '\r')) rest_.remove_prefix(1);
  }
  bool take(std::string_view token) {
    skip_space();
    if (rest_.substr(0, token.size()) != token) return false;
    rest_.remove_prefix(token.size());
    return true;
  }
  // A name: everything up to one of the form's separators.
  std::string name() {
    skip_space();
    const auto end = rest_.find_first_of(" \t\r,:=(){}[]@\"");
    std::string out(rest_.substr(0, end));
    rest_.remove_prefix(out.size());
    return out;
  }
  Result<std::string> text() {
    if (!take("\"")) return bad_input("expected a quoted text at '{}'", rest_);
    std::string out;
    while (!rest_.empty() && rest_[0] != '"') {
      if (rest_[0] == '\\' && rest_.size() > 1) rest_.remove_prefix(1);
      out += rest_[0];
      rest_.remove_prefix(1);
    }
    if (!take("\"")) return bad_input("a quoted text has no end");
    return out;
  }
  Result<double> number() {
    skip_space();
    double v = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), v);
    if (error != std::errc()) return bad_input("expected a number at '{}'", rest_);
    last_was_integer_ = rest_.substr(0, static_cast<std::size_t>(end - rest_.data())).find_first_of(".enf") == std::string_view::npos;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return v;
  }
  bool last_was_integer() const { return last_was_integer_; }
  bool at_end() {
    skip_space();
    return rest_.empty() || rest_[0] == '#';
  }
  char peek() {
    skip_space();
    return rest_.empty() ? '\0' : rest_[0];
  }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  bool last_was_integer_ = false;
};

Result<TensorType> scan_type(Scanner& s) {
  const std::string name = s.name();
  const auto dtype = parse_dtype(name);
  if (!dtype) return bad_input("unknown element type '{}'", name);
  if (!s.take("[")) return bad_input("expected '[' behind {}", name);
  if (s.take("*")) {
    if (!s.take("]")) return bad_input("expected ']' behind '*'");
    return TensorType{*dtype, Shape()};
  }
  std::vector<Dim> dims;
  while (!s.take("]")) {
    if (!dims.empty() && !s.take(",")) return bad_input("expected ',' or ']' at '{}'", s.rest());
    if (s.peek() >= '0' && s.peek() <= '9') {
      FOVEA_TRY(const double extent, s.number());
      dims.emplace_back(static_cast<std::int64_t>(extent));
    } else {
      const std::string symbol = s.name();
      if (symbol.empty()) return bad_input("expected an extent at '{}'", s.rest());
      dims.push_back(symbol == "?" ? Dim() : Dim::symbolic(symbol));
    }
  }
  return TensorType{*dtype, Shape(std::move(dims))};
}

Result<Attribute> scan_attribute(Scanner& s) {
  if (s.peek() == '"') {
    FOVEA_TRY(std::string text, s.text());
    return Attribute(std::move(text));
  }
  if (!s.take("[")) {
    FOVEA_TRY(const double v, s.number());
    return s.last_was_integer() ? Attribute(static_cast<std::int64_t>(v)) : Attribute(static_cast<float>(v));
  }
  std::vector<double> numbers;
  std::vector<std::string> texts;
  bool integers = true;
  while (!s.take("]")) {
    if (!(numbers.empty() && texts.empty()) && !s.take(",")) return bad_input("expected ',' or ']' at '{}'", s.rest());
    if (s.peek() == '"') {
      FOVEA_TRY(std::string text, s.text());
      texts.push_back(std::move(text));
    } else {
      FOVEA_TRY(const double v, s.number());
      numbers.push_back(v);
      integers = integers && s.last_was_integer();
    }
  }
  if (!texts.empty()) return Attribute(std::move(texts));
  if (integers) return Attribute(std::vector<std::int64_t>(numbers.begin(), numbers.end()));
  return Attribute(std::vector<float>(numbers.begin(), numbers.end()));
}

Tensor seeded_tensor(const TensorType& type, const Dims& dims, std::uint64_t seed) {
  Tensor t(DType::kF32, dims);
  Rng rng(seed);
  const float fan_in = static_cast<float>(dims.size() > 1 && t.count() > 0 ? t.count() / dims[0] : 1);
  for (float& v : t.as<float>()) v = rng.normal() / std::sqrt(fan_in);
  return is_float(type.dtype) ? t.cast(type.dtype) : [&] {
    for (float& v : t.as<float>()) v = std::round(v * std::sqrt(fan_in) * 20);
    return t.cast(type.dtype);
  }();
}

Result<Tensor> scan_constant(Scanner& s, const TensorType& type) {
  const auto dims = type.shape.fixed();
  if (!dims) return bad_input("a constant needs a fixed shape, found {}", type.text());
  FOVEA_TRY(const std::int64_t count, checked_element_count(*dims));
  if (count > (1 << 28)) return bad_input("a constant of {} elements is too large for the text form", count);
  if (!s.take("=") || s.take("zeros")) return Tensor::zeros(type.dtype, *dims);
  if (s.take("seed(")) {
    FOVEA_TRY(const double seed, s.number());
    s.take(")");
    return seeded_tensor(type, *dims, static_cast<std::uint64_t>(seed));
  }
  std::vector<double> values;
  if (s.take("splat(")) {
    FOVEA_TRY(const double v, s.number());
    s.take(")");
    values.assign(static_cast<std::size_t>(count), v);
  } else {
    if (!s.take("{")) return bad_input("expected '{{', 'splat', 'seed' or 'zeros' at '{}'", s.rest());
    while (!s.take("}")) {
      if (!values.empty() && !s.take(",")) return bad_input("expected ',' or '}}' at '{}'", s.rest());
      FOVEA_TRY(const double v, s.number());
      values.push_back(v);
    }
  }
  if (static_cast<std::int64_t>(values.size()) != count)
    return bad_input("{} values for {} elements", values.size(), count);
  return Tensor::of<double>(*dims, values).cast(type.dtype);
}

// Reads the lines one by one into a builder, resolving names; forward references are not allowed.
class TextReader {
 public:
  Status line(std::string_view text) {
    Scanner s(text);
    if (s.at_end()) return {};
    if (s.take("graph ")) return void(builder_.graph().name = s.name()), Status();
    if (s.take("input ")) return read_input(s);
    if (s.take("const ")) return read_constant(s);
    if (s.take("output ")) return read_output(s);
    return read_node(s);
  }
  Result<Graph> finish() && { return std::move(builder_).finish(); }

 private:
  Result<ValueId> find(const std::string& name) {
    const auto found = values_.find(name);
    if (found == values_.end()) return bad_input("no value is called '{}' above this line", name);
    return found->second;
  }
  Status remember(const std::string& name, ValueId id) {
    if (!values_.emplace(name, id).second) return bad_input("two values are called '{}'", name);
    return {};
  }
  Status read_input(Scanner& s) {
    const std::string name = s.name();
    if (!s.take(":")) return bad_input("expected ': type' behind input {}", name);
    FOVEA_TRY(TensorType type, scan_type(s));
    return remember(name, builder_.input(name, std::move(type)));
  }
  Status read_constant(Scanner& s) {
    const std::string name = s.name();
    if (!s.take(":")) return bad_input("expected ': type' behind const {}", name);
    FOVEA_TRY(const TensorType type, scan_type(s));
    FOVEA_TRY(Tensor tensor, scan_constant(s, type));
    return remember(name, builder_.constant(name, std::move(tensor)));
  }
  Status read_output(Scanner& s) {
    const std::string name = s.name();
    FOVEA_TRY(const ValueId id, find(s.take("=") ? s.name() : name));
    builder_.output(name, id);
    return {};
  }
  Status read_node(Scanner& s) {
    std::vector<ValueId> outputs;
    std::string first_output;
    do {
      const std::string name = s.name();
      if (name.empty()) return bad_input("expected a name at '{}'", s.rest());
      if (first_output.empty()) first_output = name;
      outputs.push_back(name == "_" ? kNoValue : builder_.declare(name));
      if (name != "_") FOVEA_RETURN_IF_ERROR(remember(name, outputs.back()));
      if (s.take(":")) {
        FOVEA_TRY(TensorType type, scan_type(s));
        if (name != "_") builder_.set_type(outputs.back(), std::move(type));
        s.take("channels_last");
      }
    } while (s.take(","));
    if (!s.take("=")) return bad_input("expected '=' at '{}'", s.rest());
    const std::string op = s.name();
    const std::string node_name = s.take("@") ? s.name() : first_output;
    if (!s.take("(")) return bad_input("expected '(' behind {}", op);
    std::vector<ValueId> inputs;
    while (!s.take(")")) {
      if (!inputs.empty() && !s.take(",")) return bad_input("expected ',' or ')' at '{}'", s.rest());
      const std::string name = s.name();
      if (name == "_") {
        inputs.push_back(kNoValue);
        continue;
      }
      FOVEA_TRY(const ValueId id, find(name));
      inputs.push_back(id);
    }
    Attributes attributes;
    if (s.take("{"))
      while (!s.take("}")) {
        if (!attributes.empty() && !s.take(",")) return bad_input("expected ',' or '}}' at '{}'", s.rest());
        const std::string name = s.name();
        if (!s.take("=")) return bad_input("expected '=' behind attribute {}", name);
        FOVEA_TRY(Attribute attribute, scan_attribute(s));
        attributes[name] = std::move(attribute);
      }
    if (!s.at_end()) return bad_input("unexpected '{}'", s.rest());
    builder_.define(op, node_name, std::move(inputs), std::move(outputs), std::move(attributes));
    return {};
  }

  GraphBuilder builder_{"graph"};
  std::map<std::string, ValueId> values_;
};

}  // namespace

std::string to_text(const Graph& graph, const TextOptions& options) {
  std::string out = "graph " + graph.name + "\n";
  const auto uses = graph.uses();
  for (ValueId id : graph.inputs()) out += "input " + graph.value(id).name + ": " + graph.value(id).type.text() + "\n";
  for (ValueId id = 0; id < static_cast<ValueId>(graph.values().size()); ++id) {
    const Value& v = graph.value(id);
    if (v.is_constant() && (!uses[static_cast<std::size_t>(id)].empty() || graph.is_output(id)))
      out += "const " + v.name + ": " + v.type.text() + tensor_text(*v.constant, options) + "\n";
  }
  for (NodeId id : graph.topological_order()) out += node_text(graph, graph.node(id), options) + "\n";
  for (const GraphOutput& output : graph.outputs()) {
    const std::string& value = graph.value(output.value).name;
    out += "output " + output.name + (value == output.name ? "" : " = " + value) + "\n";
  }
  return out;
}

Result<Graph> parse_graph(std::string_view text) {
  TextReader reader;
  for (int number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (Status status = reader.line(line); !status.ok())
      return std::move(status).error().within(fmt::format("graph text line {}", number));
  }
  return std::move(reader).finish();
}

}  // namespace fovea
