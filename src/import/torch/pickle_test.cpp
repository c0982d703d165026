#include "import/torch/pickle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "import/torch/crafted_bytes.h"
#include "import/torch/state.h"

namespace fovea::torch_import {
namespace {

using ::testing::HasSubstr;
using Kind = PickleValue::Kind;

Result<PickleDocument> read(const std::string& bytes) { return read_pickle(as_bytes(bytes), state_globals()); }
std::string error_of(const std::string& bytes) {
  const auto document = read(bytes);
  return document.ok() ? "no error" : document.error().text();
}

TEST(Pickle, Scalars) {
  const auto doc =
      read(kProto + "(K\x07M\x01\x02J\xff\xff\xff\xff" + std::string("\x8a\x00", 2) + "\x8a\x01\x80" + "G\x3f\xf8" +
           std::string(6, '\0') + "N\x88\x89" + text("é") + "C\x02" + std::string("a\0", 2) + "t.");
  ASSERT_TRUE(doc.ok()) << doc.error().text();
  const auto& items = (*doc)[doc->root].items;
  ASSERT_EQ(items.size(), 11u);
  EXPECT_EQ((*doc)[items[0]].integer, 7);
  EXPECT_EQ((*doc)[items[1]].integer, 0x201);
  EXPECT_EQ((*doc)[items[2]].integer, -1);
  EXPECT_EQ((*doc)[items[3]].integer, 0);
  EXPECT_EQ((*doc)[items[4]].integer, -128);
  EXPECT_EQ((*doc)[items[5]].real, 1.5);
  EXPECT_EQ((*doc)[items[6]].kind, Kind::kNone);
  EXPECT_EQ((*doc)[items[7]].integer, 1);
  EXPECT_EQ((*doc)[items[8]].integer, 0);
  EXPECT_EQ((*doc)[items[9]].text, "é");
  EXPECT_EQ((*doc)[items[10]].text, std::string("a\0", 2));
}

TEST(Pickle, ContainersMemoAndCycles) {
  // l = [1]; l.append(l); {"a": l, "b": (l, 2, 3)}
  const auto doc = read(kProto + "}(" + text("a") + "]q\x05(K\x01h\x05" + "e" + text("b") + "h\x05K\x02K\x03\x87u.");
  ASSERT_TRUE(doc.ok()) << doc.error().text();
  const auto& dict = (*doc)[doc->root];
  ASSERT_EQ(dict.items.size(), 4u);
  const PickleRef list = dict.items[1];
  ASSERT_EQ((*doc)[list].items.size(), 2u);
  EXPECT_EQ((*doc)[list].items[1], list) << "a list may contain itself";
  EXPECT_EQ((*doc)[dict.items[3]].items[0], list);
}

TEST(Pickle, CallsAreDataAndDictsAreFilled) {
  const auto doc = read(kProto + global("collections", "OrderedDict") + ")R(" + text("k") + "K\x01u}" + "b.");
  ASSERT_TRUE(doc.ok()) << doc.error().text();
  EXPECT_EQ((*doc)[doc->root].kind, Kind::kDict);
  EXPECT_EQ((*doc)[doc->root].items.size(), 2u);
}

TEST(Pickle, BytesReadEndsAtStop) {
  const auto doc = read(kProto + "N.trailing");
  ASSERT_TRUE(doc.ok());
  EXPECT_EQ(doc->bytes_read, 4u);
}

TEST(Pickle, RefusesEveryGlobalThatIsNotListed) {
  EXPECT_THAT(error_of(kProto + "cos\nsystem\n" + "(" + text("touch /tmp/owned") + "tR."),
              HasSubstr("byte 2: opcode GLOBAL › global 'os.system' is not allowed"));
  EXPECT_THAT(error_of(kProto + "cposix\nsystem\n)R."), HasSubstr("'posix.system'"));
  EXPECT_THAT(error_of(kProto + "cbuiltins\neval\n(" + text("1") + "tR."), HasSubstr("'builtins.eval'"));
  EXPECT_THAT(error_of(kProto + "c__builtin__\ngetattr\n)R."), HasSubstr("'__builtin__.getattr'"));
  EXPECT_THAT(error_of(std::string("\x80\x04") + text("os") + text("system") + "\x93)R."), HasSubstr("'os.system'"));
  EXPECT_THAT(error_of(kProto + "ctorch\nload\n)R."), HasSubstr("'torch.load'"));
  EXPECT_THAT(error_of(kProto + "ctorch._utils\n_rebuild_tensor_v2.__globals__\n)R."), HasSubstr("not allowed"));
}

TEST(Pickle, RefusesOpcodesThatBuildObjects) {
  EXPECT_THAT(error_of(kProto + "(ios\nsystem\n."), HasSubstr("opcode INST is not allowed"));
  EXPECT_THAT(error_of(kProto + "(o."), HasSubstr("opcode OBJ is not allowed"));
  EXPECT_THAT(error_of(kProto + global("collections", "OrderedDict") + ")\x81."), HasSubstr("opcode NEWOBJ"));
  EXPECT_THAT(error_of(kProto + "\x82\x01."), HasSubstr("opcode EXT1"));
  EXPECT_THAT(error_of(kProto + "Pid\n."), HasSubstr("opcode PERSID"));
  EXPECT_THAT(error_of(kProto + "\xfe."), HasSubstr("byte 2: 0xfe is not a pickle opcode"));
  EXPECT_THAT(error_of(kProto + "N}b."), HasSubstr("attributes of a Python object"));
}

TEST(Pickle, CallsOnlyWhatMayBeCalled) {
  EXPECT_THAT(error_of(kProto + global("torch", "FloatStorage") + ")R."), HasSubstr("may be named"));
  EXPECT_THAT(error_of(kProto + text("os.system") + ")R."), HasSubstr("expected a global on the stack"));
  EXPECT_THAT(error_of(kProto + global("collections", "OrderedDict") + "]R."), HasSubstr("expected a tuple"));
  EXPECT_THAT(error_of(kProto + global("collections", "OrderedDict") + "]\x85R."), HasSubstr("with arguments"));
}

TEST(Pickle, Truncated) {
  const std::string whole = dict_of(tensor(storage("FloatStorage", "0", 4), 0, {2, 2}, {2, 1}));
  ASSERT_TRUE(read(whole).ok());
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_FALSE(read(whole.substr(0, length)).ok()) << length;
}

TEST(Pickle, LiesAboutLengths) {
  EXPECT_THAT(error_of(std::string("\x80\x04\x95") + le(1u << 30, 8) + "N."), HasSubstr("a frame of 1073741824 bytes"));
  EXPECT_THAT(error_of(kProto + "X" + le(1000, 4) + "short."),
              HasSubstr("a string of 1000 bytes, but only 6 are left"));
  EXPECT_THAT(error_of(kProto + "X" + le(0xffffffff, 4)), HasSubstr("the limit is 1048576"));
  EXPECT_THAT(error_of(kProto + "\x8a\xff" + "12"), HasSubstr("a string of 255 bytes"));
  EXPECT_THAT(error_of(kProto + "c" + std::string(5000, 'm') + "\n"), HasSubstr("does not end within"));
  EXPECT_THAT(error_of("\x80\x7f."), HasSubstr("pickle protocol 127"));
}

TEST(Pickle, StackAndMarkErrors) {
  EXPECT_THAT(error_of(kProto + "."), HasSubstr("expected one value on the stack, found 0"));
  EXPECT_THAT(error_of(kProto + "NN."), HasSubstr("found 2"));
  EXPECT_THAT(error_of(kProto + "t."), HasSubstr("no MARK"));
  EXPECT_THAT(error_of(kProto + "(N."), HasSubstr("MARKs are left open"));
  EXPECT_THAT(error_of(kProto + "N\x86."), HasSubstr("expected 2 values"));
  EXPECT_THAT(error_of(kProto + "N(\x85."), HasSubstr("expected 1 values on the stack, found 0"))
      << "values below a MARK are out of reach";
  EXPECT_THAT(error_of(kProto + "}(Nu."), HasSubstr("do not make pairs"));
  EXPECT_THAT(error_of(kProto + "NNa."), HasSubstr("expected a list on the stack, found a None"));
  EXPECT_THAT(error_of(kProto + "h\x03."), HasSubstr("memo slot 3 was never set"));
  EXPECT_THAT(error_of(kProto + "q\x03."), HasSubstr("the stack is empty"));
}

TEST(Pickle, Bombs) {
  EXPECT_THAT(error_of(kProto + "Nr" + le(0xfffffff0, 4) + "."),
              HasSubstr("memo slot 4294967280; the limit is 1000000"));
  EXPECT_THAT(error_of(kProto + std::string(20'000, 'N') + "."), HasSubstr("more than 10000 values on the stack"));
  EXPECT_THAT(error_of(kProto + std::string(20'000, '(') + "."), HasSubstr("more than 10000 open MARKs"));
  std::string values = kProto;
  for (int i = 0; i < 1'000'010; ++i) values += "N0";
  EXPECT_THAT(error_of(values + "N."), HasSubstr("more than 1000000 values"));
  // Nesting 500,000 deep must neither recurse nor fail to be freed.
  std::string nested = kProto + "N";
  for (int i = 0; i < 500'000; ++i) nested += "\x85";
  EXPECT_EQ(error_of(nested + "."), "no error");
}

}  // namespace
}  // namespace fovea::torch_import
