// Which flows are ended when a bound is reached, and that what is told depends on nothing but the packets.
#include "analysis/flow_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <string>

namespace glasspost::analysis {
namespace {

using capture::kAck;
using capture::kFin;
using capture::kSyn;
using capture::kTcp;
using capture::kUdp;
using capture::Packet;

constexpr Timestamp kSecond = 1'000'000'000, kStart = 1'700'000'000 * kSecond;

// Tells a conversation's client port, packets and exchanges.
class Ports final : public Report {
 public:
  Wants wants() const override { return {.message_header = false, .message_digest = false}; }
  std::unique_ptr<Teller> NewTeller() const override { return std::make_unique<PortTeller>(); }
  void Write(std::uint64_t, Octets, TextStore&) override {}

 private:
  struct PortTeller final : Teller {
    void OnExchange(const ConversationFacts&, const Exchange&) override { ++exchanges; }
    void OnMessage(const ConversationFacts&, const MessageFacts&) override {}
    void OnFinding(const ConversationFacts&, const Finding&) override {}
    void Finish(const ConversationFacts& f, TextStore& text) override {
      text.Append(std::to_string(f.sides[0].port) + ":" + std::to_string(f.packets) + "/" + std::to_string(exchanges));
    }
    int exchanges = 0;
  };
};

class FlowTableTest : public ::testing::Test {
 protected:
  void Begin(const FlowLimits& limits) {
    table_ = std::make_unique<FlowTable>(report_, limits, nullptr);
    told_.clear();
    frame_ = 0;
  }
  KeyedPacket Make(std::uint16_t port, std::uint8_t flags, Octets payload = {}, bool from_server = false,
                   std::uint8_t transport = kTcp) {
    KeyedPacket k;
    Packet& p = k.packet;
    p.frame = ++frame_;
    p.time = k.seen = k.now = kStart + static_cast<Timestamp>(frame_) * 1'000'000;
    p.source.octets[15] = from_server ? 2 : 1;
    p.destination.octets[15] = from_server ? 1 : 2;
    p.source_port = from_server ? server_port_ : port;
    p.destination_port = from_server ? port : server_port_;
    p.transport = transport;
    p.flags = flags;
    p.window = 1000;
    std::uint32_t& at = sequence_[from_server ? 1 : 0][port];
    p.sequence = at;
    p.acknowledgement = sequence_[from_server ? 0 : 1][port];
    at += static_cast<std::uint32_t>(payload.size()) + ((flags & (kSyn | kFin)) != 0 ? 1 : 0);
    payloads_.emplace_back(payload);
    p.payload = reinterpret_cast<const std::uint8_t*>(payloads_.back().data());
    p.payload_length = p.captured_length = static_cast<std::uint32_t>(payload.size());
    p.ip_payload_length = p.payload_length + 20;
    k.hash = HashFlow(p);
    return k;
  }
  void Put(const KeyedPacket& k) {
    table_->Add(k);
    Take();
  }
  void Syn(std::uint16_t port) { Put(Make(port, kSyn)); }
  void Greet(std::uint16_t port) {
    Syn(port);
    Put(Make(port, kSyn | kAck, {}, true));
    Put(Make(port, kAck, "", false));
    Put(Make(port, kAck, "220 mx\r\n", true));
  }
  void Take() {
    for (Told& t : table_->told) told_.push_back(t.text.memory());
    table_->told.clear();
  }
  std::vector<std::string> Flush() {
    told_.clear();
    while (!table_->Flush(2)) Take();
    Take();
    return told_;
  }

  Ports report_;
  std::unique_ptr<FlowTable> table_;
  std::vector<std::string> told_;
  std::deque<std::string> payloads_;
  std::map<std::uint16_t, std::uint32_t> sequence_[2];
  std::uint64_t frame_ = 0;
  std::uint16_t server_port_ = 25;
};

TEST_F(FlowTableTest, WhatSaysLeastIsEndedFirst) {
  Begin({.flows = 4});
  Greet(1);
  Syn(2);
  Syn(3);
  Greet(4);
  EXPECT_TRUE(told_.empty());
  Syn(5);
  EXPECT_EQ(told_, (std::vector<std::string>{"2:1/0"})) << "half open, and the oldest";
  Greet(6);
  EXPECT_EQ(told_.size(), 2u);
  EXPECT_EQ(told_.back(), "3:1/0");
  Greet(7);
  EXPECT_EQ(told_.back(), "5:1/0");
  Greet(8);
  EXPECT_EQ(told_.back(), "1:4/1") << "nothing but conversations is left: the one that is silent for longest";
  EXPECT_EQ(Flush(), (std::vector<std::string>{"4:4/1", "6:4/1", "7:4/1", "8:4/1"}));
}

TEST_F(FlowTableTest, FlowOctetsAreBounded) {
  constexpr std::size_t kOctets = 200'000;
  Begin({.flow_octets = kOctets});
  for (std::uint16_t port = 1; port <= 2000; ++port) Syn(port);
  const std::size_t ended = told_.size();
  EXPECT_GT(ended, 1500u) << "each costs some hundred octets";
  EXPECT_LT(ended, 1950u);
  for (std::size_t i = 0; i < ended; ++i) EXPECT_EQ(told_[i], std::to_string(i + 1) + ":1/0");
  EXPECT_EQ(Flush().size(), 2000 - ended);
}

TEST_F(FlowTableTest, OneConversationMayTakeItAll) {
  Begin({.flow_octets = 10'000});
  Greet(1);
  Put(Make(1, kAck, "EHLO a\r\n"));
  Put(Make(1, kAck, "250 mx\r\n", true));
  for (int i = 0; i < 100; ++i) Put(Make(1, kAck, "NOOP " + std::string(1000, 'x') + "\r\n"));
  EXPECT_TRUE(told_.empty()) << "it is the one that is spoken";
  EXPECT_EQ(Flush(), (std::vector<std::string>{"1:106/102"}));
}

TEST_F(FlowTableTest, HashesThatAreAlike) {
  Begin({.alike = 3});
  const auto syn = [&](std::uint16_t port) {
    KeyedPacket k = Make(port, kSyn);
    k.hash = 0x1234;
    Put(k);
  };
  for (std::uint16_t port = 1; port <= 3; ++port) syn(port);
  EXPECT_TRUE(told_.empty());
  syn(4);
  EXPECT_EQ(told_, (std::vector<std::string>{"1:1/0"}));
  syn(2);  // is there already
  EXPECT_EQ(told_.size(), 1u);
  Syn(100);
  EXPECT_EQ(told_.size(), 1u);
  syn(5);
  EXPECT_EQ(told_.back(), "3:1/0");
}

// Flows that come and go, fall silent and go on; with bounds so narrow that they are met all the time.
TEST_F(FlowTableTest, NothingDependsOnSweepsOrTheTablesKey) {
  const std::string query("\0\1\1\0\0\1\0\0\0\0\0\0\1x\0\0\1\0\1", 19);
  const auto run = [&](std::uint64_t seed, int sweeps, std::uint64_t key) {
    Begin({.flows = 40, .flow_octets = 60'000, .alike = 4, .table_key = key});
    sequence_[0].clear(), sequence_[1].clear();
    std::uint64_t state = seed;
    const auto below = [&](std::uint64_t n) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      return (state >> 33) % n;
    };
    Timestamp now = kStart;
    for (int i = 0; i < 3000; ++i) {
      const auto port = static_cast<std::uint16_t>(below(60));
      const std::uint64_t what = below(16);
      now += what == 0 ? static_cast<Timestamp>(below(70)) * kSecond : 1'000'000;
      server_port_ = port % 3 == 0 ? 53 : port % 3 == 1 ? 25 : 80;
      const bool udp = server_port_ == 53;
      const std::uint8_t flags = what == 1 ? kSyn : what == 2 ? kFin | kAck : kAck;
      KeyedPacket k = Make(port, flags, udp ? query : what < 6 ? "" : "NOOP\r\n", below(2) == 0, udp ? kUdp : kTcp);
      k.packet.time = k.now = now;
      k.seen = now + (what == 3 ? 90 * kSecond : 0);  // one frame may claim to be from the future
      if (port % 7 == 0) k.hash = 77;
      Put(k);
      if (sweeps > 0 && i % sweeps == 0) table_->Sweep(now), Take();
    }
    std::vector<std::string> all = told_;
    const std::vector<std::string> rest = Flush();
    all.insert(all.end(), rest.begin(), rest.end());
    std::sort(all.begin(), all.end());
    return all;
  };
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    const auto told = run(seed, 0, 1);
    EXPECT_GT(told.size(), 100u);
    for (const int sweeps : {1, 7, 100}) EXPECT_EQ(run(seed, sweeps, 1), told);
    EXPECT_EQ(run(seed, 7, 0x9e3779b97f4a7c15u), told);
  }
}

}  // namespace
}  // namespace glasspost::analysis
