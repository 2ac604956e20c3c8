#include "cli/craft_send.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "agent/connect.h"
#include "agent/disk.h"
#include "agent/payloads.h"
#include "analysis/dns_report.h"
#include "base/escape.h"
#include "capture/pcapng_writer.h"
#include "capture/synthetic_ip.h"
#include "cli/agent_world.h"
#include "cli/shown_conversation.h"
#include "net/dns_reading.h"
#include "wire/dns/framing.h"

namespace glasspost::cli {
namespace {

constexpr std::string_view kTcpScheme = "tcp://", kUdpScheme = "udp://";
constexpr std::uint32_t kMostCount = 1'000'000;    // stops a slip of the finger from sending for days
constexpr std::uint32_t kLongestWait = 3'600'000;  // ms

bool OfLines(Protocol p) { return p == Protocol::kSmtp || p == Protocol::kLmtp || p == Protocol::kPop3 || p == Protocol::kImap; }

class PayloadSender {
 public:
  PayloadSender(const CommandLine& line, const CraftSending& sending, const std::vector<CraftedPacket>& packets)
      : line_(line), sending_(sending) {
    options_.wait = std::chrono::milliseconds(sending.wait);
    options_.interval = std::chrono::milliseconds(sending.interval);
    for (std::uint32_t i = 0; i < sending.count; ++i)
      for (const CraftedPacket& p : packets) {
        if (p.frame.payload().empty()) continue;
        payloads_.emplace_back(p.frame.payload());
        if (protocol_ == Protocol::kUnknown) protocol_ = p.frame.spoken().protocol;
        stream_ = p.frame.spoken().stream;
      }
    options_.greeted = OfLines(protocol_);
  }

  int Run() {
    if (payloads_.empty()) return Complain({"none of the packets has a payload", {}, "add one with --payload"}), kRefused;
    const bool tcp = sending_.target.starts_with(kTcpScheme);
    const std::string where = sending_.target.substr(kTcpScheme.size());
    const bool port = !where.ends_with(']') && where.find(':') != std::string::npos;
    auto server = agent::ParseServer(agent::Service::kPop3, where, agent::TlsKind::kNone);
    if (!server || !port) return Complain({"has no host and port", sending_.target, "write it like tcp://127.0.0.1:110"}), kUsage;
    server_ = *server;
    auto world = AgentWorld::Make({});
    if (!world) return Complain(world.error()), kCannotOpen;
    world_ = std::move(*world);
    return tcp ? OverTcp() : OverUdp();
  }

 private:
  // A conversation of mail is told as it happens, by the code of `analyze`; of others, what goes and comes.
  int OverTcp() {
    // DNS has its length before it there.
    if (protocol_ == Protocol::kDns && !stream_)
      for (std::string& p : payloads_) p.insert(0, {static_cast<char>(p.size() >> 8), static_cast<char>(p.size())});
    ShownConversation::Options shown;
    shown.show = OfLines(protocol_);
    shown.save = sending_.save;
    shown.dialogue = {
        .language = line_.language(), .style = line_.style(), .full = sending_.full, .show_secrets = sending_.show_secrets};
    auto opened = ShownConversation::Open(protocol_, shown);
    if (!opened) return Complain(opened.error()), kCannotOpen;
    agent::PayloadReplies replies;
    Expected<void> reached;
    world_->Run(Converse(**opened, replies, reached));
    const auto saved = (*opened)->Close();
    if (!reached) return Complain(reached.error()), kCannotOpen;
    if (!saved) return Complain(saved.error()), kCannotOpen;
    if (!shown.show) Marks(replies);
    return Status(replies);
  }

  net::Task<void> Converse(ShownConversation& shown, agent::PayloadReplies& replies, Expected<void>& reached) {
    const agent::TrialLimits limits{.connect = options_.wait, .wait = options_.wait};
    auto connected = co_await agent::ConnectTo(world_->network(), server_, nullptr, limits, [&] { return shown.NewTap(); });
    if (!connected) {
      reached = std::unexpected(connected.error());
      co_return;
    }
    const agent::Network network = world_->network();
    replies = co_await agent::SendPayloads(network.context, *connected->stream, payloads_, options_);
  }

  void Mark(std::string_view mark, Octets octets) const {
    for (std::size_t at = 0; at < octets.size();) {
      const std::size_t end = std::min(octets.find('\n', at), octets.size() - 1) + 1;
      fmt::print("{} {}\n", line_.style().Bold(mark), ForTerminal(octets.substr(at, end - at)));
      at = end;
    }
  }

  void Marks(const agent::PayloadReplies& replies) const {
    for (std::size_t i = 0; i < replies.replies.size(); ++i) {
      if (protocol_ == Protocol::kDns) {
        dns::TcpSplitter splitter;
        dns::Framed framed;
        Octets rest = replies.replies[i];
        const bool whole = splitter.Next(rest, framed) == dns::TcpSplitter::Step::kMessage;
        TellDns("tcp", Octets(payloads_[i]).substr(2), whole ? framed.message : Octets(), {});
        continue;
      }
      Mark("->", payloads_[i]);
      Mark("<-", replies.replies[i]);
    }
  }

  int Status(const agent::PayloadReplies& replies) const {
    const auto answered =
        static_cast<std::size_t>(std::ranges::count_if(replies.replies, [](const std::string& r) { return !r.empty(); }));
    if (answered == payloads_.size()) return kDone;
    if (replies.status != net::IoStatus::kOk && replies.replies.size() < payloads_.size())
      fmt::print(stderr,
                 fmt::runtime(line_.Say("glasspost: the connection ended ({}) when {} of {} were sent\n",
                                        "glasspost：连接已结束（{}），已发送 {}/{}\n")),
                 net::Name(replies.status), replies.replies.size(), payloads_.size());
    else
      fmt::print(stderr, fmt::runtime(line_.Say("glasspost: {} of {} were answered\n", "glasspost：{} 个得到应答，共 {} 个\n")),
                 answered, payloads_.size());
    return kRefused;
  }

  void TellDns(std::string_view transport, Octets query, Octets answer, const agent::Datagram& d) const {
    analysis::DnsLookup lookup;
    lookup.server = server_endpoint_;
    lookup.transport = transport;
    lookup.query = query;
    lookup.answer = answer;
    lookup.sent = d.sent;
    lookup.received = d.received;
    std::string out;
    if (answer.empty())
      out = std::string(line_.Say("No answer came.", "没有收到应答。")) + "\n";
    else
      analysis::AppendDnsAnswer(out, lookup, line_.language(), line_.style());
    std::fwrite(out.data(), 1, out.size(), stdout);
  }

  int OverUdp() {
    agent::DatagramReplies replies;
    Expected<void> reached;
    world_->Run(Exchange(replies, reached));
    if (!reached) return Complain(reached.error()), kCannotOpen;
    std::size_t answered = 0;
    for (std::size_t i = 0; i < replies.datagrams.size(); ++i) {
      const agent::Datagram& d = replies.datagrams[i];
      answered += d.reply.empty() ? 0 : 1;
      if (protocol_ == Protocol::kDns) {
        TellDns("udp", payloads_[i], d.reply, d);
      } else {
        Mark("->", payloads_[i]);
        Mark("<-", d.reply);
      }
    }
    if (!sending_.save.empty())
      if (const auto saved = Save(replies); !saved) return Complain(saved.error()), kCannotOpen;
    if (answered == payloads_.size()) return kDone;
    fmt::print(stderr, fmt::runtime(line_.Say("glasspost: {} of {} were answered\n", "glasspost：{} 个得到应答，共 {} 个\n")),
               answered, payloads_.size());
    return kRefused;
  }

  net::Task<void> Exchange(agent::DatagramReplies& replies, Expected<void>& reached) {
    const agent::Network network = world_->network();
    const auto addresses = co_await net::FindAddresses(network.resolver, server_.host, 1);
    if (!addresses || addresses->empty()) {
      reached = Fail(addresses ? "has no address" : addresses.error().what, server_.host);
      co_return;
    }
    server_endpoint_ = {addresses->front(), server_.port};
    auto done = co_await agent::SendDatagrams(network.context, server_endpoint_, payloads_, options_);
    if (!done) {
      reached = std::unexpected(done.error());
      co_return;
    }
    replies = std::move(*done);
  }

  Expected<void> Save(const agent::DatagramReplies& replies) const {
    std::string out;
    capture::PcapngWriter writer(out);
    writer.Section("Glasspost");
    writer.Interface(capture::LinkType::kEthernet);
    std::uint16_t id = 0;
    for (std::size_t i = 0; i < replies.datagrams.size(); ++i) {
      const agent::Datagram& d = replies.datagrams[i];
      writer.Packet(0, d.sent, capture::SyntheticUdp(replies.local, server_endpoint_, Direction::kToServer, ++id, payloads_[i]));
      if (!d.reply.empty())
        writer.Packet(0, d.received, capture::SyntheticUdp(server_endpoint_, replies.local, Direction::kToClient, ++id, d.reply));
    }
    const int fd = ::open(sending_.save.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return agent::SystemError("cannot be written", sending_.save);
    auto written = agent::WriteAll(fd, out, sending_.save);
    if (::close(fd) != 0 && written) return agent::SystemError("cannot be written", sending_.save);
    return written;
  }

  const CommandLine& line_;
  const CraftSending& sending_;
  std::unique_ptr<AgentWorld> world_;
  agent::ServerAddress server_;
  Endpoint server_endpoint_;
  agent::PayloadOptions options_;
  std::vector<std::string> payloads_;
  Protocol protocol_ = Protocol::kUnknown;
  bool stream_ = true;  // the payloads are of TCP
};

}  // namespace

void TakeSendOption(std::vector<std::string>& words, CraftSending& sending) {
  for (auto at = words.begin(); at != words.end();) {
    const bool joined = at->starts_with("--send=");
    if (*at != "--send" && !joined) {
      ++at;
      continue;
    }
    sending.wanted = true;
    if (joined) sending.target = at->substr(at->find('=') + 1);
    at = words.erase(at);
    if (!joined && at != words.end() && at->find("://") != std::string::npos) {
      sending.target = *at;
      at = words.erase(at);
    }
  }
}

void AddSendingOptions(CLI::App& app, CraftSending& sending) {
  app.add_option("--interface", sending.interface);
  app.add_option("--count", sending.count)->check(CLI::Range(1u, kMostCount));
  app.add_option("--interval", sending.interval)->check(CLI::Range(0u, kLongestWait));
  app.add_option("--wait", sending.wait)->check(CLI::Range(0u, kLongestWait));
  app.add_option("--save", sending.save);
  app.add_flag("--show-secrets", sending.show_secrets);
  app.add_flag("--full", sending.full);
}

Expected<void> CheckSending(const CraftSending& s) {
  const bool payload = !s.target.empty();
  if (!s.wanted && (!s.interface.empty() || !s.save.empty() || s.count != 1))
    return Fail("--interface, --count and --save are of --send");
  if (payload && !s.target.starts_with(kTcpScheme) && !s.target.starts_with(kUdpScheme))
    return Fail("is neither tcp:// nor udp://", s.target, "write it like tcp://127.0.0.1:110; without it packets are sent raw");
  if (payload && !s.interface.empty()) return Fail("--interface is of raw packets, not of " + s.target);
  if (!payload && !s.save.empty()) return Fail("--save is of --send tcp:// and udp://", {}, "-w writes the packets");
  return {};
}

int SendPackets(const CommandLine& line, const CraftSending& sending, std::vector<CraftedPacket>& packets) {
  if (sending.target.empty()) return SendRaw(line, sending, packets);
  return PayloadSender(line, sending, packets).Run();
}

}  // namespace glasspost::cli
