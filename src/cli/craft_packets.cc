#include "cli/craft_packets.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "analysis/detector.h"
#include "base/ascii.h"
#include "capture/frame_source.h"
#include "capture/synthetic_ip.h"
#include "capture/synthetic_tcp.h"
#include "net/raw_socket.h"
#include "server/network.h"
#include "wire/dns/message.h"
#include "wire/dns/recognise.h"
#include "wire/smtp/reply.h"
#include "wire/tls/records.h"

namespace glasspost::cli {
namespace {

using capture::CraftedFrame;

constexpr std::uint16_t kClientPort = 49'152;
constexpr std::size_t kTemplateText = 65'000;  // octets, over UDP

struct Pattern {
  std::string_view name;
  std::uint16_t port;
  bool udp;
  Protocol speaks;
  std::string_view text;  // where none is given
};
constexpr Pattern kPatterns[] = {
    {"syn", 25, false, Protocol::kUnknown, ""},
    {"tcp", 80, false, Protocol::kUnknown, ""},
    {"udp", 9, true, Protocol::kUnknown, ""},
    {"smtp", 25, false, Protocol::kSmtp, "NOOP"},
    {"pop3", 110, false, Protocol::kPop3, "NOOP"},
    {"imap", 143, false, Protocol::kImap, "a1 NOOP"},
    {"dns", 53, true, Protocol::kDns, "example.test A"},
};

// Behind STARTTLS, too, on whatever port.
bool IsTls(Octets payload) {
  tls::RecordHeader header;
  return tls::ParseRecordHeader(AsBytes(payload), header);
}

// Does the server say it? By its first octets.
bool SaidByServer(Protocol protocol, Octets payload) {
  if (protocol == Protocol::kDns) return dns::SentByServer(payload);
  if (protocol == Protocol::kPop3) return payload.starts_with("+") || payload.starts_with("-");
  if (protocol == Protocol::kImap) return payload.starts_with("*") || payload.starts_with("+");
  smtp::ReplyLine reply;
  return smtp::ParseReplyLine(payload.substr(0, payload.find_first_of("\r\n")), reply);
}

// The ports say who is the server and what is spoken, unless it was ordered.
capture::Spoken SpokenBy(const CraftedFrame& frame, Protocol ordered) {
  capture::Spoken spoken;
  spoken.stream = frame.transport() == capture::kTcp;
  const Protocol to = analysis::ProtocolOfPort(frame.destination_port());
  const Protocol from = analysis::ProtocolOfPort(frame.source_port());
  spoken.protocol = ordered != Protocol::kUnknown ? ordered : to != Protocol::kUnknown ? to : from;
  if (!spoken.stream && ordered == Protocol::kUnknown)
    spoken.protocol =
        dns::LooksLikeDns(frame.payload(), frame.source_port(), frame.destination_port()) ? Protocol::kDns : Protocol::kUnknown;
  if (spoken.stream && ordered == Protocol::kUnknown && IsTls(frame.payload())) spoken.protocol = Protocol::kTls;
  const bool by_port = to != from && (to == spoken.protocol || from == spoken.protocol);
  const bool server = by_port ? from == spoken.protocol : SaidByServer(spoken.protocol, frame.payload());
  spoken.direction = server ? Direction::kToClient : Direction::kToServer;
  return spoken;
}

Expected<void> Edit(CraftedPacket& packet, const PacketOrder& order) {
  CraftedFrame& frame = packet.frame;
  if (order.payload)
    if (auto done = frame.SetPayload(*order.payload); !done) return done;
  frame.Speak(SpokenBy(frame, order.speaks));
  for (const std::string& name : order.kept)
    if (auto done = frame.Keep(name); !done) return done;
  for (const capture::Assignment& record : order.adds)
    if (auto done = frame.Add(record); !done) return done;
  if (auto done = frame.Set(order.sets); !done) return done;
  for (const capture::Assignment& a : order.sets) {
    packet.set_mac |= a.name == "eth.dst";
    packet.set_source_mac |= a.name == "eth.src";
  }
  return frame.Finish();
}

class Source {
 public:
  // The frames of one file that were ordered; 0 among them: all.
  static Expected<std::map<std::uint64_t, CraftedPacket>> Read(const std::string& file,
                                                               const std::vector<std::uint64_t>& wanted) {
    std::map<std::uint64_t, CraftedPacket> found;
    const bool all = std::ranges::find(wanted, 0u) != wanted.end();
    capture::FrameSource source({file});
    capture::FrameBatch batch;
    for (;;) {
      const auto more = source.Next(batch);
      if (!more) return std::unexpected(more.error());
      if (!*more) break;
      for (const capture::RawFrame& raw : batch.frames) {
        if (!all && std::ranges::find(wanted, raw.number) == wanted.end()) continue;
        if (found.size() == CraftBounds::kPackets)
          return Fail("has too many frames", file, fmt::format("at most {}; name some with --frame", CraftBounds::kPackets));
        auto taken = CraftedFrame::Take(raw);
        if (!taken) return std::unexpected(taken.error());
        found.emplace(raw.number, CraftedPacket{.frame = std::move(*taken), .time = raw.time});
      }
    }
    for (const std::uint64_t number : wanted)
      if (number != 0 && !found.contains(number))
        return Fail(
            source.faults().empty() ? fmt::format("has only {} frames", source.frames()) : source.faults().front().error.what,
            fmt::format("{}, frame {}", file, number));
    return found;
  }
};

class Maker {
 public:
  Maker(const std::vector<PacketOrder>& orders, bool to_be_sent) : orders_(orders), to_be_sent_(to_be_sent) {}

  Expected<std::vector<CraftedPacket>> Make() {
    std::map<std::string, std::vector<std::uint64_t>> wanted;
    for (const PacketOrder& o : orders_)
      if (!o.file.empty()) wanted[o.file].push_back(o.frame);
    for (const auto& [file, numbers] : wanted) {
      auto read = Source::Read(file, numbers);
      if (!read) return std::unexpected(read.error());
      files_.emplace(file, std::move(*read));
    }
    for (const PacketOrder& order : orders_) {
      const auto made = order.file.empty() ? FromTemplate(order) : FromFile(order);
      if (!made) return std::unexpected(made.error());
    }
    return std::move(packets_);
  }

 private:
  class Taken final : public capture::SyntheticTcp::Sink {
   public:
    void OnFrame(Octets frame, Timestamp) override { octets = frame; }
    std::string octets;
  };

  Expected<void> FromFile(const PacketOrder& order) {
    if (order.text || !order.source.empty() || !order.destination.empty())
      return Fail("--src, --dst and --text are of templates", order.file, "of a frame, set fields: --set ip.dst=192.0.2.1");
    const auto& frames = files_.at(order.file);
    for (const auto& [number, packet] : frames) {
      if (order.frame != 0 && number != order.frame) continue;
      if (packets_.size() == CraftBounds::kPackets) return Fail("are too many packets", order.file);
      packets_.push_back(packet);
      if (auto done = Edit(packets_.back(), order); !done) {
        Error error = done.error();
        error.where = fmt::format("frame {}: {}", number, error.where);
        return std::unexpected(error);
      }
    }
    return {};
  }

  Expected<void> FromTemplate(const PacketOrder& order) {
    const Pattern& pattern = *std::ranges::find(kPatterns, order.pattern, &Pattern::name);
    const auto destination = server::ParseEndpoint(order.destination.empty() ? "192.0.2.2" : order.destination, pattern.port);
    if (!destination) return std::unexpected(destination.error());
    const auto source = SourceOf(order, destination->address);
    if (!source) return std::unexpected(source.error());
    auto payload = PayloadOf(pattern, order);
    if (!payload) return std::unexpected(payload.error());
    auto& flow = flows_.try_emplace({*source, *destination}, *source, *destination).first->second;
    Taken taken;
    if (pattern.udp)
      taken.octets = capture::SyntheticUdp(*source, *destination, Direction::kToServer,
                                           static_cast<std::uint16_t>(packets_.size() + 1), *payload);
    else
      flow.Segment(Direction::kToServer, pattern.name == "syn" ? capture::kSyn : capture::kPsh | capture::kAck, *payload, 0,
                   taken);
    const capture::RawFrame raw{.number = packets_.size() + 1,
                                .time = 0,
                                .link = capture::LinkType::kEthernet,
                                .wire_length = static_cast<std::uint32_t>(taken.octets.size()),
                                .octets = AsBytes(taken.octets)};
    auto frame = CraftedFrame::Take(raw);
    if (!frame) return std::unexpected(frame.error());
    packets_.push_back({.frame = std::move(*frame), .of_template = true, .named_destination = !order.destination.empty()});
    PacketOrder edits = order;
    if (edits.speaks == Protocol::kUnknown) edits.speaks = pattern.speaks;
    if (auto done = Edit(packets_.back(), edits); !done) return done;
    // The next segment goes on where this one, as it was edited, ends.
    if (!pattern.udp) flow.Skip(Direction::kToServer, std::uint64_t{packets_.back().frame.payload().size()} - payload->size());
    return {};
  }

  Expected<Endpoint> SourceOf(const PacketOrder& order, const Address& destination) const {
    if (!order.source.empty()) return server::ParseEndpoint(order.source, kClientPort);
    if (to_be_sent_)
      if (const auto own = net::SourceFor(destination)) return Endpoint{*own, kClientPort};
    const bool v4 = destination.is_v4();
    if (server::IsLoopback(destination)) return server::ParseEndpoint(v4 ? "127.0.0.1" : "[::1]", kClientPort);
    return server::ParseEndpoint(v4 ? "192.0.2.1" : "[2001:db8::1]", kClientPort);
  }

  static Expected<std::string> PayloadOf(const Pattern& pattern, const PacketOrder& order) {
    std::string text = order.text.value_or(std::string(pattern.text));
    if (pattern.name == "dns") return Query(text);
    if (pattern.name == "syn" && !text.empty())
      return Fail("a SYN of a template has no text", "--text", "add one with --payload");
    if (pattern.speaks != Protocol::kUnknown && !text.ends_with('\n')) text += "\r\n";
    const std::size_t most = pattern.udp ? kTemplateText : capture::SyntheticTcp::kSegment;
    if (text.size() > most)
      return Fail("is too long", "--text", fmt::format("a packet of a template has at most {} octets", most));
    return text;
  }

  // "NAME [TYPE]"
  static Expected<std::string> Query(Octets text) {
    text = Trim(text);
    const std::size_t space = std::min(text.find(' '), text.size());
    const Octets word = Trim(text.substr(space));
    const auto type = word.empty() ? std::optional(dns::kTypeA) : dns::ParseType(word);
    dns::Message query;
    query.id = 1;
    query.flags = dns::kFlagRd;
    if (!type || !query.AddQuestion(text.substr(0, space), *type))
      return Fail("is no question", "--text " + std::string(text), "write it like 'example.test MX'");
    std::string octets;
    dns::Encode(query, octets);
    return octets;
  }

  const std::vector<PacketOrder>& orders_;
  const bool to_be_sent_;
  std::map<std::string, std::map<std::uint64_t, CraftedPacket>> files_;
  std::map<std::pair<Endpoint, Endpoint>, capture::SyntheticTcp> flows_;
  std::vector<CraftedPacket> packets_;
};

}  // namespace

capture::RawFrame CraftedPacket::Raw(std::uint64_t number) const {
  return {.number = number,
          .time = time,
          .link = frame.link(),
          .wire_length = static_cast<std::uint32_t>(frame.octets().size()),
          .octets = AsBytes(frame.octets())};
}

Expected<std::vector<CraftedPacket>> MakePackets(const std::vector<PacketOrder>& orders, bool to_be_sent) {
  return Maker(orders, to_be_sent).Make();
}

}  // namespace glasspost::cli
