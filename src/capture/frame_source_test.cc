#include "capture/frame_source.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "capture/octet_source.h"
#include "support/capture_builder.h"

namespace glasspost::capture {
namespace {

namespace fs = std::filesystem;
using support::PcapForm;
using support::PcapHeader;
using support::PcapngBuilder;
using support::PcapRecord;
using support::See;
using support::SeenFrame;

class FrameSourceTest : public ::testing::Test {
 protected:
  FrameSourceTest() {
    std::string name = fs::temp_directory_path() / "glasspost_frames_XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~FrameSourceTest() override { fs::remove_all(folder_); }
  std::string File(const std::string& name, Octets octets) const {
    const std::string path = folder_ / name;
    std::ofstream(path, std::ios::binary) << octets;
    return path;
  }
  fs::path folder_;
};

struct Result {
  std::vector<SeenFrame> frames;
  std::vector<std::string> errors;  // of Next
  std::vector<std::string> faults;  // file names without folder, offset, what
  bool operator==(const Result&) const = default;
};

Result ReadAll(FrameSource& source) {
  Result result;
  FrameBatch batch;
  for (;;) {
    const Expected<bool> more = source.Next(batch);
    if (!more) {
      EXPECT_TRUE(batch.frames.empty());
      result.errors.push_back(more.error().what);
      EXPECT_FALSE(more.error().where.empty());
      continue;
    }
    if (!*more) break;
    EXPECT_FALSE(batch.frames.empty());
    for (const RawFrame& frame : batch.frames) result.frames.push_back(See(frame));
  }
  EXPECT_EQ(source.frames(), result.frames.size());
  for (const CaptureFault& fault : source.faults()) {
    result.faults.push_back(fmt::format("{} {}: {}", fs::path(fault.file).filename().string(), fault.offset, fault.error.what));
    EXPECT_TRUE(fault.error.where.find(fmt::format("octet {}", fault.offset)) != std::string::npos) << fault.error.where;
  }
  return result;
}
FrameSource::Options Batches(std::size_t octets) {
  FrameSource::Options options;
  options.batch_octets = octets;
  return options;
}
Result ReadAll(const std::vector<std::string>& files, std::size_t batch_octets = std::size_t{1} << 20) {
  FrameSource source(files, Batches(batch_octets));
  return ReadAll(source);
}

std::vector<std::string> Records(std::size_t count) {
  std::vector<std::string> records;
  for (std::size_t i = 0; i < count; ++i)
    records.push_back(
        PcapRecord({}, static_cast<std::uint32_t>(i), 7, std::string(i * 37 % 300, static_cast<char>('a' + i % 26))));
  return records;
}
std::string Join(const std::vector<std::string>& parts, std::size_t begin = 0, std::size_t end = ~std::size_t{0}) {
  std::string all;
  for (std::size_t i = begin; i < std::min(end, parts.size()); ++i) all += parts[i];
  return all;
}

std::string Gzip(Octets text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = const_cast<Bytef*>(AsBytes(text).data());
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}
std::string Zstd(Octets text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

TEST_F(FrameSourceTest, BatchesOfAnySizeGiveTheSameFrames) {
  const std::string file = File("a.pcap", PcapHeader() + Join(Records(200)));
  const Result whole = ReadAll({file});
  EXPECT_EQ(whole.frames.size(), 200U);
  EXPECT_TRUE(whole.faults.empty() && whole.errors.empty());
  for (const std::size_t batch : {1, 2, 7, 16, 24, 100, 315, 316, 317, 4096, 30000})
    EXPECT_EQ(ReadAll({file}, batch), whole) << batch;
}

TEST_F(FrameSourceTest, AnySplitOverFilesGivesTheSameFrames) {
  const std::vector<std::string> records = Records(12);
  const Result whole = ReadAll({File("whole", PcapHeader() + Join(records))});
  for (std::size_t a = 0; a <= records.size(); ++a)
    for (std::size_t b = a; b <= records.size(); ++b)
      EXPECT_EQ(ReadAll({File("1", PcapHeader() + Join(records, 0, a)), File("2", PcapHeader() + Join(records, a, b)),
                         File("3.gz", Gzip(PcapHeader() + Join(records, b)))}),
                whole);
}

TEST_F(FrameSourceTest, BatchesLiveSideBySide) {
  FrameSource source({File("a", PcapHeader() + Join(Records(50)))}, Batches(500));
  std::vector<FrameBatch> batches;
  for (;;) {
    FrameBatch batch;
    if (!source.Next(batch).value()) break;
    batches.push_back(std::move(batch));
  }
  EXPECT_GT(batches.size(), 5U);
  const Result whole = ReadAll({File("a", PcapHeader() + Join(Records(50)))});
  std::size_t i = 0;
  for (const FrameBatch& batch : batches)
    for (const RawFrame& frame : batch.frames) EXPECT_EQ(See(frame), whole.frames[i++]);
  EXPECT_EQ(i, 50U);
}

TEST_F(FrameSourceTest, ALargeFrameMakesTheBufferGrowAndShrinkAgain) {
  const PcapForm form;
  const std::string large(3 << 20, 'L');
  const std::string file = File("a", PcapHeader() + PcapRecord(form, 1, 0, "a") + PcapRecord(form, 2, 0, large) +
                                         PcapRecord(form, 3, 0, "b") + Join(Records(200)));
  FrameSource source({file}, Batches(4096));
  FrameBatch batch;
  std::size_t largest = 0;
  std::size_t frames = 0;
  while (source.Next(batch).value()) {
    for (const RawFrame& frame : batch.frames) frames += frame.octets.size() != large.size() || AsOctets(frame.octets) == large;
    largest = std::max(largest, batch.buffer.size());
  }
  EXPECT_EQ(frames, 203U);
  EXPECT_GE(largest, large.size());
  EXPECT_LE(largest, large.size() * 3);
  EXPECT_LE(batch.buffer.size(), 8192U * 4);
}

TEST_F(FrameSourceTest, FaultsEndTheirFileOnly) {
  const std::string good = PcapHeader() + Join(Records(3));
  const std::string bad_length = good + PcapRecord({}, 1, 0, 0x7fffffff, 1, "x") + Join(Records(3));
  const Result r = ReadAll({File("cut", good.substr(0, good.size() - 1)), File("bad", bad_length), File("good", good)}, 64);
  EXPECT_EQ(r.frames.size(), 2U + 3 + 3);
  EXPECT_EQ(r.frames.back().number, 8U);
  EXPECT_TRUE(r.errors.empty());
  EXPECT_EQ(r.faults,
            (std::vector<std::string>{
                "cut 93: the file ends inside its packet 3, after 89 of 90 octets",
                fmt::format("bad {}: packet length 2147483647 is beyond 16777216: the file is damaged here", good.size())}));
}

TEST_F(FrameSourceTest, WhatIsNoCaptureIsAnErrorAndTheNextFileIsRead) {
  const Result r = ReadAll({folder_ / "missing", File("empty", ""), File("text", "Hello there"), folder_,
                            File("xz",
                                 "\xfd"
                                 "7zXZ"),
                            File("short", "\xd4\xc3"), File("good", PcapHeader() + Join(Records(1)))});
  EXPECT_EQ(r.errors,
            (std::vector<std::string>{"cannot open: No such file or directory", "the file is empty",
                                      "is not a capture file: it begins with 48 65 6c 6c", "is a directory",
                                      "is xz data, not a capture file", "is not a capture file: it begins with d4 c3"}));
  EXPECT_EQ(r.frames.size(), 1U);
  EXPECT_TRUE(r.faults.empty());
  EXPECT_EQ(ReadAll({File("header", "\xd4\xc3\xb2\xa1")}).faults,
            (std::vector<std::string>{"header 0: the file ends inside its header, after 4 of 24 octets"}));
  EXPECT_TRUE(ReadAll(std::vector<std::string>{}).frames.empty());
}

TEST_F(FrameSourceTest, Compressed) {
  const std::string text = PcapHeader() + Join(Records(2000));
  const Result plain = ReadAll({File("plain", text)});
  const std::size_t half = text.size() / 2 + 5;
  const Octets first = Octets(text).substr(0, half);
  const Octets second = Octets(text).substr(half);
  const std::string skippable("\x50\x2a\x4d\x18\x03\x00\x00\x00xyz", 11);
  for (const std::size_t batch : {97, 1 << 20}) {
    EXPECT_EQ(ReadAll({File("z", Gzip(text))}, batch), plain);
    EXPECT_EQ(ReadAll({File("z", Gzip(first) + Gzip(second))}, batch), plain) << "members";
    EXPECT_EQ(ReadAll({File("z", Gzip(first) + Gzip("") + Gzip(second) + std::string(512, '\0'))}, batch), plain) << "padding";
    EXPECT_EQ(ReadAll({File("z", Zstd(text))}, batch), plain);
    EXPECT_EQ(ReadAll({File("z", skippable + Zstd(first) + Zstd(second) + skippable)}, batch), plain) << "frames";
  }
}

TEST_F(FrameSourceTest, CompressedAndCut) {
  const std::string text = PcapHeader() + Join(Records(30));
  const Result plain = ReadAll({File("plain", text)});
  for (const std::string& whole : {Gzip(text), Zstd(text)}) {
    for (std::size_t cut = 5; cut < whole.size(); cut += 3) {
      const Result r = ReadAll({File("z", whole.substr(0, cut))});
      ASSERT_EQ(r.faults.size() + r.errors.size(), 1U) << cut;
      ASSERT_LE(r.frames.size(), plain.frames.size());
      EXPECT_TRUE(std::equal(r.frames.begin(), r.frames.end(), plain.frames.begin()));
      EXPECT_TRUE(r.faults.empty() || r.faults[0].ends_with("data is cut short")) << r.faults[0];
    }
    const Result trailing = ReadAll({File("z", whole + "garbage behind it")});
    EXPECT_EQ(trailing.frames, plain.frames);
    EXPECT_EQ(trailing.faults.size(), 1U);
    std::string damaged = whole;
    damaged[whole.size() / 2] = static_cast<char>(~damaged[whole.size() / 2]);
    EXPECT_EQ(ReadAll({File("z", damaged)}).faults.size(), 1U);
  }
}

TEST_F(FrameSourceTest, StandardInputAndProgress) {
  const std::string text = PcapHeader() + Join(Records(500));
  const std::string file = File("a", text);
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const int saved = ::dup(STDIN_FILENO);
  ASSERT_EQ(::dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
  std::thread writer([&] {
    for (std::size_t at = 0; at < text.size(); at += 1000)
      ASSERT_GT(::write(ends[1], text.data() + at, std::min<std::size_t>(1000, text.size() - at)), 0);
    ::close(ends[1]);
  });
  FrameSource source({"-"});
  const Result r = ReadAll(source);
  writer.join();
  ::dup2(saved, STDIN_FILENO);
  ::close(saved);
  ::close(ends[0]);
  EXPECT_EQ(r, ReadAll({file}));
  EXPECT_EQ(source.octets_total(), 0U);
  EXPECT_EQ(source.octets_read(), text.size());

  FrameSource files({file, file}, Batches(1000));
  EXPECT_EQ(files.octets_total(), 2 * text.size());
  FrameBatch batch;
  EXPECT_TRUE(files.Next(batch).value());
  EXPECT_GT(files.octets_read(), 0U);
  EXPECT_LT(files.octets_read(), text.size());
  while (files.Next(batch).value()) EXPECT_LE(files.octets_read(), 2 * text.size());
  EXPECT_EQ(files.octets_read(), 2 * text.size());
}

TEST_F(FrameSourceTest, SecretsOfAllFiles) {
  const auto ng = [](Octets secret) {
    return PcapngBuilder().Section(true).Interface(1).Secrets(0x544c534b, secret).Enhanced(0, 1, "x", 1).str();
  };
  FrameSource source({File("1", ng("one")), File("2", ng("two"))}, Batches(10));
  EXPECT_EQ(ReadAll(source).frames.size(), 2U);
  EXPECT_EQ(source.tls_secrets(), "one\ntwo\n");
}

TEST_F(FrameSourceTest, HexDumps) {
  FrameSource::Options options;
  options.hex_dump = true;
  const std::vector<std::string> files = {File("1", "00 01\n\n02"), File("2", "0g"),
                                          File("3", "45 00 00 14 00 00 00 00 40 06 00 00 7f 00 00 01 7f 00 00 01")};
  FrameSource source(files, options);
  const Result r = ReadAll(source);
  ASSERT_EQ(r.frames.size(), 3U);
  EXPECT_EQ(r.frames[0], (SeenFrame{1, 0, 1, 2, std::string("\0\1", 2)}));
  EXPECT_EQ(r.frames[1], (SeenFrame{2, 0, 1, 1, "\2"}));
  EXPECT_EQ(r.frames[2].number, 3U);
  EXPECT_EQ(r.frames[2].link, static_cast<int>(LinkType::kRaw));
  EXPECT_EQ(r.errors, std::vector<std::string>{"not a hex digit"});

  options.hex_link = LinkType::kPpp;
  options.hex_limits.text_octets = 9;
  FrameSource limited({files[0], files[2]}, options);
  const Result l = ReadAll(limited);
  ASSERT_EQ(l.frames.size(), 2U);
  EXPECT_EQ(l.frames[0].link, static_cast<int>(LinkType::kPpp));
  EXPECT_EQ(l.errors, std::vector<std::string>{"the hex dump is longer than 9 octets"});
}

// What tshark counts otherwise: custom blocks are packets to it, of as many octets as they hold. They are no frames.
struct Custom {
  std::uint64_t packets = 0;
  std::uint64_t octets = 0;
};
const std::map<std::string, Custom> kCustomBlocks = {{"ngtest-basic-test017-695c.pcapng", {4, 152}},
                                                     {"ngtest-basic-test017.pcapng", {4, 152}},
                                                     {"ngtest-difficult-test202.pcapng", {3, 116}}};
// Files that are damaged, and where.
const std::map<std::string, std::uint64_t> kDamaged = {{"suricata-smtp-to-comma-10.7.29.101_49898-178.63.41.150_25.pcap", 3695}};

std::uint64_t NumberIn(const std::string& json, const std::string& key) {
  const std::size_t at = json.find("\"" + key + "\": ");
  return at == std::string::npos ? ~std::uint64_t{0} : std::strtoull(json.c_str() + at + key.size() + 4, nullptr, 10);
}

TEST(FrameSource, SharedCapturesHoldTheFramesThatTsharkCounts) {
  const char* folder = std::getenv("GLASSPOST_CAPTURES");
  if (folder == nullptr) GTEST_SKIP() << "GLASSPOST_CAPTURES is not set";
  std::size_t files = 0;
  const auto check = [&](const fs::path& capture, const fs::path& reading) {
    std::ifstream in(reading);
    std::string line;
    if (!std::getline(in, line)) return;
    ++files;
    const std::string name = capture.filename().string();
    FrameSource source({capture.string()});
    const Result r = ReadAll(source);
    EXPECT_TRUE(r.errors.empty()) << name;
    const auto damaged = kDamaged.find(name);
    EXPECT_EQ(r.faults.size(), damaged == kDamaged.end() ? 0U : 1U) << name;
    if (damaged != kDamaged.end() && !r.faults.empty()) {
      EXPECT_EQ(source.faults()[0].offset, damaged->second) << name;
    }
    const auto custom = kCustomBlocks.find(name);
    Custom count = custom == kCustomBlocks.end() ? Custom() : custom->second;
    count.packets += r.frames.size();
    for (const SeenFrame& frame : r.frames) count.octets += frame.wire_length;
    EXPECT_EQ(count.packets, NumberIn(line, "packets")) << name;
    EXPECT_EQ(count.octets, NumberIn(line, "bytes")) << name;
    EXPECT_EQ(ReadAll({capture.string()}, 333), r) << name;
  };
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    check(entry.path(), fs::path(folder) / "expected" / (entry.path().filename().string() + ".jsonl"));
  for (const fs::directory_entry& entry : fs::directory_iterator(fs::path(folder) / "local"))
    if (entry.path().extension().string().starts_with(".pcap"))
      check(entry.path(), entry.path().parent_path() / (entry.path().stem().string() + ".truth.jsonl"));
  EXPECT_GT(files, 200U);
}

}  // namespace
}  // namespace glasspost::capture
