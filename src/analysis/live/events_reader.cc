#include <algorithm>
#include <optional>
#include <utility>

#include "analysis/live/events.h"
#include "analysis/live/events_format.h"

namespace glasspost::analysis {
namespace {

using events::Reader;
using events::Record;

constexpr std::uint64_t kProtocols = static_cast<std::uint64_t>(Protocol::kTls) + 1;
constexpr std::uint64_t kSaslContents = static_cast<std::uint64_t>(SaslContent::kUnknownAnswer) + 1;
constexpr std::uint64_t kProblems = static_cast<std::uint64_t>(mime::MimeProblem::kHeaderTooLarge) + 1;
// Octets of one message that are held for its structure.
constexpr std::size_t kMaxWhole = std::size_t{64} << 20;

Endpoint TakeEndpoint(Reader& r) {
  Endpoint e;
  const Octets octets = r.Text();
  if (octets.size() == e.address.octets.size()) std::memcpy(e.address.octets.data(), octets.data(), octets.size());
  e.port = r.Below<std::uint16_t>(65'536);
  return e;
}

void TakeSpan(Reader& r, Span& s, Timestamp start) {
  s.Clear();
  s.offset = r.Number();
  s.length = r.Number();
  s.first_time = r.Time(start);
  s.last_time = r.Time(start);
}

void TakeRequest(Reader& r, Request& q, Timestamp start) {
  const std::uint64_t marks = r.Below<std::uint64_t>(kSaslContents * 2);
  q.sasl = static_cast<SaslContent>(marks >> 1);
  q.cut = (marks & 1) != 0;
  for (std::string* text : {&q.verb, &q.written, &q.argument, &q.tag, &q.decoded}) text->assign(r.Text());
  TakeSpan(r, q.span, start);
}

void TakeReply(Reader& r, Reply& p, Timestamp start) {
  const std::uint64_t marks = r.Below<std::uint64_t>(kSaslContents * 2);
  p.sasl = static_cast<SaslContent>(marks >> 1);
  p.cut = (marks & 1) != 0;
  p.code = static_cast<int>(std::clamp<std::int64_t>(r.Signed(), 0, 999));
  for (std::string* text : {&p.status, &p.enhanced, &p.text, &p.decoded}) text->assign(r.Text());
  TakeSpan(r, p.span, start);
}

void TakeCertificates(Reader& r, std::vector<tls::CertificateInfo>& chain) {
  for (std::size_t n = r.Count(); n > 0 && r.ok(); --n) {
    tls::CertificateInfo& c = chain.emplace_back();
    for (std::string* text : {&c.subject, &c.common_name, &c.issuer}) text->assign(r.Text());
    r.Texts(c.names);
    c.not_before = r.Signed();
    c.not_after = r.Signed();
  }
}

std::unique_ptr<tls::TlsInfo> TakeTls(Reader& r, Timestamp start) {
  auto t = std::make_unique<tls::TlsInfo>();
  std::uint64_t flags = r.Number();
  t->alert_from = (flags & 1) != 0 ? Direction::kToClient : Direction::kToServer;
  for (bool* flag : {&t->decrypted, &t->swapped, &t->malformed, &t->encrypted, &t->ssl2_hello, &t->retried, &t->server_hello_seen,
                     &t->client_hello_seen, &t->plain_server})
    *flag = ((flags >>= 1) & 1) != 0;
  t->start = r.Time(start);
  for (std::string* text : {&t->version, &t->cipher, &t->sni, &t->alpn_chosen, &t->alert}) text->assign(r.Text());
  r.Texts(t->alpn);
  r.Texts(t->versions_offered);
  for (std::size_t n = r.Count(); n > 0 && r.ok(); --n) t->suites_offered.push_back(r.Below<std::uint16_t>(65'536));
  TakeCertificates(r, t->certificates);
  TakeCertificates(r, t->client_certificates);
  t->records = r.Number();
  return t;
}

void TakeStructure(Reader& r, mime::Structure& s) {
  s.problem = r.Below<mime::MimeProblem>(kProblems);
  for (std::size_t n = r.Count(); n > 0 && r.ok(); --n) {
    mime::Part& p = s.parts.emplace_back();
    const std::uint64_t marks = r.Below<std::uint64_t>(8 * 1024);
    p.depth = static_cast<std::size_t>(marks >> 3);
    p.multipart = (marks & 1) != 0;
    p.message = (marks & 2) != 0;
    p.attachment = (marks & 4) != 0;
    for (std::string* text : {&p.number, &p.type, &p.charset, &p.disposition, &p.encoding, &p.filename}) text->assign(r.Text());
    p.content.offset = static_cast<std::size_t>(r.Number());
    p.content.length = static_cast<std::size_t>(r.Number());
    p.size = r.Number();
    const Octets digest = r.Text();
    if (digest.size() == p.sha256.size()) std::memcpy(p.sha256.data(), digest.data(), digest.size());
  }
}

std::optional<FindingId> FindingOf(Octets name) {
  for (int i = 0; i < kFindingCount; ++i)
    if (Info(static_cast<FindingId>(i)).name == name) return static_cast<FindingId>(i);
  return std::nullopt;
}

}  // namespace

EventsReader::EventsReader(Report& report) : report_(report), wants_(report.wants()) {}
EventsReader::~EventsReader() = default;

bool EventsReader::Feed(Octets octets) {
  held_.append(octets);
  Octets rest = held_;
  if (!headed_ && rest.size() >= events::kBeginning.size()) {
    headed_ = true;
    broken_ = !rest.starts_with(events::kBeginning);
    rest.remove_prefix(events::kBeginning.size());
  }
  while (headed_ && !broken_ && rest.size() >= 2) {
    std::uint64_t length = 0;
    std::size_t at = 1;
    bool whole = false;
    for (int shift = 0; at < rest.size() && shift < 28 && !whole; shift += 7, ++at) {
      const auto octet = static_cast<std::uint8_t>(rest[at]);
      length |= std::uint64_t{octet & 0x7fu} << shift;
      whole = octet < 0x80;
    }
    if ((!whole && at > 4) || length > events::kMaxRecord) {
      broken_ = true;
      ++damaged_;
    }
    if (broken_ || !whole || rest.size() - at < length) break;
    if (!TakeRecord(static_cast<Record>(rest.front()), rest.substr(at, static_cast<std::size_t>(length)))) ++damaged_;
    rest.remove_prefix(at + static_cast<std::size_t>(length));
  }
  held_.erase(0, held_.size() - rest.size());
  if (broken_) held_.clear();
  return !broken_;
}

bool EventsReader::TakeRecord(Record type, Octets body) {
  if (type == Record::kBegin) return OnBegin(body);
  if (teller_ == nullptr || ended_) return false;  // without its beginning nothing has a meaning
  switch (type) {
    case Record::kBegin:
      break;
    case Record::kProtocol:
      return OnProtocol(body);
    case Record::kExchange:
      return OnExchange(body);
    case Record::kMessageOctets:
      return OnMessageOctets(body);
    case Record::kMessage:
      return OnMessage(body);
    case Record::kFinding:
      return OnFinding(body);
    case Record::kEnd:
      return OnEnd(body);
  }
  return true;  // a later version's
}

bool EventsReader::OnBegin(Octets body) {
  if (teller_ != nullptr) return false;
  Reader r(body);
  const std::uint64_t kept = r.Number();
  facts_.live = r.Number() != 0;
  for (Endpoint& side : facts_.sides) side = TakeEndpoint(r);
  facts_.client_side = r.Below<int>(2);
  facts_.start = facts_.end = std::clamp<Timestamp>(r.Signed(), 0, Reader::kLatest);
  facts_.protocol = r.Below<Protocol>(kProtocols);
  facts_.syn_seen = true;
  if (!r.ok()) return false;
  has_bodies_ = (kept & events::kHasBodies) != 0;
  teller_ = report_.NewTeller();
  return true;
}

bool EventsReader::OnProtocol(Octets body) {
  Reader r(body);
  const auto protocol = r.Below<Protocol>(kProtocols);
  if (r.ok()) facts_.protocol = protocol;
  return r.ok();
}

// Until the end was read, the last time that was told is the end.
void EventsReader::Note(Timestamp time) {
  if (time != kNoTime) facts_.end = std::max(facts_.end, time);
}

bool EventsReader::OnExchange(Octets body) {
  Reader r(body);
  Exchange& e = exchange_;
  e.Clear();
  e.number = r.Number();
  const std::uint64_t marks = r.Number();
  e.has_request = (marks & 1) != 0;
  e.has_reply = (marks & 2) != 0;
  e.multi_recipient = (marks & 4) != 0;
  facts_.within_tls = (marks & 8) != 0;
  e.phase = r.Below<Phase>(kPhaseCount);
  if (e.has_request) TakeRequest(r, e.request, facts_.start);
  if (e.has_reply) TakeReply(r, e.reply, facts_.start);
  for (std::size_t n = r.Count(); n > 0 && r.ok(); --n) TakeReply(r, e.more_replies.emplace_back(), facts_.start);
  if (!r.ok()) return false;
  Note(e.request.span.last_time);
  Note(e.reply.span.last_time);
  teller_->OnExchange(facts_, e);
  return true;
}

bool EventsReader::OnMessageOctets(Octets body) {
  Reader r(body);
  const auto direction = r.Below<Direction>(2);
  const Octets octets = r.Rest();
  if (!r.ok()) return false;
  if (wants_.message_octets) teller_->OnMessageOctets(direction, octets);
  std::string& whole = whole_[Index(direction)];
  if (wants_.attachments && whole.size() + octets.size() <= kMaxWhole) whole += octets;
  return true;
}

bool EventsReader::OnMessage(Octets body) {
  Reader r(body);
  MessageFacts m;
  Envelope envelope;
  m.exchange = r.Number();
  m.order = r.Number();
  const std::uint64_t marks = r.Number();
  m.direction = (marks & 1) != 0 ? Direction::kToClient : Direction::kToServer;
  m.truncated = (marks & 2) != 0;
  m.header_cut = (marks & 4) != 0;
  m.body_kept = has_bodies_ && (marks & 8) == 0;
  envelope.present = (marks & 16) != 0;
  envelope.reverse_path_known = (marks & 32) != 0;
  envelope.reverse_path = r.Text();
  r.Texts(envelope.forward_paths);
  m.envelope = &envelope;
  m.size = r.Number();
  const Octets digest = r.Text();
  m.header_block = r.Text();
  mime::Structure structure;
  if ((marks & 64) != 0) TakeStructure(r, structure), m.structure = &structure;
  const std::string whole = std::exchange(whole_[Index(m.direction)], {});
  if (!r.ok()) return false;
  mime::HeaderDecoder header;
  if (wants_.message_digest) m.sha256 = digest;
  if (wants_.message_header) header.Parse(m.header_block), m.header = &header;
  if (!wants_.attachments) m.structure = nullptr;
  // Where octets of it are missing, what is known of its parts stands for them.
  if (wants_.attachments) m.body_kept = m.body_kept && m.size == whole.size();
  if (wants_.attachments && m.body_kept) {
    structure = mime::ReadStructure(whole);
    m.structure = &structure;
  }
  teller_->OnMessage(facts_, m);
  return true;
}

bool EventsReader::OnFinding(Octets body) {
  Reader r(body);
  const std::optional<FindingId> id = FindingOf(r.Text());
  Finding f;
  f.exchange = r.Number();
  f.origin.time = r.Time(facts_.start);
  f.detail = r.Text();
  if (!r.ok() || !id) return false;
  f.id = *id;
  teller_->OnFinding(facts_, f);
  return true;
}

bool EventsReader::OnEnd(Octets body) {
  Reader r(body);
  const std::uint64_t marks = r.Number();
  const Timestamp end = r.Time(facts_.start);
  const std::uint64_t packets = r.Number(), bytes = r.Number();
  std::vector<PhaseSpan> phases;
  for (std::size_t n = r.Count(); n > 0 && r.ok(); --n) {
    PhaseSpan& p = phases.emplace_back();
    p.phase = r.Below<Phase>(kPhaseCount);
    p.start = r.Time(facts_.start);
    p.end = r.Time(facts_.start);
  }
  LeftOut left_out;
  for (std::uint64_t* n : {&left_out.exchanges, &left_out.messages, &left_out.findings, &left_out.message_octets})
    *n = r.Number();
  std::unique_ptr<tls::TlsInfo> tls;
  if ((marks & 16) != 0) tls = TakeTls(r, facts_.start);
  if (!r.ok() || end == kNoTime) return false;
  facts_.by_port_only = (marks & 1) != 0;
  facts_.syn_seen = (marks & 2) != 0;
  facts_.fin_seen = (marks & 4) != 0;
  facts_.reset_seen = (marks & 8) != 0;
  facts_.end = end;
  facts_.packets = packets;
  facts_.bytes = bytes;
  facts_.phases = std::move(phases);
  facts_.left_out = left_out;
  facts_.tls = std::move(tls);
  ended_ = true;
  return true;
}

void EventsReader::Finish(std::uint64_t number) {
  if (!held_.empty()) ++damaged_;
  held_.clear();
  if (teller_ == nullptr) return;
  if (!ended_ && facts_.phases.empty()) facts_.phases.push_back({Phase::kConnect, facts_.start, facts_.end});
  TextStore text;
  teller_->Finish(facts_, text);
  const std::string note = teller_->Note();
  report_.Write(number, note, text);
  teller_.reset();
}

}  // namespace glasspost::analysis
