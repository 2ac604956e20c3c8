// Made-up packets around true octets: the decoder finds them well-formed, the reassembly finds the octets.
#include "capture/synthetic_tcp.h"

#include <gtest/gtest.h>

#include <vector>

#include "capture/checksum.h"
#include "capture/decoder.h"
#include "capture/pcapng_reader.h"
#include "capture/pcapng_writer.h"
#include "capture/tcp_connection.h"

namespace glasspost::capture {
namespace {

constexpr Timestamp kTime = 1'795'000'000'123'456'789;

class Frames final : public SyntheticTcp::Sink {
 public:
  void OnFrame(Octets frame, Timestamp time) override { frames.emplace_back(std::string(frame), time); }
  std::vector<std::pair<std::string, Timestamp>> frames;
};

class Heard final : public TcpEvents {
 public:
  void OnTcpOctets(Side side, Octets octets, const Origin& origin) override {
    text[side] += octets;
    EXPECT_EQ(origin.time, kTime);
  }
  void OnTcpGap(Side side, std::uint64_t offset, std::uint64_t length, const Origin&) override {
    EXPECT_EQ(offset, text[side].size());
    missing[side] += length;
  }
  void OnTcpFin(Side side, const Origin&) override { fin[side] = true; }
  void OnTcpReset(Side, const Origin&) override { reset = true; }
  void OnTcpRetransmission(Side, std::uint64_t, bool, const Origin&) override { ADD_FAILURE(); }
  std::string text[2];
  std::uint64_t missing[2] = {0, 0};
  bool fin[2] = {false, false};
  bool reset = false;
};

// Decodes every frame, checks its sums, puts the connection together again.
Heard Listen(const Frames& frames, const Endpoint& client, const Endpoint& server) {
  Heard heard;
  const TcpLimits limits;
  ReassemblyBudget budget{.limit = std::size_t{1} << 20};
  TcpConnection connection(limits, budget);
  Decoder decoder;
  std::vector<std::vector<std::uint8_t>> extra;
  std::uint64_t number = 0;
  for (const auto& [octets, time] : frames.frames) {
    const RawFrame raw{.number = ++number,
                       .time = time,
                       .link = LinkType::kEthernet,
                       .wire_length = static_cast<std::uint32_t>(octets.size()),
                       .octets = AsBytes(octets)};
    Packet p;
    EXPECT_EQ(decoder.Decode(raw, p, extra), DecodeResult::kPacket);
    EXPECT_LE(octets.size(), 1514u);
    const bool from_client = p.source == client.address && p.source_port == client.port;
    EXPECT_EQ((Endpoint{p.destination, p.destination_port}), from_client ? server : client);
    const bool v4 = client.address.is_v4() && server.address.is_v4();
    const Bytes frame = AsBytes(octets);
    const std::size_t addresses = v4 ? 12 : 0, at = v4 ? 34 : 54;
    if (v4) {
      EXPECT_EQ(CheckIpv4Header(frame.subspan(14, 20)).status, ChecksumStatus::kGood);
    }
    EXPECT_EQ(CheckTransport(Bytes(p.source.octets).subspan(addresses), Bytes(p.destination.octets).subspan(addresses), kTcp,
                             frame.subspan(at), 16)
                  .status,
              ChecksumStatus::kGood);
    connection.Add(from_client ? 0 : 1, p, heard);
  }
  connection.Flush({number, kTime}, heard);
  return heard;
}

Endpoint V4(std::uint8_t last, std::uint16_t port) {
  const std::uint8_t octets[4] = {192, 0, 2, last};
  return {Address::V4(octets), port};
}
Endpoint V6(std::uint8_t last, std::uint16_t port) {
  const std::uint8_t octets[16] = {0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last};
  return {Address::V6(octets), port};
}

TEST(SyntheticTcp, CarriesWhatWasSaid) {
  for (const auto& [client, server] :
       {std::pair{V4(1, 40'000), V4(2, 25)}, std::pair{V6(1, 40'000), V6(2, 25)}, std::pair{V4(1, 40'000), V6(2, 25)}}) {
    for (const std::size_t octets : {std::size_t{1}, SyntheticTcp::kSegment, SyntheticTcp::kSegment + 1, std::size_t{300'001}}) {
      Frames frames;
      SyntheticTcp tcp(client, server);
      tcp.Open(kTime, frames);
      tcp.Send(Direction::kToClient, "220 hello\r\n", kTime, frames);
      tcp.Send(Direction::kToServer, std::string(octets, 'x'), kTime, frames);
      tcp.Finish(Direction::kToServer, true, kTime, frames);
      tcp.Finish(Direction::kToClient, true, kTime, frames);
      const Heard heard = Listen(frames, client, server);
      EXPECT_EQ(heard.text[0], std::string(octets, 'x'));
      EXPECT_EQ(heard.text[1], "220 hello\r\n");
      EXPECT_TRUE(heard.fin[0] && heard.fin[1]);
      EXPECT_EQ(heard.missing[0] + heard.missing[1], 0u);
      EXPECT_EQ(frames.frames.size(), 3 + 2 + (octets + SyntheticTcp::kSegment - 1) / SyntheticTcp::kSegment + 1 + 4);
    }
  }
}

TEST(SyntheticTcp, PassesOverWhatNobodyHas) {
  Frames frames;
  SyntheticTcp tcp(V4(1, 40'000), V4(2, 25));
  tcp.Open(kTime, frames);
  tcp.Send(Direction::kToServer, "abc", kTime, frames);
  tcp.Skip(Direction::kToServer, 77);
  tcp.Send(Direction::kToServer, "def", kTime, frames);
  tcp.Reset(Direction::kToClient, kTime, frames);
  const Heard heard = Listen(frames, V4(1, 40'000), V4(2, 25));
  EXPECT_EQ(heard.text[0], "abcdef");
  EXPECT_EQ(heard.missing[0], 77u);
  EXPECT_TRUE(heard.reset);
}

TEST(PcapngWriter, IsReadBack) {
  std::string file;
  PcapngWriter writer(file);
  writer.Section("Glasspost test");
  writer.Interface(LinkType::kEthernet);
  for (std::size_t size = 0; size < 9; ++size) {
    writer.TlsSecrets(std::string(size, 's') + "\n");
    writer.Packet(0, kTime + static_cast<Timestamp>(size), std::string(size, 'p'), std::string(size, 'c'));
    EXPECT_EQ(file.size() % 4, 0u);
  }
  writer.Packet(0, -5, "x");
  PcapngReader reader;
  std::uint64_t number = 0;
  std::vector<RawFrame> frames;
  const ReaderProgress progress = reader.Parse(AsBytes(file), number, frames);
  EXPECT_FALSE(progress.fault);
  EXPECT_EQ(progress.consumed, file.size());
  ASSERT_EQ(frames.size(), 10u);
  for (std::size_t i = 0; i < 9; ++i) {
    EXPECT_EQ(frames[i].time, kTime + static_cast<Timestamp>(i));
    EXPECT_EQ(frames[i].wire_length, i);
    EXPECT_EQ(AsOctets(frames[i].octets), std::string(i, 'p'));
  }
  EXPECT_EQ(frames[9].time, 0);
  EXPECT_NE(reader.tls_secrets().find("\nssssssss\n"), std::string::npos);
}

}  // namespace
}  // namespace glasspost::capture
