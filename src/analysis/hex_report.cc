#include "analysis/hex_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "analysis/detector.h"
#include "analysis/field_lines.h"
#include "analysis/note.h"
#include "base/ascii.h"
#include "base/escape.h"
#include "base/sha256.h"
#include "base/time_text.h"
#include "capture/checksum.h"
#include "capture/describe.h"
#include "wire/dns/recognise.h"

namespace glasspost::analysis {
namespace {

constexpr std::size_t kRowOctets = 16;    // of payload a row
constexpr std::uint64_t kUdp = 17;        // ip.proto
constexpr std::size_t kFirstPackets = 3;  // shown where nothing was said: the handshake, or what there is of it

class Describer {
 public:
  Describer(const Veils* veils, Language language, const Style& style)
      : veils_(veils), language_(language), chinese_(language == Language::kChinese), style_(style), lines_(language, style) {}

  std::string Tell(const capture::RawFrame& frame) {
    capture::FieldList list;
    const capture::FrameDescription d = capture::DescribeFrame(frame, list);
    Title(frame, d);
    carries_udp_ = std::ranges::any_of(list.entries, [](const auto& e) {
      const bool names = e.field == Field::kIpProtocol || e.field == Field::kIpv6FragmentNext;
      const auto* protocol = std::get_if<std::uint64_t>(&e.value);
      return names && protocol != nullptr && *protocol == kUdp;
    });
    for (const auto& e : list.entries) {
      if (e.field == Field::kFrameNumber || e.field == Field::kFrameLength || e.field == Field::kFrameCaptured) continue;
      Entry(frame, e);
    }
    if (d.result == capture::DecodeResult::kPacket) Message(frame, list, d.packet);
    if (d.captured < d.expected) {
      out_ += style_.Yellow(
          chinese_ ? fmt::format("  只有 {} 个八位组，原有 {} 个：其余未捕获，不作猜测。\n", d.captured, d.expected)
                   : fmt::format("  only {} of {} octets are here: the rest was not captured, and nothing is guessed.\n",
                                 d.captured, d.expected));
    } else if (std::ranges::any_of(list.entries, [&](const auto& e) { return EndsBehind(frame, e); })) {
      out_ += style_.Yellow(chinese_ ? "  帧太短：在头部中间就结束了。\n"
                                     : "  the frame is short: it ends in the midst of a header.\n");
    }
    if (d.result != capture::DecodeResult::kPacket) Guess(list);
    return std::move(out_) + "\n";
  }

 private:
  void Title(const capture::RawFrame& frame, const capture::FrameDescription& d) {
    std::string time;
    if (frame.time != 0) time = "  ", AppendTimeOfDay(time, frame.time);
    const std::string head = chinese_ ? fmt::format("第 {} 帧，{} 个八位组", frame.number, d.captured)
                                      : fmt::format("Frame {}, {} octets", frame.number, d.captured);
    out_ += style_.Bold(head) + style_.Dim(time) + "\n";
  }

  // What the datagram says, where that is DNS.
  void Message(const capture::RawFrame& frame, const capture::FieldList& list, const capture::Packet& packet) {
    for (const auto& e : list.entries) {
      if (e.field != Field::kUdpPayload || e.missing || e.range.offset + e.range.length > frame.octets.size()) continue;
      const Octets message = AsOctets(frame.octets.subspan(e.range.offset, e.range.length));
      if (!dns::LooksLikeDns(message, packet.source_port, packet.destination_port)) return;
      lines_.Heading(out_, chinese_ ? "域名系统 DNS" : "Domain Name System", "dns", message.size());
      AppendDnsFields(out_, message, e.range.offset, language_, style_);
    }
  }

  static bool EndsBehind(const capture::RawFrame& frame, const capture::FieldList::Entry& e) {
    return e.missing && e.range.offset + e.range.length > frame.octets.size();
  }

  // Of a packet that is cut inside of its TCP header: what the ports say.
  void Guess(const capture::FieldList& list) {
    std::uint64_t ports[2] = {};  // source, destination
    for (const auto& e : list.entries)
      if (const auto* port = std::get_if<std::uint64_t>(&e.value); port != nullptr && !e.missing) {
        if (e.field == Field::kTcpSourcePort) ports[0] = *port;
        if (e.field == Field::kTcpDestinationPort) ports[1] = *port;
      }
    for (const int side : {1, 0}) {
      const Protocol protocol = ports[1] == 0 ? Protocol::kUnknown : ProtocolOfPort(static_cast<std::uint16_t>(ports[side]));
      if (protocol == Protocol::kUnknown) continue;
      const std::string name = UpperCase(Name(protocol));
      out_ += chinese_ ? fmt::format("  TCP {}端口 {}，可能是 {}：只能看端口。\n", side == 1 ? "到" : "来自", ports[side], name)
                       : fmt::format("  TCP {} port {}, probably {}: only the port says so.\n", side == 1 ? "to" : "from",
                                     ports[side], name);
      return;
    }
  }

  // A field of which only the beginning is here.
  void Part(const capture::RawFrame& frame, const capture::FieldList::Entry& e) {
    const Bytes here = frame.octets.subspan(e.range.offset);
    std::string value;
    if (e.field == Field::kIpSource || e.field == Field::kIpDestination) {
      for (const std::uint8_t octet : here) value += fmt::format("{}.", octet);
      value += "…" + std::string(chinese_ ? "，" : ", ");
    }
    const std::string_view rest = chinese_ ? "其余未捕获" : "the rest was not captured";
    out_ += style_.Yellow(fmt::format("    {:04x}  {}{} ({}): {}{}\n", e.range.offset,
                                      PadRight(HexOctets(here, kFieldOctets), kFieldHexWidth), lines_.Label(e.field),
                                      Info(e.field).abbreviation, value, rest));
  }

  void Entry(const capture::RawFrame& frame, const capture::FieldList::Entry& e) {
    const FieldInfo& info = Info(e.field);
    const std::size_t size = frame.octets.size();
    if (e.missing && e.range.offset < size && EndsBehind(frame, e)) return Part(frame, e);
    if (e.missing) {
      out_ += style_.Yellow(fmt::format("    {:04x}  {}{} ({}): {}\n", e.range.offset, std::string(kFieldHexWidth, ' '),
                                        lines_.Label(e.field), info.abbreviation, chinese_ ? "未捕获" : "not captured"));
      return;
    }
    const bool header = std::holds_alternative<std::monostate>(e.value);
    const std::size_t from = std::min(e.range.offset, size);
    const Bytes octets = frame.octets.subspan(from, std::min(e.range.length, size - from));
    if (header) return lines_.Heading(out_, lines_.Label(e.field), info.abbreviation, octets.size());
    const bool payload = e.field == Field::kTcpPayload || e.field == Field::kUdpPayload || e.field == Field::kData;
    if (e.field == Field::kIpFragment) return Fragment(e, octets);
    if (!payload)
      return lines_.Line(out_, e.field, e.range.offset, octets, FieldValueText(e.field, e.value, e.range.length, language_));
    Payload(frame.number, e, octets);
  }

  void Payload(std::uint64_t frame, const capture::FieldList::Entry& e, Bytes octets) {
    Rows(e, octets, veils_ == nullptr ? std::string(octets.size(), ' ') : veils_->Hidden(frame, AsOctets(octets)));
  }

  // A secret may lie in two of them, and be recognised in neither.
  void Fragment(const capture::FieldList::Entry& e, Bytes octets) {
    const bool hidden = veils_ != nullptr && !carries_udp_;
    Rows(e, octets, std::string(octets.size(), hidden ? '*' : ' '));
  }

  void Rows(const capture::FieldList::Entry& e, Bytes octets, const std::string& hidden) {
    lines_.Heading(out_, lines_.Label(e.field), Info(e.field).abbreviation, octets.size());
    for (std::size_t at = 0; at < octets.size(); at += kRowOctets) {
      const Bytes row = octets.subspan(at, std::min(kRowOctets, octets.size() - at));
      const std::string_view veil = std::string_view(hidden).substr(at, row.size());
      std::string ascii;
      for (std::size_t i = 0; i < row.size(); ++i)
        ascii += veil[i] == '*' ? '*' : row[i] >= 0x20 && row[i] < 0x7f ? static_cast<char>(row[i]) : '.';
      out_ += style_.Dim(fmt::format("    {:04x}  ", e.range.offset + at)) +
              style_.Cyan(PadRight(HexOctets(row, kRowOctets, veil), kRowOctets * 3 + 1)) + ascii + "\n";
    }
  }

  const Veils* veils_;
  Language language_;
  bool chinese_;
  const Style& style_;
  FieldLines lines_;
  bool carries_udp_ = false;
  std::string out_;
};

}  // namespace

class ExchangeFrames::Finder final : public Teller {
 public:
  explicit Finder(const ExchangeFrames& owner) : owner_(owner) {}
  void OnPacket(const ConversationFacts&, int, const capture::Packet& p) override {
    if (owner_.exchange_ == kAll) return frames_.push_back(p.frame);
    if (first_packets_.size() < kFirstPackets) first_packets_.push_back(p.frame);
  }
  void OnExchange(const ConversationFacts&, const Exchange& e) override {
    last_ = e.number;
    if (!owner_.show_secrets_) Conceal(e);
    if (owner_.exchange_ == kAll) return;
    if (owner_.exchange_ != 0) {
      if (e.number == owner_.exchange_) Take(e);
    } else if (frames_.empty() || (!both_sides_ && e.has_request && e.has_reply)) {
      both_sides_ = e.has_request && e.has_reply;
      Take(e);
    }
  }
  void OnMessage(const ConversationFacts&, const MessageFacts&) override {}
  void OnFinding(const ConversationFacts&, const Finding&) override {}
  void Finish(const ConversationFacts& facts, TextStore&) override {
    if (frames_.empty() && owner_.exchange_ == 0) frames_ = first_packets_;
    if (owner_.show_secrets_) return;
    // What is in no exchange may be the rest of a line that was lost, or a secret once more.
    const bool doubtful = facts.protocol != Protocol::kDns && facts.tls == nullptr &&
                          (facts.secrets != nullptr || !facts.gaps.empty() || !facts.syn_seen);
    for (const std::uint64_t frame : frames_) {
      Veils::Veil veil{facts.secrets, doubtful && !said_.contains(frame), {}};
      if (const auto at = masked_.find(frame); at != masked_.end()) veil.whole = true, veil.told = std::move(at->second);
      owner_.veils_.Add(frame, std::move(veil));
    }
  }
  std::string Note() override {
    std::string note;
    PutNumber(note, last_);
    for (const std::uint64_t frame : frames_) PutNumber(note, frame);
    return note;
  }

 private:
  void Take(const Exchange& e) {
    frames_.clear();
    for (const FrameList* list : {&e.request.span.frames, &e.reply.span.frames})
      list->ForEach([&](std::uint64_t f) { frames_.push_back(f); });
  }

  // Remembers which frames say something, and which of them what must not be shown.
  void Conceal(const Exchange& e) {
    const Request& r = e.request;
    std::string told = r.tag.empty() ? "" : r.tag + " ";
    Conceal(r.span.frames, told.append(r.VerbAsWritten()).append(" ").append(r.argument));
    Conceal(e.reply);
    for (const Reply& reply : e.more_replies) Conceal(reply);
  }
  void Conceal(const Reply& r) {
    std::string told = r.code > 0                                               ? fmt::format("{:03} ", r.code)
                       : r.status.starts_with('+') || r.status.starts_with('-') ? r.status + " "
                                                                                : "";
    if (!r.enhanced.empty()) told += r.enhanced + " ";
    Conceal(r.span.frames, told + r.text);
  }
  // `told` as it was on the wire, more or less: what comes before the first mask may be shown where one frame holds it.
  void Conceal(const FrameList& frames, std::string told) {
    const std::size_t mask = told.find(kMask);
    if (mask != std::string::npos) told.resize(frames.size() == 1 ? mask : 0);
    frames.ForEach([&](std::uint64_t f) {
      said_.insert(f);
      if (mask != std::string::npos && !masked_.emplace(f, told).second) masked_[f].clear();
    });
  }

  static constexpr std::string_view kMask = "*** (";

  const ExchangeFrames& owner_;
  std::unordered_map<std::uint64_t, std::string> masked_;  // by frame, what may be shown of it all the same
  std::unordered_set<std::uint64_t> said_;
  std::vector<std::uint64_t> frames_;
  std::vector<std::uint64_t> first_packets_;
  std::uint64_t last_ = 0;  // number of the last exchange
  bool both_sides_ = false;
};

void ExchangeFrames::Write(std::uint64_t /*number*/, Octets note, TextStore& /*text*/) {
  most_exchanges_ = std::max(most_exchanges_, TakeNumber(note));
  while (!note.empty()) frames_.push_back(TakeNumber(note));
  std::sort(frames_.begin(), frames_.end());
  frames_.erase(std::unique(frames_.begin(), frames_.end()), frames_.end());
}

std::unique_ptr<Teller> ExchangeFrames::NewTeller() const { return std::make_unique<Finder>(*this); }

std::string DescribeFrameText(const capture::RawFrame& frame, const Veils* veils, Language language, const Style& style) {
  return Describer(veils, language, style).Tell(frame);
}

void WriteFrames(std::FILE* out, capture::FrameSource& source, const std::vector<std::uint64_t>* wanted, const Veils* veils,
                 Language language, const Style& style) {
  capture::FrameBatch batch;
  for (;;) {
    const auto more = source.Next(batch);
    if (!more) continue;  // whoever tells the conversations says why
    if (!*more) return;
    for (const capture::RawFrame& frame : batch.frames) {
      if (wanted != nullptr && !std::binary_search(wanted->begin(), wanted->end(), frame.number)) continue;
      const std::string text = DescribeFrameText(frame, veils, language, style);
      std::fwrite(text.data(), 1, text.size(), out);
    }
  }
}

}  // namespace glasspost::analysis
