// Crafted packets past the kernel's own TCP and UDP, and the answer to each.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <thread>

#include "analysis/hex_report.h"
#include "base/escape.h"
#include "capture/describe.h"
#include "cli/craft_send.h"
#include "net/machine.h"
#include "net/raw_socket.h"
#include "server/network.h"

namespace glasspost::cli {
namespace {

using capture::FieldList;

struct IcmpWords {
  int version, type, code;
  std::string_view words[2];  // by Language
};
constexpr IcmpWords kIcmpWords[] = {
#define GLASSPOST_CRAFT_ICMP(version, type, code, en, zh) {version, type, code, {en, zh}},
#include "cli/texts/craft.inc"
#undef GLASSPOST_CRAFT_ICMP
};

std::optional<std::uint64_t> NumberIn(const FieldList& list, Field field) {
  for (const auto& e : list.entries)
    if (e.field == field && !e.missing)
      if (const auto* number = std::get_if<std::uint64_t>(&e.value)) return *number;
  return {};
}

std::optional<Address> AddressIn(const FieldList& list, Field v4, Field v6) {
  for (const auto& e : list.entries) {
    const auto* octets = std::get_if<Bytes>(&e.value);
    if (octets == nullptr) continue;
    if (e.field == v4) return Address::V4(octets->data());
    if (e.field == v6) return Address::V6(octets->data());
  }
  return {};
}

capture::RawFrame AsRawIp(Bytes packet, std::uint64_t number) {
  return {.number = number,
          .time = 0,
          .link = capture::LinkType::kRaw,
          .wire_length = static_cast<std::uint32_t>(packet.size()),
          .octets = packet};
}

// Whose packet it is: the addresses, and of TCP and UDP the ports (0 otherwise).
struct Flow {
  Address source, destination;
  std::uint64_t source_port = 0, destination_port = 0;
  bool operator==(const Flow&) const = default;
};

std::optional<Flow> FlowOf(const FieldList& list) {
  const auto source = AddressIn(list, Field::kIpSource, Field::kIpv6Source);
  const auto destination = AddressIn(list, Field::kIpDestination, Field::kIpv6Destination);
  if (!source || !destination) return {};
  const auto port = [&](Field tcp, Field udp) { return NumberIn(list, tcp).value_or(NumberIn(list, udp).value_or(0)); };
  return Flow{*source, *destination, port(Field::kTcpSourcePort, Field::kUdpSourcePort),
              port(Field::kTcpDestinationPort, Field::kUdpDestinationPort)};
}

class RawSender {
 public:
  RawSender(const CommandLine& line, const CraftSending& sending, std::vector<CraftedPacket>& packets)
      : line_(line), sending_(sending), packets_(packets) {}

  int Run() {
    if (const auto ready = Prepare(); !ready) return Complain(ready.error()), kCannotOpen;
    bool all = true;
    for (std::uint32_t round = 0; round < sending_.count; ++round)
      for (std::size_t i = 0; i < packets_.size(); ++i) {
        if (sent_++ > 0) std::this_thread::sleep_for(std::chrono::milliseconds(sending_.interval));
        const auto done = SendOne(packets_[i], i + 1);
        if (!done) return Complain(done.error()), kCannotOpen;
        all &= *done;
      }
    return all || sending_.wait == 0 ? kDone : kRefused;
  }

 private:
  Expected<void> Prepare() {
    for (std::size_t i = 0; i < packets_.size(); ++i) {
      CraftedPacket& p = packets_[i];
      const std::string where = fmt::format("packet {}", i + 1);
      const auto ip = p.frame.OuterIp();
      if (p.of_template && !p.named_destination) return Fail("says no address where it goes", where, "--dst ADDRESS[:PORT]");
      if (sending_.interface.empty() && !ip) return Fail("is no IP packet", where, "say --interface NAME to send it as a frame");
      if (sending_.interface.empty()) continue;
      if (p.frame.link() != capture::LinkType::kEthernet)
        return Fail("is no Ethernet frame", where, "leave --interface out to send it as an IP packet");
      if (p.of_template && !p.set_mac)
        if (auto done = FillMac(p, ip->destination, where); !done) return done;
    }
    if (sending_.wait > 0) {
      auto ear = net::PacketEar::Open(sending_.interface);
      if (!ear) return std::unexpected(ear.error());
      ear_.emplace(std::move(*ear));
    }
    if (sending_.interface.empty()) return {};
    auto sender = net::FrameSender::Open(sending_.interface);
    if (!sender) return std::unexpected(sender.error());
    frames_.emplace(std::move(*sender));
    return {};
  }

  // The interface's own address, for what it sends itself; another machine's is known only to whoever asks for it.
  Expected<void> FillMac(CraftedPacket& packet, const Address& destination, const std::string& where) {
    const net::Machine machine = net::DescribeMachine();
    const auto at = std::ranges::find(machine.interfaces, sending_.interface, &net::Interface::name);
    if (at == machine.interfaces.end()) return Fail("there is no such interface", sending_.interface, "ip link lists them");
    const std::string own = at->hardware.empty() ? "00:00:00:00:00:00" : at->hardware;
    const bool here = std::ranges::any_of(at->addresses, [&](const auto& n) { return n.address == destination; });
    if (!here && !at->hardware.empty())
      return Fail("says no MAC address where it goes", where, "--set eth.dst=… (ip neighbour tells those that are known)");
    std::vector<capture::Assignment> sets{{"eth.dst", 1, own}};
    if (!packet.set_source_mac) sets.push_back({"eth.src", 1, own});
    return packet.frame.Set(sets);
  }

  // False: it was waited for an answer, and none came.
  Expected<bool> SendOne(const CraftedPacket& packet, std::size_t number) {
    const auto ip = packet.frame.OuterIp();
    const Octets octets = packet.frame.octets();
    if (frames_) {
      if (auto done = frames_->Send(octets); !done) return std::unexpected(done.error());
    } else {
      auto& sender = ip->v6 ? v6_ : v4_;
      if (!sender) {
        auto opened = net::PacketSender::Open(ip->v6);
        if (!opened) return std::unexpected(opened.error());
        sender.emplace(std::move(*opened));
      }
      if (auto done = sender->Send(octets.substr(ip->range.offset, ip->range.length), ip->destination); !done)
        return std::unexpected(done.error());
    }
    const std::size_t size = frames_ ? octets.size() : ip->range.length;
    const std::string how = frames_ ? fmt::format(fmt::runtime(line_.Say("out of {}", "经由 {}")), sending_.interface)
                                    : std::string(line_.Say("by way of the routes", "按路由"));
    fmt::print(fmt::runtime(line_.Say("Packet {}: {} octets sent to {} {}.\n", "第 {} 个分组：已发送 {} 字节，目的 {}，{}。\n")),
               number, size, ip ? ip->destination.Text() : "-", how);
    return sending_.wait == 0 || Hear(packet);
  }

  bool Hear(const CraftedPacket& packet) {
    FieldList list;
    DescribeFrame(packet.Raw(1), list);
    const auto sent = FlowOf(list);
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(sending_.wait);
    while (sent) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
      const auto heard = left.count() > 0 ? ear_->Next(left) : std::nullopt;
      if (!heard) break;
      if (Answers(*sent, AsBytes(*heard))) return true;
    }
    fmt::print("  {}\n", line_.Say("no answer came", "没有收到应答"));
    if (frames_ && sent && server::IsLoopback(sent->destination))
      fmt::print("  {}\n",
                 line_.Say("Linux drops frames for loopback addresses that were put into an interface: leave --interface out",
                           "Linux 丢弃从接口注入、目的为回环地址的帧：请去掉 --interface"));
    return false;
  }

  // True: it is the answer, which is told.
  bool Answers(const Flow& sent, Bytes octets) {
    const capture::RawFrame frame = AsRawIp(octets, answers_ + 1);
    FieldList list;
    const capture::FrameDescription d = DescribeFrame(frame, list);
    const auto flow = FlowOf(list);
    if (!flow) return false;
    std::string words;
    if (d.result == capture::DecodeResult::kPacket) {
      if (*flow != Flow{sent.destination, sent.source, sent.destination_port, sent.source_port}) return false;
      words = TransportWords(d.packet);
    } else {
      words = IcmpAnswer(sent, *flow, list);
      if (words.empty()) return false;
    }
    ++answers_;
    fmt::print("  {} {}: {}\n", line_.Say("answer from", "应答来自"), flow->source.Text(), line_.style().Green(words));
    const std::string text = analysis::DescribeFrameText(frame, nullptr, line_.language(), line_.style());
    std::fwrite(text.data(), 1, text.size(), stdout);
    return true;
  }

  std::string TransportWords(const capture::Packet& p) const {
    const bool ack = (p.flags & capture::kAck) != 0;
    if (p.transport == capture::kUdp)
      return fmt::format(fmt::runtime(line_.Say("a datagram of {} octets", "{} 字节的数据报")), p.payload_length);
    if ((p.flags & capture::kRst) != 0)
      return std::string(line_.Say("RST: nobody listens there, or the connection is not known", "RST：无人监听，或没有这个连接"));
    if ((p.flags & capture::kSyn) != 0 && ack)
      return std::string(line_.Say("SYN-ACK: the port is open, somebody listens", "SYN-ACK：端口开放，有人监听"));
    if ((p.flags & capture::kFin) != 0) return std::string(line_.Say("FIN: the other side closes", "FIN：对方关闭连接"));
    return fmt::format(fmt::runtime(line_.Say("a segment with {} octets of data", "带 {} 字节数据的报文段")), p.payload_length);
  }

  // Empty: it is about something else.
  std::string IcmpAnswer(const Flow& sent, const Flow& flow, const FieldList& list) const {
    const auto type4 = NumberIn(list, Field::kIcmpType);
    const auto type = type4 ? type4 : NumberIn(list, Field::kIcmpv6Type);
    const auto code = NumberIn(list, type4 ? Field::kIcmpCode : Field::kIcmpv6Code);
    if (!type || !code || flow.destination != sent.source) return {};
    const auto data = std::ranges::find(list.entries, Field::kData, &FieldList::Entry::field);
    FieldList quoted;
    if (data != list.entries.end())
      if (const auto* octets = std::get_if<Bytes>(&data->value)) DescribeFrame(AsRawIp(*octets, 1), quoted);
    const bool echo = sent.source_port == 0 && flow.source == sent.destination;
    if (FlowOf(quoted) != sent && !echo) return {};
    for (const IcmpWords& w : kIcmpWords)
      if (w.version == (type4 ? 4 : 6) && static_cast<std::uint64_t>(w.type) == *type &&
          (w.code < 0 || static_cast<std::uint64_t>(w.code) == *code))
        return "ICMP: " + std::string(w.words[static_cast<int>(line_.language())]);
    return fmt::format("ICMP: {} {}, {} {}", line_.Say("type", "类型"), *type, line_.Say("code", "代码"), *code);
  }

  const CommandLine& line_;
  const CraftSending& sending_;
  std::vector<CraftedPacket>& packets_;
  std::optional<net::PacketEar> ear_;
  std::optional<net::FrameSender> frames_;
  std::optional<net::PacketSender> v4_, v6_;
  std::uint64_t sent_ = 0;
  std::uint64_t answers_ = 0;
};

}  // namespace

int SendRaw(const CommandLine& line, const CraftSending& sending, std::vector<CraftedPacket>& packets) {
  return RawSender(line, sending, packets).Run();
}

}  // namespace glasspost::cli
