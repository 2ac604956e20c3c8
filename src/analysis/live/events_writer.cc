#include <utility>

#include "analysis/live/events.h"
#include "analysis/live/events_format.h"
#include "analysis/note.h"
#include "analysis/summary.h"

namespace glasspost::analysis {
namespace {

using events::Record;
using events::Writer;

constexpr std::size_t kBuffer = 480;  // octets to begin with: who has only said hello may stay for long

void PutEndpoint(Writer& w, const Endpoint& e) {
  w.Text(AsOctets(e.address.octets));
  w.Number(e.port);
}

void PutSpan(Writer& w, const Span& s, Timestamp start) {
  w.Number(s.offset);
  w.Number(s.length);
  w.Time(s.first_time, start);
  w.Time(s.last_time, start);
}

void PutRequest(Writer& w, const Request& r, Timestamp start) {
  w.Number(static_cast<std::uint64_t>(r.sasl) << 1 | (r.cut ? 1 : 0));
  for (const std::string* text : {&r.verb, &r.written, &r.argument, &r.tag, &r.decoded}) w.Text(*text);
  PutSpan(w, r.span, start);
}

void PutReply(Writer& w, const Reply& r, Timestamp start) {
  w.Number(static_cast<std::uint64_t>(r.sasl) << 1 | (r.cut ? 1 : 0));
  w.Signed(r.code);
  for (const std::string* text : {&r.status, &r.enhanced, &r.text, &r.decoded}) w.Text(*text);
  PutSpan(w, r.span, start);
}

void PutCertificates(Writer& w, const std::vector<tls::CertificateInfo>& chain) {
  w.Number(chain.size());
  for (const tls::CertificateInfo& c : chain) {
    for (const std::string* text : {&c.subject, &c.common_name, &c.issuer}) w.Text(*text);
    w.Texts(c.names);
    w.Signed(c.not_before);
    w.Signed(c.not_after);
  }
}

void PutTls(Writer& w, const tls::TlsInfo& t, bool certificates, Timestamp start) {
  std::uint64_t flags = 0;
  for (const bool flag : {t.plain_server, t.client_hello_seen, t.server_hello_seen, t.retried, t.ssl2_hello, t.encrypted,
                          t.malformed, t.swapped, t.decrypted, t.alert_from == Direction::kToClient})
    flags = flags << 1 | (flag ? 1 : 0);
  w.Number(flags);
  w.Time(t.start, start);
  for (const std::string* text : {&t.version, &t.cipher, &t.sni, &t.alpn_chosen, &t.alert}) w.Text(*text);
  w.Texts(t.alpn);
  w.Texts(t.versions_offered);
  w.Number(t.suites_offered.size());
  for (const std::uint16_t suite : t.suites_offered) w.Number(suite);
  PutCertificates(w, certificates ? t.certificates : std::vector<tls::CertificateInfo>());
  PutCertificates(w, certificates ? t.client_certificates : std::vector<tls::CertificateInfo>());
  w.Number(t.records);
}

void PutStructure(Writer& w, const mime::Structure& s) {
  w.Number(static_cast<std::uint64_t>(s.problem));
  w.Number(s.parts.size());
  for (const mime::Part& p : s.parts) {
    w.Number(p.depth << 3 | (p.multipart ? 1 : 0) | (p.message ? 2 : 0) | (p.attachment ? 4 : 0));
    for (const std::string* text : {&p.number, &p.type, &p.charset, &p.disposition, &p.encoding, &p.filename}) w.Text(*text);
    w.Number(p.content.offset);
    w.Number(p.content.length);
    w.Number(p.size);
    w.Text(AsOctets(p.sha256));
  }
}

class EventsTeller final : public Teller {
 public:
  EventsTeller(std::uint64_t number, EventSink& sink, const EventsOptions& options)
      : number_(number), sink_(sink), options_(options) {
    buffer_.reserve(kBuffer);
  }

  void OnExchange(const ConversationFacts& facts, const Exchange& e) override {
    Follow(facts);
    summary_.OnExchange(e, facts.protocol);
    const std::size_t at = Begin(Record::kExchange);
    Writer w(buffer_);
    w.Number(e.number);
    w.Number((e.has_request ? 1 : 0) | (e.has_reply ? 2 : 0) | (e.multi_recipient ? 4 : 0) | (facts.within_tls ? 8 : 0));
    w.Number(static_cast<std::uint64_t>(e.phase));
    if (e.has_request) PutRequest(w, e.request, facts.start);
    if (e.has_reply) PutReply(w, e.reply, facts.start);
    w.Number(e.more_replies.size());
    for (const Reply& r : e.more_replies) PutReply(w, r, facts.start);
    if (!End(at, dialogue_, options_.limits.dialogue_octets)) ++left_out_.exchanges;
    HandOver(sink_.Followed(number_));
  }

  void OnMessageOctets(Direction direction, Octets octets) override {
    if (octets.empty()) return;
    if (messages_ + octets.size() > options_.limits.message_octets) {
      // Once the limit is reached nothing more is kept: a hole would be told as if it were none.
      messages_ = options_.limits.message_octets;
      left_out_.message_octets += octets.size();
      cut_[Index(direction)] = true;
      return;
    }
    for (constexpr std::size_t kMost = events::kMaxRecord - 1; !octets.empty();) {
      const Octets piece = octets.substr(0, kMost);
      octets.remove_prefix(piece.size());
      const std::size_t at = Begin(Record::kMessageOctets);
      Writer(buffer_).Number(static_cast<std::uint64_t>(Index(direction)));
      buffer_.append(piece);
      End(at, messages_, ~std::size_t{0});
    }
    HandOver(false);
  }

  void OnMessage(const ConversationFacts& facts, const MessageFacts& m) override {
    Follow(facts);
    summary_.OnMessage(m);
    const bool cut = std::exchange(cut_[Index(m.direction)], false);
    const std::size_t at = Begin(Record::kMessage);
    Writer w(buffer_);
    w.Number(m.exchange);
    w.Number(m.order);
    const Envelope& e = *m.envelope;
    w.Number((m.direction == Direction::kToClient ? 1 : 0) | (m.truncated ? 2 : 0) | (m.header_cut ? 4 : 0) | (cut ? 8 : 0) |
             (e.present ? 16 : 0) | (e.reverse_path_known ? 32 : 0) | (m.structure != nullptr ? 64 : 0));
    w.Text(e.reverse_path);
    w.Texts(e.forward_paths);
    w.Number(m.size);
    w.Text(m.sha256);
    w.Text(m.header_block);
    if (m.structure != nullptr) PutStructure(w, *m.structure);
    if (!End(at, dialogue_, options_.limits.dialogue_octets)) ++left_out_.messages;
    HandOver(false);
  }

  void OnFinding(const ConversationFacts& facts, const Finding& f) override {
    Follow(facts);
    ++findings_[static_cast<std::size_t>(Info(f.id).severity)];
    const std::size_t at = Begin(Record::kFinding);
    Writer w(buffer_);
    w.Text(Info(f.id).name);
    w.Number(f.exchange);
    w.Time(f.origin.time, facts.start);
    w.Text(f.detail);
    if (!End(at, dialogue_, options_.limits.dialogue_octets)) ++left_out_.findings;
  }

  void Finish(const ConversationFacts& facts, TextStore&) override {
    Follow(facts);
    if (!PutEnd(facts, true)) PutEnd(facts, false);
    HandOver(true);
    EventsSummary s;
    s.words_en = summary_.Words(facts, Language::kEnglish);
    s.words_zh = summary_.Words(facts, Language::kChinese);
    s.findings = findings_;
    s.messages = summary_.messages();
    s.recognised = !facts.by_port_only;
    sink_.Finish(Head(facts, std::move(s)));
  }

 private:
  EventsHead Head(const ConversationFacts& facts, EventsSummary s) const {
    s.client = facts.client().Text();
    s.server = facts.server().Text();
    const std::string& peer = options_.we_are_client ? s.server : s.client;
    return {number_, facts.start, facts.end, std::string(Name(facts.protocol)), peer, s.Encode(), handed_};
  }

  // What the records before need to be understood: the beginning, and each time the protocol turns out to be another.
  void Follow(const ConversationFacts& facts) {
    if (begun_ && facts.protocol == protocol_) return;
    const Record type = begun_ ? Record::kProtocol : Record::kBegin;
    if (!begun_) buffer_ += events::kBeginning;
    const std::size_t at = Begin(type);
    Writer w(buffer_);
    if (!begun_) {
      w.Number((options_.level == EventsOptions::Level::kFull ? events::kHasBodies : 0) |
               (options_.show_secrets ? events::kHasSecrets : 0));
      w.Number(facts.live ? 1 : 0);
      for (const Endpoint& side : facts.sides) PutEndpoint(w, side);
      w.Number(static_cast<std::uint64_t>(facts.client_side));
      w.Signed(facts.start);
    }
    w.Number(static_cast<std::uint64_t>(facts.protocol));
    End(at, dialogue_, ~std::size_t{0});
    if (!std::exchange(begun_, true)) sink_.Begun(Head(facts, {}));
    protocol_ = facts.protocol;
  }

  // False: too much for a record; only certificates can be so large.
  bool PutEnd(const ConversationFacts& f, bool certificates) {
    const std::size_t at = Begin(Record::kEnd);
    Writer w(buffer_);
    w.Number((f.by_port_only ? 1 : 0) | (f.syn_seen ? 2 : 0) | (f.fin_seen ? 4 : 0) | (f.reset_seen ? 8 : 0) |
             (f.tls != nullptr ? 16 : 0));
    w.Time(f.end, f.start);
    w.Number(f.packets);
    w.Number(f.bytes);
    w.Number(f.phases.size());
    for (const PhaseSpan& p : f.phases) {
      w.Number(static_cast<std::uint64_t>(p.phase));
      w.Time(p.start, f.start);
      w.Time(p.end, f.start);
    }
    for (const std::uint64_t n : {left_out_.exchanges, left_out_.messages, left_out_.findings, left_out_.message_octets})
      w.Number(n);
    if (f.tls != nullptr) PutTls(w, *f.tls, certificates, f.start);
    dialogue_ = 0;
    return End(at, dialogue_, ~std::size_t{0});
  }

  // A record: its body is appended to the buffer, its type and length are put before it.
  std::size_t Begin(Record type) {
    buffer_.push_back(static_cast<char>(type));
    buffer_.append(kLengthOctets, '\0');
    return buffer_.size();
  }
  // False: it goes beyond the limit and is taken back.
  bool End(std::size_t at, std::size_t& used, std::size_t limit) {
    const std::size_t length = buffer_.size() - at;
    const std::size_t whole = length + 1 + kLengthOctets;
    if (length > events::kMaxRecord || used + whole > limit) {
      buffer_.resize(at - kLengthOctets - 1);
      used = limit;  // what comes after it is not kept either: a dialogue with holes would mislead
      return false;
    }
    used += whole;
    for (std::size_t i = 0; i < kLengthOctets; ++i)
      buffer_[at - kLengthOctets + i] = static_cast<char>((length >> (7 * i) & 0x7f) | (i + 1 < kLengthOctets ? 0x80 : 0));
    return true;
  }

  void HandOver(bool at_once) {
    if (buffer_.empty() || (!at_once && buffer_.size() < options_.limits.part_octets)) return;
    handed_ += buffer_.size();
    sink_.Part(number_, std::move(buffer_));
    buffer_.clear();
  }

  static constexpr std::size_t kLengthOctets = 3;  // of a length, always so many: it is known only when the body is written
  static_assert(events::kMaxRecord < std::size_t{1} << 7 * kLengthOctets);

  const std::uint64_t number_;
  EventSink& sink_;
  const EventsOptions& options_;
  std::string buffer_;
  std::uint64_t handed_ = 0;
  std::size_t dialogue_ = 0;
  std::size_t messages_ = 0;
  LeftOut left_out_;
  bool cut_[2] = {};
  bool begun_ = false;
  Protocol protocol_ = Protocol::kUnknown;
  Summary summary_;
  std::array<std::uint64_t, 3> findings_{};
};

}  // namespace

std::string EventsSummary::Encode() const {
  std::string text;
  for (const std::string* part : {&client, &server, &words_en, &words_zh}) PutText(text, *part);
  for (const std::uint64_t n : findings) PutNumber(text, n);
  PutNumber(text, messages);
  PutNumber(text, recognised ? 1 : 0);
  return text;
}

EventsSummary EventsSummary::Decode(Octets text) {
  EventsSummary s;
  for (std::string* part : {&s.client, &s.server, &s.words_en, &s.words_zh}) *part = TakeText(text);
  for (std::uint64_t& n : s.findings) n = TakeNumber(text);
  s.messages = TakeNumber(text);
  s.recognised = TakeNumber(text) != 0;
  return s;
}

Report::Wants EventsReport::wants() const {
  const bool full = options_->level == EventsOptions::Level::kFull;
  return {.packets = false,
          .message_header = false,  // decoded when it is told
          .message_digest = true,
          .message_octets = full,
          .attachments = !full,
          .single_parts = false,
          .text = false,
          .show_secrets = options_->show_secrets};
}

std::unique_ptr<Teller> EventsReport::NewTeller() const { return std::make_unique<EventsTeller>(number_, sink_, *options_); }

}  // namespace glasspost::analysis
