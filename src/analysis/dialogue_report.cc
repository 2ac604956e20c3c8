#include "analysis/dialogue_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <map>
#include <optional>

#include "analysis/dialogue_message.h"
#include "analysis/explain.h"
#include "analysis/sasl_details.h"
#include "analysis/texts.h"
#include "base/ascii.h"
#include "base/escape.h"
#include "base/time_text.h"
#include "capture/tcp_options.h"

namespace glasspost::analysis {
namespace {

constexpr std::string_view kIndent = "         ";
constexpr std::size_t kReplyLines = 24;                         // of one reply, unless all is wanted
constexpr std::size_t kMaxFullMessage = std::size_t{64} << 20;  // octets of a message that --full shows
constexpr std::size_t kStreamPiece = std::size_t{1} << 16;      // octets written at once
constexpr std::size_t kMaxOpeningPackets = 16;                  // told of the handshake; a flood of SYNs has more
constexpr std::size_t kMaxClosingPackets = 16;
constexpr std::uint8_t kMaxWindowScale = 14;      // RFC 7323 §2.3: a larger shift counts as this
constexpr std::size_t kSeverityWidth[] = {7, 4};  // "warning", "警告"
constexpr std::size_t kFrameWidth = 6;            // "#12–34", right-aligned

// A packet of the handshake or the close, as it is told.
struct PacketNote {
  PacketRole role{};
  int side = 0;  // who is the client may be known only later
  std::uint64_t frame = 0;
  Timestamp time = 0;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledgement = 0;
  std::uint16_t window = 0;  // as it stands in the packet
  std::uint8_t shift = 0;    // by which it counts (RFC 7323 §2.2)
  std::uint8_t flags = 0;
  capture::TcpOptions options;
};

std::string FlagNames(std::uint8_t flags) {
  static constexpr std::pair<std::uint8_t, std::string_view> kNames[] = {
      {capture::kSyn, "SYN"}, {capture::kFin, "FIN"}, {capture::kRst, "RST"}, {capture::kPsh, "PSH"}, {capture::kAck, "ACK"}};
  std::string text;
  for (const auto& [bit, name] : kNames)
    if ((flags & bit) != 0) text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

class DialogueTeller final : public Teller {
 public:
  // `stream`: where the text goes as it comes; null: into the store that Finish is given.
  DialogueTeller(const DialogueReport::Options& options, std::FILE* stream)
      : options_(options), style_(options.style), chinese_(options.language == Language::kChinese), stream_(stream) {}

  void OnPacket(const ConversationFacts& facts, int side, const capture::Packet& p) override;
  void OnExchange(const ConversationFacts& facts, const Exchange& e) override;
  void OnMessage(const ConversationFacts& facts, const MessageFacts& m) override;
  void OnMessageOctets(Direction direction, Octets octets) override {
    Whole& whole = whole_[Index(direction)];
    whole.cut = whole.cut || whole.octets.size() + octets.size() > kMaxFullMessage;
    if (!whole.cut) whole.octets.append(octets);
  }
  void OnFinding(const ConversationFacts&, const Finding& f) override { findings_.push_back(f); }
  void Finish(const ConversationFacts& facts, TextStore& text) override;

 private:
  // The beginning of a message, for --full.
  struct Whole {
    std::string octets;
    bool cut = false;
  };

  std::string_view Word(std::string_view en, std::string_view zh) const { return chinese_ ? zh : en; }
  void Put(std::string_view text) {
    body_.tail() += text;
    Settle();
  }
  // After anything was appended to the tail.
  void Settle() {
    if (stream_ == nullptr) return body_.Settle();
    if (body_.memory().size() >= kStreamPiece || options_.at_once) Flush();
  }
  void Flush() {
    std::fwrite(body_.memory().data(), 1, body_.memory().size(), stream_);
    body_.tail().clear();
    if (options_.at_once) std::fflush(stream_);
  }
  void Bullet(std::string& out) const;
  void AppendPeer(std::string& out, Octets text) const;
  void Explain(std::string_view sentence);
  void TellDecoded(std::string_view decoded);
  void StartPhase(const ConversationFacts& facts, Phase phase, Timestamp time);
  void TellHandshake(const ConversationFacts& facts);
  void TellPacket(const ConversationFacts& facts, const PacketNote& n);
  std::string& BeginLine(const FrameList& frames, bool from_client);
  void EndLine(std::string_view note);
  void TellRequest(const ConversationFacts& facts, const Exchange& e);
  void TellReply(const ConversationFacts& facts, const Exchange& e, const Reply& r);
  void TellMessages(std::uint64_t exchange);
  void TellClose(const ConversationFacts& facts);
  std::string TlsLines(const ConversationFacts& facts) const;
  std::string LeftOutLine(const LeftOut& left_out) const;
  std::string Findings(const ConversationFacts& facts) const;

  const DialogueReport::Options& options_;
  const Style& style_;
  bool chinese_;
  std::FILE* stream_;
  TextStore body_;
  std::vector<PacketNote> handshake_;
  std::vector<PacketNote> closing_;
  std::vector<Finding> findings_;
  std::multimap<std::uint64_t, std::string> messages_;  // by exchange, told with it
  Whole whole_[2];
  std::array<std::optional<std::uint8_t>, 2> scales_;  // as the SYNs say; by side
  std::string sentence_;
  bool handshake_told_ = false;
  std::uint64_t last_exchange_ = 0;
  Phase phase_ = Phase::kConnect;
  bool phase_told_ = false;
  std::uint8_t fins_ = 0;
};

void DialogueTeller::OnPacket(const ConversationFacts& facts, int side, const capture::Packet& p) {
  if (facts.udp) return;
  const bool client = side == facts.client_side;
  const bool first_ack = handshake_.size() == 2 && client && handshake_.back().role == PacketRole::kSynAck;
  const bool ends = (p.flags & (capture::kSyn | capture::kFin | capture::kRst)) != 0 || fins_ == 3;
  if (!first_ack && !ends) return;
  PacketNote n{PacketRole::kSyn, side, p.frame, p.time, p.sequence, p.acknowledgement, p.window, 0, p.flags, {}};
  n.options = capture::ParseTcpOptions({p.options, p.options_length});
  if ((p.flags & capture::kSyn) != 0) {
    n.role = (p.flags & capture::kAck) != 0 ? PacketRole::kSynAck : PacketRole::kSyn;
    scales_[static_cast<std::size_t>(side)] = n.options.window_scale;
    if (handshake_.size() < kMaxOpeningPackets) handshake_.push_back(n);
  } else {
    // A window counts scaled where both sides have said by how much.
    if (scales_[0] && scales_[1]) n.shift = std::min(*scales_[static_cast<std::size_t>(side)], kMaxWindowScale);
    if (first_ack && (p.flags & capture::kRst) == 0) {
      n.role = PacketRole::kHandshakeAck;
      handshake_.push_back(n);
    }
  }
  if (closing_.size() >= kMaxClosingPackets) return;
  if ((p.flags & capture::kRst) != 0) {
    n.role = PacketRole::kReset;
    closing_.push_back(n);
  } else if ((p.flags & capture::kFin) != 0) {
    n.role = fins_ == 0 ? PacketRole::kFin : PacketRole::kFinAck;
    fins_ |= static_cast<std::uint8_t>(1 << side);
    closing_.push_back(n);
  } else if (fins_ == 3 && p.payload_length == 0) {
    n.role = PacketRole::kLastAck;
    closing_.push_back(n);
  }
}

void DialogueTeller::Bullet(std::string& out) const {
  out += kIndent;
  style_.Begin(out, Style::kDim);
  out += "· ";
  style_.End(out);
}

// What the peer said. What stands in it for a secret is ours, and in the reader's language.
void DialogueTeller::AppendPeer(std::string& out, Octets text) const {
  if (chinese_ && !options_.show_secrets && text.find("***") != Octets::npos)
    AppendForTerminal(out, MasksIn(text, options_.language));
  else
    AppendForTerminal(out, text);
}

// Words of our own.
void DialogueTeller::Explain(std::string_view sentence) {
  if (sentence.empty()) return;
  std::string& out = body_.tail();
  Bullet(out);
  AppendWrapped(out, sentence, kIndent.size() + 2, style_.columns);
  out += '\n';
  Settle();
}

void DialogueTeller::TellDecoded(std::string_view decoded) {
  if (decoded.empty()) return;
  std::string& out = body_.tail();
  Bullet(out);
  out += Word("base64 for: ", "base64 解码：");
  AppendForTerminal(out, SaslDetails(decoded, options_.language));
  out += '\n';
  Settle();
}

void DialogueTeller::StartPhase(const ConversationFacts& facts, Phase phase, Timestamp time) {
  if (phase_told_ && phase == phase_) return;
  phase_ = phase;
  phase_told_ = true;
  const std::string title = fmt::format("{} · {}", PhaseGroupName(phase, options_.language), PhaseName(phase, options_.language));
  Put("\n" + style_.Bold("── " + title) + "  " + style_.Dim("+" + DurationText(time - facts.start)) + "\n");
}

void DialogueTeller::TellPacket(const ConversationFacts& facts, const PacketNote& n) {
  std::string text = FlagNames(n.flags) + fmt::format("  seq {}", n.sequence);
  if ((n.flags & capture::kAck) != 0) text += fmt::format("  ack {}", n.acknowledgement);
  const std::uint32_t window = std::uint32_t{n.window} << n.shift;
  text += fmt::format("  {} {}", Word("window", "窗口"), window);
  if (n.shift > 0 && n.window > 0) text += fmt::format(" ({} × {})", n.window, 1u << n.shift);
  const capture::TcpOptions& o = n.options;
  if (o.maximum_segment_size) text += fmt::format("  MSS {}", *o.maximum_segment_size);
  if (o.window_scale) {
    const unsigned factor = 1u << std::min(*o.window_scale, kMaxWindowScale);
    text += fmt::format("  {} {} (× {})", Word("window scale", "窗口扩大"), *o.window_scale, factor);
  }
  if (o.sack_permitted) text += Word("  SACK permitted", "  允许 SACK");
  if (o.timestamps && (n.flags & capture::kSyn) != 0) text += Word("  timestamps", "  时间戳");
  FrameList frames;
  frames.Add(n.frame);
  const bool from_client = n.side == facts.client_side;
  BeginLine(frames, from_client) += style_.Blue(text);
  EndLine({});
  Explain(ExplainPacket(n.role, from_client, options_.language));
}

void DialogueTeller::TellHandshake(const ConversationFacts& facts) {
  if (std::exchange(handshake_told_, true) || handshake_.empty()) return;
  StartPhase(facts, Phase::kConnect, handshake_.front().time);
  for (const PacketNote& n : handshake_) TellPacket(facts, n);
}

// "   #23 → "; what follows is appended to the text that it gives.
std::string& DialogueTeller::BeginLine(const FrameList& frames, bool from_client) {
  std::string& out = body_.tail();
  style_.Begin(out, Style::kDim);
  const std::size_t at = out.size();
  if (frames.size() == 1) fmt::format_to(std::back_inserter(out), "#{}", frames.first());
  if (frames.size() > 1) fmt::format_to(std::back_inserter(out), "#{}–{}", frames.first(), frames.last());
  const std::size_t width = out.size() - at - (frames.size() > 1 ? 2 : 0);  // the dash takes one column of its three octets
  if (width < kFrameWidth) out.insert(at, kFrameWidth - width, ' ');
  style_.End(out);
  style_.Begin(out, from_client ? Style::kGreen : Style::kCyan);
  out += from_client ? " → " : " ← ";
  style_.End(out);
  return out;
}

void DialogueTeller::EndLine(std::string_view note) {
  std::string& out = body_.tail();
  if (!note.empty()) {
    out += "  ";
    style_.Begin(out, Style::kDim);
    out += note;
    style_.End(out);
  }
  out += '\n';
  Settle();
}

void DialogueTeller::TellRequest(const ConversationFacts& facts, const Exchange& e) {
  const Request& r = e.request;
  std::string& out = BeginLine(r.span.frames, true);
  if (!r.tag.empty()) {
    style_.Begin(out, Style::kDim);
    AppendForTerminal(out, r.tag);
    style_.End(out);
    out += ' ';
  }
  if (r.verb == ".") {
    style_.Begin(out, Style::kDim);
    out +=
        fmt::format(fmt::runtime(r.cut ? Word("[{} octets of message; its end is missing]", "[{} 个八位组的邮件内容，没有结尾]")
                                       : Word("[{} octets of message, then the line with the lone dot]",
                                              "[{} 个八位组的邮件内容，然后是只有一个点的行]")),
                    r.argument);
    style_.End(out);
  } else if (r.verb == "*" || r.verb == "***") {  // an answer; what may be one, with its mask for a word
    style_.Begin(out, Style::kBold);
    AppendPeer(out, r.verb == "*" ? r.argument : r.verb + " " + r.argument);
    style_.End(out);
  } else {
    style_.Begin(out, Style::kBold);
    AppendForTerminal(out, r.VerbAsWritten());
    style_.End(out);
    if (!r.argument.empty()) {
      out += ' ';
      AppendPeer(out, r.argument);
    }
  }
  if (r.cut && r.verb != ".") out += style_.Yellow(" …");
  EndLine({});
  TellDecoded(r.decoded);
  ExplainRequest(sentence_, e, facts, options_.language);
  Explain(sentence_);
}

void DialogueTeller::TellReply(const ConversationFacts& facts, const Exchange& e, const Reply& r) {
  std::string note;
  if (e.has_request && r.span.first_time != kNoTime && e.request.span.last_time != kNoTime &&
      r.span.first_time >= e.request.span.last_time)
    note = "+" + DurationText(r.span.first_time - e.request.span.last_time);
  Octets rest = r.text;
  for (std::size_t n = 0;; ++n) {
    const auto end = rest.find('\n');
    const Octets line = rest.substr(0, end);
    if (n == kReplyLines && !options_.full) {
      Put(std::string(kIndent) + style_.Dim(Word("… (--full shows all lines)", "……（--full 显示全部）")) + "\n");
      break;
    }
    std::string& out = n == 0 ? BeginLine(r.span.frames, false) : body_.tail();
    if (n > 0) out += kIndent;
    if (r.code != 0) {
      style_.Begin(out, Style::kBold);
      fmt::format_to(std::back_inserter(out), "{}", r.code);
      style_.End(out);
      out += end == Octets::npos ? ' ' : '-';
      if (!r.enhanced.empty()) AppendForTerminal(out, r.enhanced), out += ' ';
    } else if (n == 0 && facts.protocol != Protocol::kImap && !r.status.empty() && r.status != "*") {
      style_.Begin(out, Style::kBold);
      AppendForTerminal(out, r.status);
      style_.End(out);
      if (!line.empty()) out += ' ';
    }
    AppendPeer(out, line);
    EndLine(n == 0 ? std::string_view(note) : std::string_view());
    if (end == Octets::npos) break;
    rest.remove_prefix(end + 1);
  }
  TellDecoded(r.decoded);
  ExplainReply(sentence_, e, r, facts, options_.language);
  Explain(sentence_);
}

void DialogueTeller::TellMessages(std::uint64_t exchange) {
  const auto [from, to] = messages_.equal_range(exchange);
  for (auto m = from; m != to; ++m) Put(m->second);
  messages_.erase(from, to);
}

void DialogueTeller::OnExchange(const ConversationFacts& facts, const Exchange& e) {
  TellHandshake(facts);
  const Span& first = e.has_request ? e.request.span : e.reply.span;
  StartPhase(facts, e.phase, first.first_time == kNoTime ? facts.start : first.first_time);
  if (e.has_request) TellRequest(facts, e);
  const bool fetched = facts.protocol == Protocol::kPop3 || (facts.protocol == Protocol::kImap && e.request.verb != "APPEND");
  if (!fetched) TellMessages(e.number);
  if (e.has_reply) {
    TellReply(facts, e, e.reply);
    for (const Reply& r : e.more_replies) TellReply(facts, e, r);
  } else if (e.has_request) {
    const auto words = facts.live ? Word("(no reply)", "（没有应答）") : Word("(no reply in the capture)", "（捕获中没有应答）");
    Put(std::string(kIndent) + style_.Yellow(words) + "\n");
  }
  TellMessages(e.number);
  last_exchange_ = e.number;
}

void DialogueTeller::OnMessage(const ConversationFacts& facts, const MessageFacts& m) {
  Whole& whole = whole_[Index(m.direction)];
  std::string text = MessageBlocks(m, {.full = options_.full, .live = facts.live, .octets = whole.octets, .cut = whole.cut},
                                   options_.language, style_);
  whole = {};
  if (m.exchange <= last_exchange_) {
    Put(text);
  } else {
    messages_.emplace(m.exchange, std::move(text));
  }
}

std::string DialogueTeller::TlsLines(const ConversationFacts& f) const {
  if (f.tls == nullptr) return {};
  const tls::TlsInfo& t = *f.tls;
  std::string text = "\n" + style_.Bold("── TLS") + "\n";
  const auto line = [&](std::string_view en, std::string_view zh, std::string_view value) {
    if (!value.empty()) text += std::string(kIndent) + style_.Cyan(Word(en, zh)) + ": " + ForTerminal(value) + "\n";
  };
  line("version", "版本", t.version);
  if (t.plain_server) line("versions offered", "提供的版本", fmt::format("{}", fmt::join(t.versions_offered, ", ")));
  line("cipher suite", "密码套件", t.cipher);
  line("server name (SNI)", "服务器名 (SNI)", t.sni);
  for (const std::string& a : t.alpn) line("ALPN offered", "提供的 ALPN", a);
  for (const auto& c : t.certificates) {
    std::string from, to;
    AppendRfc3339Seconds(from, c.not_before);
    AppendRfc3339Seconds(to, c.not_after);
    line("certificate", "证书", fmt::format("{}  ({} – {})", c.subject, from.substr(0, 10), to.substr(0, 10)));
  }
  line("alert", "告警", t.alert);
  Bullet(text);
  const auto read = Word("What was said within it crossed the wire encrypted; it is told as its ends saw it.",
                         "其中的内容在线路上是加密的；这里按通信两端所见讲述。");
  const auto lost = Word("What is said from here on is encrypted; the capture holds it, but without the keys nobody can read it.",
                         "此后的内容都已加密；它们在捕获中，但没有密钥谁也读不了。");
  const auto unread = Word("What was said within it is not known.", "其中的内容无从得知。");
  const auto none = Word("The client began TLS; the server answered in the clear, so that none came about.",
                         "客户端开始 TLS；服务器以明文应答，TLS 因此没有建立。");
  AppendWrapped(text, t.plain_server ? none : t.decrypted ? read : f.live ? unread : lost, kIndent.size() + 2, style_.columns);
  text += '\n';
  return text;
}

std::string DialogueTeller::LeftOutLine(const LeftOut& l) const {
  if (l.empty()) return {};
  std::string text =
      chinese_ ? fmt::format("此会话超出保存上限，以下内容未保存：{} 次交互、{} 封邮件、{} 条发现、{} 个八位组的邮件内容。",
                             l.exchanges, l.messages, l.findings, l.message_octets)
               : fmt::format(
                     "The conversation went beyond what is kept of one; not kept: {} exchange{}, {} message{}, "
                     "{} finding{}, {} octets of messages.",
                     l.exchanges, l.exchanges == 1 ? "" : "s", l.messages, l.messages == 1 ? "" : "s", l.findings,
                     l.findings == 1 ? "" : "s", l.message_octets);
  std::string line = "\n" + std::string(kIndent);
  AppendWrapped(line, text, kIndent.size(), style_.columns);
  return line + "\n";
}

void DialogueTeller::TellClose(const ConversationFacts& facts) {
  if (closing_.empty()) return;
  StartPhase(facts, Phase::kClose, closing_.front().time);
  for (const PacketNote& n : closing_) TellPacket(facts, n);
}

std::string DialogueTeller::Findings(const ConversationFacts& facts) const {
  if (findings_.empty()) return {};
  std::string text = "\n" + style_.Bold("── " + std::string(Word("findings", "发现"))) + "\n";
  const std::size_t width = kSeverityWidth[chinese_];
  const std::string indent(2 + width + 2, ' ');
  for (const Finding& f : findings_) {
    const FindingInfo& info = Info(f.id);
    const std::string severity(SeverityName(info.severity, options_.language));
    const std::string mark = info.severity == Severity::kError     ? style_.Red(severity)
                             : info.severity == Severity::kWarning ? style_.Yellow(severity)
                                                                   : severity;
    text += "  " + mark + std::string(width - DisplayWidth(severity), ' ') + "  ";
    std::string words;
    AppendPeer(words, FindingText(f, options_.language));
    AppendWrapped(text, words, indent.size(), style_.columns);
    std::string place = fmt::format("{} · {}", info.name, Clause(f.id, facts.protocol));
    if (f.exchange != 0) place += fmt::format(" · {} {}", Word("exchange", "交互"), f.exchange);
    if (f.origin.frame != 0) place += fmt::format(" · #{}", f.origin.frame);
    text += "\n" + indent + style_.Dim(place) + "\n" + indent;
    AppendWrapped(text, FindingRemedy(f.id, options_.language), indent.size(), style_.columns);
    text += '\n';
  }
  return text;
}

void DialogueTeller::Finish(const ConversationFacts& facts, TextStore& text) {
  TellHandshake(facts);
  for (auto& [exchange, message] : messages_) Put(message);
  Put(TlsLines(facts));
  Put(LeftOutLine(facts.left_out));
  TellClose(facts);
  Put(Findings(facts));
  Put("\n");
  if (stream_ != nullptr) return Flush();
  text.Append(std::move(body_));
}

}  // namespace

DialogueReport::DialogueReport(std::FILE* out, const Options& options, const std::map<std::uint64_t, std::string>& heads)
    : out_(out), options_(options) {
  for (const auto& [number, head] : heads) {
    const std::string title = fmt::format("{} {}", options.language == Language::kChinese ? "会话" : "Conversation", number);
    heads_.push_back(options_.style.Bold(title) + "\n" + head);
  }
  if (heads_.size() == 1) std::fwrite(heads_[0].data(), 1, heads_[0].size(), out_);
}

std::unique_ptr<Teller> DialogueReport::NewTeller() const {
  return std::make_unique<DialogueTeller>(options_, heads_.size() == 1 ? out_ : nullptr);
}

void DialogueReport::Write(std::uint64_t rank, Octets /*note*/, TextStore& text) {
  if (heads_.size() == 1) return;  // it is written
  if (rank <= heads_.size()) std::fwrite(heads_[rank - 1].data(), 1, heads_[rank - 1].size(), out_);
  text.ForEachPiece([this](std::string_view piece) { std::fwrite(piece.data(), 1, piece.size(), out_); });
}

}  // namespace glasspost::analysis
