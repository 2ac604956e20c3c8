#include "agent/fetch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "net/test_support.h"
#include "support/temporary_folder.h"

namespace glasspost::agent {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Kind = pop3::ClientOutcome::Kind;

// A server with these messages that says what a test wants it to.
struct Host {
  struct Message {
    std::string id, text;
    std::int64_t size = -1;  // as LIST says it; -1: as it is
    bool deleted = false;
  };
  std::vector<Message> messages;
  bool uidl = true;
  std::size_t drop_after = ~std::size_t{0};   // commands
  std::size_t drop_within = ~std::size_t{0};  // the message of this number, in its middle
  std::vector<std::string> commands;

  std::string Answer(const std::string& line) {
    commands.push_back(line);
    const std::string verb = line.substr(0, line.find(' '));
    const std::size_t n = line.contains(' ') ? static_cast<std::size_t>(std::atoi(line.c_str() + line.find(' '))) : 0;
    std::string out = "+OK\r\n";
    if (verb == "CAPA") return "+OK\r\nUSER\r\nPIPELINING\r\nUIDL\r\n.\r\n";
    if (verb == "UIDL" && !uidl) return "-ERR unknown\r\n";
    if (verb == "LIST" || verb == "UIDL") {
      for (std::size_t i = 0; i < messages.size(); ++i) {
        const Message& m = messages[i];
        const auto size = m.size < 0 ? static_cast<std::int64_t>(m.text.size()) : m.size;
        out += std::to_string(i + 1) + ' ' + (verb == "LIST" ? std::to_string(size) : m.id) + "\r\n";
      }
      return out + ".\r\n";
    }
    if (verb == "RETR") {
      if (messages.at(n - 1).text.empty()) return "-ERR broken\r\n";
      out += messages[n - 1].text + ".\r\n";
      return n == drop_within ? out.substr(0, out.size() / 2) : out;
    }
    if (verb == "DELE") messages.at(n - 1).deleted = true;
    if (verb == "QUIT") std::erase_if(messages, [](const Message& m) { return m.deleted; });
    return out;
  }
};

class FetchTest : public testing::Test {
 protected:
  net::Task<void> Serve(net::Acceptor& acceptor) {
    auto [error, socket] = co_await acceptor.async_accept(net::kAwait);
    if (error) co_return;
    net::Stream stream(net::Socket(std::move(socket)), net::Side::kServer, net_.deadlines);
    co_await stream.Write("+OK ready\r\n", 5s);
    std::string input;
    bool open = true;
    while (open) {
      const net::ReadResult in = co_await stream.Read(5s);
      if (in.status != net::IoStatus::kOk) break;
      input += in.octets;
      for (std::size_t end; open && (end = input.find("\r\n")) != std::string::npos;) {
        const std::string line = input.substr(0, end);
        input.erase(0, end + 2);
        open = host_.commands.size() < host_.drop_after;
        if (!open) break;
        const std::string answer = host_.Answer(line);
        co_await stream.Write(answer, 5s);
        open = !line.starts_with("QUIT") && line != "RETR " + std::to_string(host_.drop_within);
      }
    }
    co_await stream.Close(1s);
    for (Host::Message& m : host_.messages) m.deleted = false;
  }

  FetchReport FetchInto(MailWriter& writer, FetchedIds* ids, const FetchOrders& orders) {
    host_.commands.clear();
    net::Acceptor acceptor(net_.context, {net::asio::ip::address_v4::loopback(), 0});
    const sasl::Credentials credentials{"ada", "secret", {}, sasl::ClientMechanism::kNone};
    pop3::ClientOptions options;
    options.tls = pop3::ClientOptions::Tls::kNever;
    options.credentials = &credentials;
    options.passwords_without_tls = true;
    Peer peer;
    peer.endpoint = net::FromAsio(acceptor.local_endpoint());
    peer.timeout = 5s;
    FetchReport report;
    const auto fetch = [&]() -> net::Task<void> {
      auto stream = co_await net::Connect(net_.context, net_.deadlines, peer.endpoint, 5s);
      report = co_await FetchMail(**stream, peer, randomness_, options, orders, writer, ids);
    };
    net_.Both(Serve(acceptor), fetch());
    return report;
  }
  FetchReport Fetch(const FetchOrders& orders, bool remember = true) {
    auto writer = OpenMailWriter(MailFormat::kEml, folder_->path() + "/mail", net_.deadlines.clock(), randomness_);
    EXPECT_TRUE(writer);
    if (!remember) return FetchInto(**writer, nullptr, orders);
    auto ids = FetchedIds::Open(folder_->path() + "/ids");
    EXPECT_TRUE(ids);
    return FetchInto(**writer, &*ids, orders);
  }

  std::size_t Kept() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_->path() + "/mail")) count += entry.is_regular_file();
    return count;
  }
  bool Said(const std::string& line) const { return std::ranges::find(host_.commands, line) != host_.commands.end(); }

  net::test::Net net_;
  Randomness& randomness_ = SystemRandomness();
  std::unique_ptr<TemporaryFolder> folder_ = std::make_unique<TemporaryFolder>();
  Host host_;
};

TEST_F(FetchTest, WhatIsNewOnceAndStaysThere) {
  host_.messages = {{"a", "Subject: 1\r\n\r\n"}, {"b", "Subject: 2\r\n\r\nx\r\n"}};
  FetchReport report = Fetch({});
  EXPECT_TRUE(report.complete);
  EXPECT_EQ(report.kept, 2u);
  EXPECT_EQ(report.octets, 31u);
  EXPECT_EQ(report.removed, 0u);
  EXPECT_THAT(report.remarks, IsEmpty());
  host_.messages.push_back({"c", "Subject: 3\r\n\r\n"});
  report = Fetch({});
  EXPECT_EQ(report.known, 2u);
  EXPECT_EQ(report.kept, 1u);
  EXPECT_EQ(Kept(), 3u);
  EXPECT_EQ(Fetch({.all = true}).kept, 3u);
  EXPECT_EQ(host_.messages.size(), 3u);
}

TEST_F(FetchTest, DeletedOnceItIsKept) {
  for (int i = 0; i < 200; ++i) host_.messages.push_back({std::to_string(i), "Subject: x\r\n\r\n"});
  const FetchReport report = Fetch({.remove = true});
  EXPECT_TRUE(report.complete);
  EXPECT_EQ(report.kept, 200u);
  EXPECT_EQ(report.removed, 200u);
  EXPECT_THAT(host_.messages, IsEmpty());
  EXPECT_EQ(Kept(), 200u);
}

TEST_F(FetchTest, AConnectionThatBreaksAnywhereLosesNothingAndFetchesNothingTwice) {
  for (std::size_t cut = 0; cut < 22; ++cut) {
    for (const bool within : {false, true}) {
      if (within && (cut == 0 || cut > 4)) continue;
      folder_ = std::make_unique<TemporaryFolder>();
      host_ = {};
      for (int i = 0; i < 4; ++i) host_.messages.push_back({"id" + std::to_string(i), "Subject: x\r\n\r\nbody\r\n"});
      (within ? host_.drop_within : host_.drop_after) = cut;
      const FetchReport first = Fetch({.remove = true});
      const std::size_t kept = Kept();
      EXPECT_EQ(first.kept, kept);
      host_.drop_after = host_.drop_within = ~std::size_t{0};
      const FetchReport second = Fetch({.remove = true});
      EXPECT_TRUE(second.complete);
      EXPECT_EQ(Kept(), 4u) << cut;
      EXPECT_THAT(host_.messages, IsEmpty());
    }
  }
}

TEST_F(FetchTest, WhatTheServerDoesWrongIsSaid) {
  host_.messages = {
      {"a", "Subject: 1\r\n\r\n", 99}, {"b", "Subject: 2\r\n\r\n"}, {std::string(256, 'x'), "Subject: 3\r\n\r\n"}, {"d", ""}};
  const FetchReport report = Fetch({});
  EXPECT_FALSE(report.complete);
  EXPECT_EQ(report.kept, 3u);
  EXPECT_EQ(report.remembered, 2u);
  EXPECT_THAT(report.remarks,
              ElementsAre(HasSubstr("message 3 has no proper unique-id"), HasSubstr("message 4 is refused: broken"),
                          HasSubstr("not true, 1 in all; the first, message 1 has 14 octets; LIST said 99")));
  EXPECT_EQ(Fetch({}).kept, 1u);
}

// What one id says of two messages is said of neither: none is deleted that was not fetched.
TEST_F(FetchTest, AnIdThatTwoMessagesHaveIsNone) {
  host_.messages = {{"same", "Subject: 1\r\n\r\n"}, {"same", "Subject: 2\r\n\r\n"}};
  FetchReport report = Fetch({.remove = true, .at_most = 1});
  EXPECT_EQ(report.kept, 1u);
  EXPECT_EQ(report.removed, 1u);
  EXPECT_THAT(report.remarks, Contains(HasSubstr("has the unique-id of another one")));
  report = Fetch({.remove = true, .at_most = 1});
  EXPECT_EQ(report.kept, 1u);
  EXPECT_THAT(host_.messages, IsEmpty());
  EXPECT_EQ(Kept(), 2u);
}

TEST_F(FetchTest, WithoutUniqueIds) {
  host_.uidl = false;
  host_.messages = {{"", "Subject: 1\r\n\r\n"}};
  const FetchReport report = Fetch({});
  ASSERT_TRUE(report.unable);
  EXPECT_THAT(report.unable->Text(), HasSubstr("--all"));
  EXPECT_EQ(Kept(), 0u);
  EXPECT_EQ(Fetch({.all = true}).kept, 1u);
  EXPECT_EQ(Fetch({.all = true}, false).kept, 1u);
  EXPECT_FALSE(Said("UIDL"));
}

TEST_F(FetchTest, NotAllAtOnceAndNotTheLarge) {
  for (int i = 0; i < 5; ++i)
    host_.messages.push_back({std::to_string(i), "Subject: " + std::string(static_cast<std::size_t>(i), 'x') + "\r\n\r\n"});
  FetchReport report = Fetch({.at_most = 2});
  EXPECT_EQ(report.kept, 2u);
  EXPECT_EQ(report.left, 3u);
  report = Fetch({.largest = 15});
  EXPECT_EQ(report.known, 2u);
  EXPECT_EQ(report.kept, 1u);
  EXPECT_EQ(report.too_large, 2u);
}

TEST_F(FetchTest, NoMoreOctetsThanListLetsExpect) {
  const auto text = [](std::uint64_t octets) { return "a: b\r\n\r\n" + std::string(octets - 10, 'x') + "\r\n"; };
  constexpr std::uint64_t kSlack = FetchLimits::kSizeSlack;
  for (const auto& [listed, most] : {std::pair<std::uint64_t, std::uint64_t>(41, 41 + kSlack), {2 * kSlack, 4 * kSlack}}) {
    folder_ = std::make_unique<TemporaryFolder>();
    const auto size = static_cast<std::int64_t>(listed);
    host_.messages = {{"a", text(most), size}, {"b", text(most), size}, {"c", text(most + 1), size}, {"d", text(10)}};
    FetchReport report = Fetch({});
    EXPECT_EQ(report.kept, 2u) << "just the limit";
    EXPECT_EQ(report.oversized, 1u);
    EXPECT_EQ(report.reached, 3u);
    EXPECT_THAT(report.remarks, ElementsAre(HasSubstr("message 3 does not end after " + std::to_string(most) + " octets"),
                                            HasSubstr("not true, 2 in all; the first, message 1 has")));
    report = Fetch({.after = report.reached});
    EXPECT_EQ(report.kept, 1u);
    EXPECT_TRUE(report.complete);
    EXPECT_EQ(Kept(), 3u);
  }
}

TEST_F(FetchTest, DeletedAfterSomeDays) {
  host_.messages = {{"a", "Subject: 1\r\n\r\n"}, {"b", "Subject: 2\r\n\r\n"}};
  {
    auto ids = FetchedIds::Open(folder_->path() + "/ids");
    ASSERT_TRUE(ids);
    const std::int64_t now = net_.deadlines.clock().Now() / 1'000'000'000;
    ids->Add("a", now - 7 * 86'400 - 1);
    ids->Add("b", now - 7 * 86'400 + 60);
    EXPECT_TRUE(ids->Sync());
  }
  const FetchReport report = Fetch({.remove_after_days = 7});
  EXPECT_EQ(report.removed, 1u);
  ASSERT_EQ(host_.messages.size(), 1u);
  EXPECT_EQ(host_.messages[0].id, "b");
  EXPECT_EQ(report.kept, 0u);
}

TEST_F(FetchTest, AFullDiskDeletesNothing) {
  struct Full final : MailWriter {
    Expected<void> Begin() override { return {}; }
    Expected<void> Write(Octets) override { return {}; }
    Expected<void> End() override { return {}; }
    Expected<std::vector<std::string>> Commit() override { return Fail("no space left", "/full"); }
    void Abandon() override {}
    std::size_t most_waiting() const override { return 10; }
  };
  for (int i = 0; i < 300; ++i) host_.messages.push_back({std::to_string(i), "Subject: x\r\n\r\n"});
  Full full;
  const FetchReport report = FetchInto(full, nullptr, {.remove = true});
  ASSERT_TRUE(report.trouble);
  EXPECT_EQ(report.kept, 0u);
  EXPECT_EQ(host_.messages.size(), 300u);
  EXPECT_LT(host_.commands.size(), 80u);  // the rest is not even asked for
}

}  // namespace
}  // namespace glasspost::agent
