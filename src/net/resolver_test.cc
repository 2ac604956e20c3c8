#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/ip/udp.hpp>
#include <fstream>
#include <thread>

#include "net/dns_reading.h"
#include "net/fixed_resolver.h"
#include "net/test_support.h"
#include "net/unbound_resolver.h"
#include "wire/dns/constants.h"
#include "wire/dns/message.h"

namespace glasspost::net {
namespace {

using namespace test;

std::string Told(const DnsAnswer& answer) {
  if (!answer.failure.empty()) return "failed: " + answer.failure;
  dns::Message m;
  dns::Decode(answer.message, m);
  EXPECT_FALSE(m.malformed());
  std::string text = "rcode " + std::to_string(answer.rcode);
  for (const dns::Record& r : m.records) {
    if (r.section != dns::Section::kAnswer) continue;
    text += "; ";
    dns::AppendRecordText(text, m, r);
  }
  return text;
}

void Fill(FixedResolver& r) {
  EXPECT_TRUE(r.Add("example.test", dns::kTypeMx, "10 mail.example.test."));
  EXPECT_TRUE(r.Add("Example.Test.", dns::kTypeMx, "20 backup.example.test."));
  EXPECT_TRUE(r.Add("mail.example.test", dns::kTypeA, "192.0.2.1"));
  EXPECT_TRUE(r.Add("www.example.test", dns::kTypeCname, "mail.example.test."));
  EXPECT_TRUE(r.Add("loop.test", dns::kTypeCname, "loop.test."));
}

TEST(FixedResolver, AnswersFromItsTable) {
  FixedResolver r;
  Fill(r);
  EXPECT_FALSE(r.Add("x.test", dns::kTypeA, "no address"));
  r.AddFailure("down.test");
  EXPECT_EQ(Told(r.Answer("EXAMPLE.test", dns::kTypeMx)),
            "rcode 0; example.test. 300 IN MX 10 mail.example.test.; Example.Test. 300 IN MX 20 backup.example.test.");
  EXPECT_EQ(Told(r.Answer("www.example.test", dns::kTypeA)),
            "rcode 0; www.example.test. 300 IN CNAME mail.example.test.; mail.example.test. 300 IN A 192.0.2.1");
  EXPECT_EQ(Told(r.Answer("mail.example.test", dns::kTypeAaaa)), "rcode 0");
  EXPECT_EQ(Told(r.Answer("nowhere.test", dns::kTypeA)), "rcode 3");
  EXPECT_EQ(Told(r.Answer("down.test", dns::kTypeA)), "failed: no server answered");
  EXPECT_EQ(Told(r.Answer("a..test", dns::kTypeA)), "failed: no domain name");
  EXPECT_TRUE(Told(r.Answer("loop.test", dns::kTypeA)).starts_with("rcode 0"));
}

// A name server on loopback that answers from a fixed table, on a thread of its own.
class Server {
 public:
  Server() : socket_(io_, {asio::ip::address_v4::loopback(), 0}) {
    Fill(table_);
    Receive();
    thread_ = std::jthread([this] { io_.run(); });
  }
  ~Server() { io_.stop(); }
  std::string address() const { return "127.0.0.1:" + std::to_string(socket_.local_endpoint().port()); }
  std::atomic<int> asked = 0;
  std::atomic<bool> silent = false;

 private:
  void Receive() {
    socket_.async_receive_from(asio::buffer(room_), from_, [this](const boost::system::error_code& error, std::size_t n) {
      if (error) return;
      Answer(Octets(room_, n));
      Receive();
    });
  }
  void Answer(Octets query) {
    dns::Message m;
    dns::Decode(query, m);
    if (m.malformed() || m.questions.empty() || silent) return;
    ++asked;
    std::string name;
    dns::AppendName(name, m.NameOctets(m.questions[0].name), true);
    std::string out = table_.Answer(name, m.questions[0].type).message;
    out[0] = query[0], out[1] = query[1];
    socket_.send_to(asio::buffer(out), from_);
  }

  asio::io_context io_{1};
  asio::ip::udp::socket socket_;
  asio::ip::udp::endpoint from_;
  char room_[2048];
  FixedResolver table_;
  std::jthread thread_;
};

TEST(UnboundResolver, AsksTheNameServerOfItsOptions) {
  Server server;
  Net net;
  auto made = UnboundResolver::Make(net.context, {.name_servers = {server.address()}});
  ASSERT_TRUE(made) << made.error().Text();
  const auto ask = [&](const char* name, std::uint16_t type) { return net.Run((*made)->Query(name, type)); };
  const DnsAnswer mx = ask("example.test", dns::kTypeMx);
  EXPECT_EQ(Told(mx), "rcode 0; example.test. 300 IN MX 10 mail.example.test.; example.test. 300 IN MX 20 backup.example.test.");
  EXPECT_EQ(mx.security, DnsAnswer::Security::kIndeterminate);
  EXPECT_EQ(Told(ask("mail.example.test.", dns::kTypeA)), "rcode 0; mail.example.test. 300 IN A 192.0.2.1");
  EXPECT_EQ(Told(ask("nowhere.test", dns::kTypeA)), "rcode 3");
  const int before = server.asked;
  EXPECT_EQ(Told(ask("mail.example.test", dns::kTypeA)), "rcode 0; mail.example.test. 300 IN A 192.0.2.1");
  EXPECT_EQ(server.asked, before) << "answers are cached";
  EXPECT_EQ(Told(ask("a..b", dns::kTypeA)), "failed: no domain name");
}

constexpr const char* kRootsAnchor = ". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n";

TEST(UnboundResolver, WithATrustAnchorItJudges) {
  Server server;
  Net net;
  const TemporaryFolder folder;
  std::ofstream(folder / "anchor") << kRootsAnchor;
  auto made = UnboundResolver::Make(net.context, {.name_servers = {server.address()}, .trust_anchor = folder / "anchor"});
  ASSERT_TRUE(made) << made.error().Text();
  EXPECT_EQ(net.Run((*made)->Query("example.test", dns::kTypeMx)).security, DnsAnswer::Security::kInsecure);  // as all of test.
}

TEST(UnboundResolver, ManyAtOnce) {
  Server server;
  Net net;
  auto made = UnboundResolver::Make(net.context, {.name_servers = {server.address()}});
  ASSERT_TRUE(made);
  int answered = 0;
  for (int i = 0; i < 50; ++i)
    asio::co_spawn(
        net.context.get_executor(),
        [](Resolver& r, int n, int& count) -> Task<void> {
          const DnsAnswer a = co_await r.Query("n" + std::to_string(n) + ".test", dns::kTypeMx);
          EXPECT_EQ(a.rcode, dns::kRcodeNxDomain);
          ++count;
        }(**made, i, answered),
        asio::detached);
  net.context.run_for(10s);
  EXPECT_EQ(answered, 50);
}

TEST(UnboundResolver, EndsWhatIsOpenWhenItIsClosed) {
  Server server;
  server.silent = true;
  Net net;
  auto made = UnboundResolver::Make(net.context, {.name_servers = {server.address()}});
  ASSERT_TRUE(made);
  DnsAnswer answer;
  asio::co_spawn(
      net.context.get_executor(),
      [](Resolver& r, DnsAnswer& a) -> Task<void> { a = co_await r.Query("example.test", dns::kTypeMx); }(**made, answer),
      asio::detached);
  net.context.run_for(50ms);
  EXPECT_EQ(answer.failure, "");
  made->reset();
  net.context.restart();
  net.context.run_for(1s);
  EXPECT_EQ(answer.failure, "the resolver was closed");
  EXPECT_EQ(answer.rcode, dns::kRcodeServFail);
}

TEST(UnboundResolver, WaitsNoLongerThanItIsTold) {
  Server server;
  server.silent = true;
  Net net;
  auto made = UnboundResolver::Make(net.context, {.name_servers = {server.address()}, .patience = 50ms});
  ASSERT_TRUE(made);
  const DnsAnswer answer = net.Run((*made)->Query("example.test", dns::kTypeMx));
  EXPECT_EQ(answer.failure, "no name server answered in time");
  EXPECT_EQ(answer.rcode, dns::kRcodeServFail);
  server.silent = false;
  EXPECT_EQ(Told(net.Run((*made)->Query("mail.example.test", dns::kTypeA))), "rcode 0; mail.example.test. 300 IN A 192.0.2.1");
}

TEST(UnboundResolver, SaysWhatIsWrongWithItsOptions) {
  Net net;
  EXPECT_FALSE(UnboundResolver::Make(net.context, {.name_servers = {"127.0.0.1:0"}}));
  EXPECT_FALSE(UnboundResolver::Make(net.context, {.name_servers = {"localhost:53x"}}));
  EXPECT_FALSE(UnboundResolver::Make(net.context, {.name_servers = {"no address"}}));
  EXPECT_FALSE(UnboundResolver::Make(net.context, {.name_servers = {"[::1]:70000"}}));
  EXPECT_TRUE(UnboundResolver::Make(net.context, {.name_servers = {"[::1]:5353", "192.0.2.1"}}));
}

TEST(UnboundResolver, SaysWhatIsWrongWithATrustAnchor) {
  Net net;
  const TemporaryFolder folder;
  const auto make = [&](const std::string& file) {
    const auto made = UnboundResolver::Make(net.context, {.name_servers = {"127.0.0.1"}, .trust_anchor = file});
    return made ? "" : made.error().Text();
  };
  EXPECT_EQ(make(folder / "none"), (folder / "none") + ": the trust anchor cannot be read: No such file or directory");
  std::ofstream(folder / "rubbish") << "no record at all\n";
  testing::internal::CaptureStderr();
  EXPECT_NE(make(folder / "rubbish").find("a DS or DNSKEY record of the root"), std::string::npos);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  std::ofstream(folder / "good") << kRootsAnchor;
  EXPECT_EQ(make(folder / "good"), "");
}

std::string Addresses(Resolver& resolver, Net& net, const char* host, std::size_t most = 10) {
  const auto found = net.Run(FindAddresses(resolver, host, most));
  if (!found) return found.error().Text();
  std::string text;
  for (const Address& a : *found) (text += text.empty() ? "" : " ") += a.Text();
  return text;
}

TEST(FindAddresses, BothFamiliesInTurn) {
  Net net;
  FixedResolver r;
  Fill(r);
  EXPECT_TRUE(r.Add("mail.example.test", dns::kTypeA, "192.0.2.2"));
  EXPECT_TRUE(r.Add("mail.example.test", dns::kTypeAaaa, "2001:db8::1"));
  r.AddFailure("down.test");
  EXPECT_EQ(Addresses(r, net, "mail.example.test"), "2001:db8::1 192.0.2.1 192.0.2.2");
  EXPECT_EQ(Addresses(r, net, "www.example.test", 2), "2001:db8::1 192.0.2.1") << "through an alias, two at most";
  EXPECT_EQ(Addresses(r, net, "192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(Addresses(r, net, "[2001:db8::7]"), "2001:db8::7");
  EXPECT_EQ(Addresses(r, net, "nowhere.test"), "nowhere.test: the host has no address");
  EXPECT_EQ(Addresses(r, net, "example.test"), "example.test: the host has no address");
  EXPECT_EQ(Addresses(r, net, "down.test"), "down.test: the DNS gives no answer: no server answered");
}

}  // namespace
}  // namespace glasspost::net
