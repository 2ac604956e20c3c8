// The decoder against the shared captures: every conversation and every DNS message that tshark found must come out of it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "base/ascii.h"
#include "capture/decoder.h"
#include "capture/describe.h"
#include "capture/frame_source.h"

namespace glasspost::capture {
namespace {

namespace fs = std::filesystem;

// The value of a field of a line of JSON, without quotes; the lines are one program's, so that their spacing is known.
std::string ValueOf(const std::string& line, const std::string& name) {
  const std::string key = "\"" + name + "\": ";
  const std::size_t at = line.find(key);
  if (at == std::string::npos) return {};
  const std::size_t from = at + key.size();
  if (line[from] == '"') return line.substr(from + 1, line.find('"', from + 1) - from - 1);
  return line.substr(from, line.find_first_of(",}", from) - from);
}

// "[2001:db8::1]:25" as tshark's reading writes it: without brackets.
std::string WithoutBrackets(std::string text) {
  std::erase_if(text, [](char c) { return c == '[' || c == ']'; });
  return text;
}

struct Beginning {
  std::uint8_t transport = 0;
  std::uint16_t id = 0;  // the first two octets: of a DNS message its id
};

struct Reading {
  std::set<std::pair<std::string, std::string>> pairs;  // of TCP, sender first
  std::map<std::uint64_t, Beginning> packets;           // by frame
};

void TakeBatch(Decoder& decoder, FrameBatch& batch, Reading& reading) {
  for (const RawFrame& frame : batch.frames) {
    Packet p;
    const DecodeResult result = decoder.Decode(frame, p, batch.extra);
    FieldList list;
    const FrameDescription described = DescribeFrame(frame, list);
    EXPECT_TRUE(described.result == result || described.result == DecodeResult::kFragment) << "frame " << frame.number;
    if (result != DecodeResult::kPacket) continue;
    if (p.transport == kTcp)
      reading.pairs.emplace(WithoutBrackets(Endpoint{p.source, p.source_port}.Text()),
                            WithoutBrackets(Endpoint{p.destination, p.destination_port}.Text()));
    reading.packets[frame.number] = {p.transport, p.captured_length >= 2 ? Load16(p.payload) : std::uint16_t{0}};
  }
}

Reading Read(const fs::path& file) {
  FrameSource source({file.string()});
  FrameBatch batch;
  Decoder decoder;
  Reading reading;
  for (;;) {
    const Expected<bool> more = source.Next(batch);
    if (!more) {
      ADD_FAILURE() << more.error().Text();
      break;
    }
    if (!*more) break;
    TakeBatch(decoder, batch, reading);
  }
  return reading;
}

// Where the other reading takes for a message what is none.
const std::map<std::string, std::uint64_t> kBetter = {
    {"arkime-v6.pcap", 137},  // quoted in an ICMPv6 error: nobody sent this answer here
};

struct Counts {
  int streams = 0, datagrams = 0;
};

void Compare(const std::string& name, const fs::path& expected, const Reading& reading, Counts& counts) {
  std::ifstream in(expected);
  for (std::string line; std::getline(in, line);) {
    const std::string type = ValueOf(line, "type");
    if (type == "stream") {
      const std::string client = ValueOf(line, "client"), server = ValueOf(line, "server");
      EXPECT_TRUE(reading.pairs.contains({client, server}) || reading.pairs.contains({server, client}))
          << client << " " << server;
      ++counts.streams;
    } else if (type == "dns" && ValueOf(line, "transport") == "udp") {
      const auto frame = ParseNumber(ValueOf(line, "frame"));
      ASSERT_TRUE(frame);
      if (const auto better = kBetter.find(name); better != kBetter.end() && better->second == *frame) {
        EXPECT_FALSE(reading.packets.contains(*frame));
        continue;
      }
      const auto found = reading.packets.find(*frame);
      if (found == reading.packets.end()) {
        ADD_FAILURE() << "frame " << *frame << " did not decode";
        continue;
      }
      EXPECT_EQ(found->second.transport, kUdp) << "frame " << *frame;
      EXPECT_EQ(std::to_string(found->second.id), ValueOf(line, "id")) << "frame " << *frame;
      ++counts.datagrams;
    }
  }
}

TEST(SharedCaptures, EveryConversationAndDnsMessageIsDecoded) {
  const char* folder = std::getenv("GLASSPOST_CAPTURES");
  if (folder == nullptr) GTEST_SKIP() << "GLASSPOST_CAPTURES is not set";
  Counts counts;
  int files = 0;
  const auto compare = [&](const fs::path& capture, const fs::path& truth) {
    if (!fs::exists(truth)) return;
    SCOPED_TRACE(capture.filename().string());
    Compare(capture.filename().string(), truth, Read(capture), counts);
    ++files;
  };
  for (const auto& entry : fs::directory_iterator(folder))
    compare(entry.path(), fs::path(folder) / "expected" / (entry.path().filename().string() + ".jsonl"));
  for (const auto& entry : fs::directory_iterator(fs::path(folder) / "local"))
    if (entry.path().extension().string().starts_with(".pcap"))
      compare(entry.path(), entry.path().parent_path() / (entry.path().stem().string() + ".truth.jsonl"));
  EXPECT_GT(files, 200);
  EXPECT_GT(counts.streams, 100);
  EXPECT_GT(counts.datagrams, 1000);
}

}  // namespace
}  // namespace glasspost::capture
