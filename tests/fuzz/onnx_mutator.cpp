#include "tests/fuzz/onnx_mutator.h"

#include <google/protobuf/message.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace fovea::fuzz {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

template <class T, std::size_t N>
const T& pick(const T (&values)[N], Rng& rng) {
  return values[rng.below(N)];
}

std::int64_t odd_integer(Rng& rng) {
  constexpr std::int64_t kOdd[] = {0,
                                   1,
                                   -1,
                                   2,
                                   3,
                                   7,
                                   8,
                                   -2,
                                   16,
                                   17,
                                   64,
                                   255,
                                   256,
                                   1000,
                                   4096,
                                   -128,
                                   1 << 16,
                                   1 << 20,
                                   1 << 30,
                                   -(1 << 30),
                                   2147483647,
                                   -2147483648LL,
                                   2147483648LL,
                                   4294967295LL,
                                   1LL << 40,
                                   1LL << 46,
                                   1LL << 62,
                                   std::numeric_limits<std::int64_t>::max(),
                                   std::numeric_limits<std::int64_t>::min()};
  return rng.below(3) == 0 ? static_cast<std::int64_t>(rng.below(12)) : pick(kOdd, rng);
}

float odd_float(Rng& rng) {
  const float kOdd[] = {0.0f,   -0.0f,         1.0f,          -1.0f,    0.5f,      1e-30f,  1e30f, -1e30f, 3e38f,
                        1e-45f, 2147483648.0f, std::nanf(""), INFINITY, -INFINITY, 1000.0f, 0.1f,  1e10f};
  return pick(kOdd, rng);
}

std::string odd_text(Rng& rng) {
  static const std::string kOdd[] = {"",
                                     "x",
                                     "y",
                                     "Conv",
                                     "Add",
                                     "Concat",
                                     "Reshape",
                                     "Loop",
                                     "If",
                                     "Resize",
                                     "Softmax",
                                     "Shape",
                                     "ReduceMean",
                                     "Slice",
                                     "Pad",
                                     "Expand",
                                     "Tile",
                                     "Gather",
                                     "Cast",
                                     "Constant",
                                     "MatMul",
                                     "NonMaxSuppression",
                                     "AveragePool",
                                     "TopK",
                                     "Range",
                                     "SAME_LOWER",
                                     "VALID",
                                     "cubic",
                                     "reflect",
                                     "edge",
                                     "wrap",
                                     "tf_crop_and_resize",
                                     "align_corners",
                                     "axis",
                                     "axes",
                                     "pads",
                                     "kernel_shape",
                                     "strides",
                                     "../x",
                                     "ai.onnx",
                                     "com.microsoft",
                                     std::string("a\0b", 3),
                                     "\xff\xfe",
                                     std::string(300, 'n'),
                                     "N",
                                     "location"};
  return pick(kOdd, rng);
}

// --- the serialised form
// ----------------------------------------------------------------------------------------------

std::size_t position(const Bytes& bytes, Rng& rng) { return bytes.empty() ? 0 : rng.below(bytes.size()); }

void flip_bits(Bytes& bytes, Rng& rng) {
  for (std::uint64_t n = 1 + rng.below(8); n > 0 && !bytes.empty(); --n)
    bytes[position(bytes, rng)] ^= std::byte(1u << rng.below(8));
}

void overwrite_run(Bytes& bytes, Rng& rng) {
  const std::size_t at = position(bytes, rng), n = std::min<std::size_t>(1 + rng.below(32), bytes.size() - at);
  const std::uint64_t kind = rng.below(3);
  for (std::size_t i = 0; i < n; ++i)
    bytes[at + i] = kind == 0 ? std::byte{0} : kind == 1 ? std::byte{0xff} : std::byte(rng.below(256));
}

void truncate(Bytes& bytes, Rng& rng) { bytes.resize(position(bytes, rng)); }

void splice(Bytes& bytes, const Bytes& other, Rng& rng) {
  const std::size_t from = position(other, rng), n = std::min<std::size_t>(1 + rng.below(400), other.size() - from);
  const auto begin = other.begin() + static_cast<std::ptrdiff_t>(from);
  bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(position(bytes, rng)), begin,
               begin + static_cast<std::ptrdiff_t>(n));
}

void remove_run(Bytes& bytes, Rng& rng) {
  const std::size_t at = position(bytes, rng), n = std::min<std::size_t>(1 + rng.below(64), bytes.size() - at);
  const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(at);
  bytes.erase(begin, begin + static_cast<std::ptrdiff_t>(n));
}

// Replaces a byte that may be a length or a number by another number in the wire form.
void replace_varint(Bytes& bytes, Rng& rng) {
  const auto at = bytes.begin() + static_cast<std::ptrdiff_t>(position(bytes, rng));
  if (at == bytes.end()) return;
  Bytes varint;
  for (auto v = static_cast<std::uint64_t>(odd_integer(rng)); true; v >>= 7) {
    varint.push_back(std::byte((v & 127) | (v > 127 ? 128 : 0)));
    if (v <= 127) break;
  }
  bytes.insert(bytes.erase(at), varint.begin(), varint.end());
}

void mutate_bytes(Bytes& bytes, const std::vector<Seed>& seeds, Rng& rng) {
  for (std::uint64_t n = 1 + rng.below(3); n > 0 && !bytes.empty(); --n) switch (rng.below(6)) {
      case 0:
        flip_bits(bytes, rng);
        break;
      case 1:
        overwrite_run(bytes, rng);
        break;
      case 2:
        truncate(bytes, rng);
        break;
      case 3:
        splice(bytes, seeds[rng.below(seeds.size())].bytes, rng);
        break;
      case 4:
        remove_run(bytes, rng);
        break;
      default:
        replace_varint(bytes, rng);
        break;
    }
}

// --- the parsed message
// -----------------------------------------------------------------------------------------------

// Every message within `message`, itself included.
void collect(Message& message, std::vector<Message*>& out) {
  out.push_back(&message);
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      collect(*reflection.MutableMessage(&message, field), out);
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i)
      collect(*reflection.MutableRepeatedMessage(&message, field, i), out);
  }
}

void mutate_text(std::string& text, Rng& rng, const std::vector<std::string>& names) {
  switch (rng.below(4)) {
    case 0:
      text = odd_text(rng);
      break;
    case 1:
      text.resize(text.size() / 2);
      break;
    case 2:
      text += text.substr(0, rng.below(9));
      break;
    default:
      text = names.empty() ? "" : names[rng.below(names.size())];
      break;
  }
}

// One value, or one element of a list.
void mutate_value(Message& m, const FieldDescriptor* f, int i, Rng& rng, const std::vector<std::string>& names) {
  const Reflection& r = *m.GetReflection();
  const bool many = f->is_repeated();
  switch (f->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32: {
      const auto v = static_cast<std::int32_t>(odd_integer(rng));
      many ? r.SetRepeatedInt32(&m, f, i, v) : r.SetInt32(&m, f, v);
      break;
    }
    case FieldDescriptor::CPPTYPE_INT64: {
      const std::int64_t v = odd_integer(rng);
      many ? r.SetRepeatedInt64(&m, f, i, v) : r.SetInt64(&m, f, v);
      break;
    }
    case FieldDescriptor::CPPTYPE_UINT64: {
      const auto v = static_cast<std::uint64_t>(odd_integer(rng));
      many ? r.SetRepeatedUInt64(&m, f, i, v) : r.SetUInt64(&m, f, v);
      break;
    }
    case FieldDescriptor::CPPTYPE_BOOL: {
      const bool v = rng.below(2) == 0;
      many ? r.SetRepeatedBool(&m, f, i, v) : r.SetBool(&m, f, v);
      break;
    }
    case FieldDescriptor::CPPTYPE_FLOAT: {
      const float v = odd_float(rng);
      many ? r.SetRepeatedFloat(&m, f, i, v) : r.SetFloat(&m, f, v);
      break;
    }
    case FieldDescriptor::CPPTYPE_ENUM: {
      if (!many)
        r.SetEnumValue(
            &m, f,
            f->enum_type()
                ->value(static_cast<int>(rng.below(static_cast<std::uint64_t>(f->enum_type()->value_count()))))
                ->number());
      break;
    }
    case FieldDescriptor::CPPTYPE_STRING: {
      std::string v = many ? r.GetRepeatedString(m, f, i) : r.GetString(m, f);
      mutate_text(v, rng, names);
      many ? r.SetRepeatedString(&m, f, i, v) : r.SetString(&m, f, v);
      break;
    }
    default:
      break;
  }
}

void append_value(Message& m, const FieldDescriptor* f, Rng& rng) {
  const Reflection& r = *m.GetReflection();
  switch (f->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      r.AddInt32(&m, f, static_cast<std::int32_t>(odd_integer(rng)));
      break;
    case FieldDescriptor::CPPTYPE_INT64:
      r.AddInt64(&m, f, odd_integer(rng));
      break;
    case FieldDescriptor::CPPTYPE_UINT64:
      r.AddUInt64(&m, f, static_cast<std::uint64_t>(odd_integer(rng)));
      break;
    case FieldDescriptor::CPPTYPE_FLOAT:
      r.AddFloat(&m, f, odd_float(rng));
      break;
    case FieldDescriptor::CPPTYPE_STRING:
      r.AddString(&m, f, odd_text(rng));
      break;
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      // A copy of an element that is there, or an empty one.
      const int n = r.FieldSize(m, f);
      Message* copy = r.AddMessage(&m, f);
      if (n > 0 && rng.below(4) > 0)
        copy->CopyFrom(r.GetRepeatedMessage(m, f, static_cast<int>(rng.below(static_cast<std::uint64_t>(n)))));
      break;
    }
    default:
      break;
  }
}

void mutate_list(Message& m, const FieldDescriptor* f, Rng& rng, const std::vector<std::string>& names) {
  const Reflection& r = *m.GetReflection();
  const int n = r.FieldSize(m, f);
  const auto any = [&] { return static_cast<int>(rng.below(static_cast<std::uint64_t>(n))); };
  const std::uint64_t action = rng.below(8);
  if (n == 0 || action == 0) return append_value(m, f, rng);
  if (action == 1) return r.RemoveLast(&m, f);
  if (action == 2) return r.SwapElements(&m, f, any(), any());
  if (action == 3) return r.ClearField(&m, f);
  if (action == 4 && n < 64) {  // many
    for (std::uint64_t copies = rng.below(40); copies > 0; --copies) append_value(m, f, rng);
    return;
  }
  mutate_value(m, f, any(), rng, names);
}

void mutate_field(Message& m, Rng& rng, const std::vector<std::string>& names) {
  const auto& descriptor = *m.GetDescriptor();
  const Reflection& r = *m.GetReflection();
  std::vector<const FieldDescriptor*> present;
  r.ListFields(m, &present);
  const FieldDescriptor* f =
      present.empty() || rng.below(8) == 0
          ? descriptor.field(static_cast<int>(rng.below(static_cast<std::uint64_t>(descriptor.field_count()))))
          : present[rng.below(present.size())];
  if (f->is_repeated()) return mutate_list(m, f, rng, names);
  if (rng.below(10) == 0) return r.ClearField(&m, f);
  if (f->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    r.MutableMessage(&m, f);  // an empty one, where there was none
    return;
  }
  mutate_value(m, f, 0, rng, names);
}

bool mutate_fields(Bytes& bytes, Rng& rng, Message& message, std::vector<std::string> (*names_of)(const Message&)) {
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return false;
  const std::vector<std::string> names = names_of(message);
  for (std::uint64_t n = 1 + rng.below(3); n > 0; --n) {
    std::vector<Message*> messages;
    collect(message, messages);
    mutate_field(*messages[rng.below(messages.size())], rng, names);
  }
  const std::string text = message.SerializeAsString();
  bytes.resize(text.size());
  if (!text.empty()) std::memcpy(bytes.data(), text.data(), text.size());
  return true;
}

// Of values, so that edges are rewired and not only cut.
std::vector<std::string> value_names(const Message& message) {
  const auto& graph = static_cast<const onnx::ModelProto&>(message).graph();
  std::vector<std::string> names;
  for (const auto& node : graph.node()) names.insert(names.end(), node.output().begin(), node.output().end());
  for (const auto& tensor : graph.initializer()) names.push_back(tensor.name());
  return names;
}

}  // namespace

Bytes mutate_message(const std::vector<Seed>& seeds, std::size_t index, Rng& rng, Message& scratch,
                     std::vector<std::string> (*names_of)(const Message&)) {
  Bytes bytes = seeds[index % seeds.size()].bytes;
  // Most byte mutants end in the wire format; fields reach what lies behind it.
  if (rng.below(4) == 0 || !mutate_fields(bytes, rng, scratch, names_of)) mutate_bytes(bytes, seeds, rng);
  return bytes;
}

Bytes mutate_onnx(const std::vector<Seed>& seeds, std::size_t index, Rng& rng) {
  onnx::ModelProto model;
  return mutate_message(seeds, index, rng, model, value_names);
}

}  // namespace fovea::fuzz
