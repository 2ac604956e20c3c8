#include "cli/craft_send.h"

#include <fmt/format.h>

#include <algorithm>

#include "agent/answer_ends.h"
#include "agent/connect.h"
#include "analysis/dns_report.h"
#include "base/escape.h"
#include "cli/agent_world.h"
#include "cli/datagram_file.h"
#include "cli/shown_conversation.h"
#include "net/dns_reading.h"

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
    options_.rounds = sending.count;
    for (const CraftedPacket& p : packets) {
      if (p.frame.payload().empty()) continue;
      payloads_.emplace_back(p.frame.payload());
      if (protocol_ == Protocol::kUnknown) protocol_ = p.frame.spoken().protocol;
      stream_ = p.frame.spoken().stream;
    }
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
    end_ = agent::EndOfAnswers(protocol_, tcp);
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
    shown.heard = end_->ear() != nullptr;
    shown.save = sending_.save;
    shown.dialogue = {
        .language = line_.language(), .style = line_.style(), .full = sending_.full, .show_secrets = sending_.show_secrets};
    // What TLS hides is not told.
    auto opened = ShownConversation::Open(protocol_ == Protocol::kTls ? Protocol::kUnknown : protocol_, shown);
    if (!opened) return Complain(opened.error()), kCannotOpen;
    if (end_->ear() != nullptr) (*opened)->SetEar(end_->ear());
    world_->TidyWhenInterrupted([&] { static_cast<void>((*opened)->Close()); });
    const auto told = [this](Octets payload, const agent::PayloadAnswer& answer) {
      if (!OfLines(protocol_)) Tell("tcp", payload, answer);
      return true;
    };
    Expected<agent::PayloadsSent> sent;
    world_->Run(Converse(**opened, told, sent));
    const auto saved = (*opened)->Close();
    if (!sent) return Complain(sent.error()), kCannotOpen;
    if (!saved) return Complain(saved.error()), kCannotOpen;
    return Status(*sent);
  }

  net::Task<void> Converse(ShownConversation& shown, agent::OnPayloadAnswer told, Expected<agent::PayloadsSent>& sent) {
    const agent::TrialLimits limits{.connect = options_.wait, .wait = options_.wait};
    auto connected = co_await agent::ConnectTo(world_->network(), server_, nullptr, limits, [&] { return shown.NewTap(); });
    if (!connected) {
      sent = std::unexpected(connected.error());
      co_return;
    }
    const agent::Network network = world_->network();
    server_endpoint_ = connected->peer.endpoint;
    sent = co_await agent::SendPayloads(network.context, *connected->stream, payloads_, *end_, told, options_);
  }

  int OverUdp() {
    if (!sending_.save.empty()) {
      auto file = DatagramFile::Open(sending_.save);
      if (!file) return Complain(file.error()), kCannotOpen;
      file_ = std::move(*file);
    }
    world_->TidyWhenInterrupted([this] { file_.reset(); });
    Expected<agent::PayloadsSent> sent;
    world_->Run(Exchange(sent));
    file_.reset();
    if (!sent) return Complain(sent.error()), kCannotOpen;
    if (!saved_) return Complain(saved_.error()), kCannotOpen;
    return Status(*sent);
  }

  net::Task<void> Exchange(Expected<agent::PayloadsSent>& sent) {
    const agent::Network network = world_->network();
    const auto addresses = co_await net::FindAddresses(network.resolver, server_.host, 1);
    if (!addresses || addresses->empty()) {
      sent = Fail(addresses ? "has no address" : addresses.error().what, server_.host);
      co_return;
    }
    server_endpoint_ = {addresses->front(), server_.port};
    Endpoint local;
    const auto told = [this, &local](Octets payload, const agent::PayloadAnswer& answer) {
      Tell("udp", payload, answer);
      if (file_) saved_ = Keep(local, payload, answer);
      return saved_.has_value();
    };
    sent = co_await agent::SendDatagrams(network.context, server_endpoint_, payloads_, *end_, told, options_, local);
  }

  Expected<void> Keep(const Endpoint& local, Octets payload, const agent::PayloadAnswer& answer) {
    auto kept = file_->Add(local, server_endpoint_, Direction::kToServer, answer.sent, payload);
    if (kept && !answer.reply.empty())
      kept = file_->Add(server_endpoint_, local, Direction::kToClient, answer.received, answer.reply);
    return kept;
  }

  void Mark(std::string_view mark, Octets octets) const {
    for (std::size_t at = 0; at < octets.size();) {
      const std::size_t end = std::min(octets.find('\n', at), octets.size() - 1) + 1;
      fmt::print("{} {}\n", line_.style().Bold(mark), ForTerminal(octets.substr(at, end - at)));
      at = end;
    }
  }

  void Tell(std::string_view transport, Octets payload, const agent::PayloadAnswer& answer) const {
    if (protocol_ == Protocol::kDns) {
      TellDns(transport, transport == "tcp" ? payload.substr(2) : payload, end_->AnswerIn(answer.reply), answer);
    } else {
      Mark("->", payload);
      Mark("<-", answer.reply);
    }
    std::fflush(stdout);
  }

  void TellDns(std::string_view transport, Octets query, Octets reply, const agent::PayloadAnswer& answer) const {
    analysis::DnsLookup lookup;
    lookup.server = server_endpoint_;
    lookup.transport = transport;
    lookup.query = query;
    lookup.answer = reply;
    lookup.sent = answer.sent;
    lookup.received = answer.received;
    std::string out;
    if (reply.empty())
      out = std::string(line_.Say("No answer came.", "没有收到应答。")) + "\n";
    else
      analysis::AppendDnsAnswer(out, lookup, line_.language(), line_.style());
    std::fwrite(out.data(), 1, out.size(), stdout);
  }

  int Status(const agent::PayloadsSent& sent) const {
    const std::uint64_t all = options_.rounds * payloads_.size();
    if (sent.answered == all) return kDone;
    if (sent.status != net::IoStatus::kOk && sent.sent < all)
      fmt::print(stderr,
                 fmt::runtime(line_.Say("glasspost: the connection ended ({}) when {} of {} were sent\n",
                                        "glasspost：连接已结束（{}），已发送 {}/{}\n")),
                 net::Name(sent.status), sent.sent, all);
    else
      fmt::print(stderr, fmt::runtime(line_.Say("glasspost: {} of {} were answered\n", "glasspost：{} 个得到应答，共 {} 个\n")),
                 sent.answered, all);
    return kRefused;
  }

  const CommandLine& line_;
  const CraftSending& sending_;
  std::unique_ptr<AgentWorld> world_;
  std::unique_ptr<agent::AnswerEnd> end_;
  std::unique_ptr<DatagramFile> file_;
  Expected<void> saved_;
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
