#include "wire/dns/observer.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/time_text.h"
#include "wire/dns/recognise.h"

namespace glasspost::dns {
namespace {

// 0 where there is no question, or one that could not be read.
std::uint64_t HashQuestions(const Message& m) {
  if (m.questions.empty() || (m.malformed() && m.fault.section == Section::kQuestion && m.fault.index != 0)) return 0;
  std::uint64_t hash = 14695981039346656037u;
  const auto add = [&](std::uint8_t octet) { hash = (hash ^ octet) * 1099511628211u; };
  for (const Question& q : m.questions) {
    for (const char c : m.NameOctets(q.name)) add(static_cast<std::uint8_t>(ToLower(c)));
    for (const std::uint16_t v : {q.type, q.klass}) add(static_cast<std::uint8_t>(v >> 8)), add(static_cast<std::uint8_t>(v));
  }
  return hash == 0 ? 1 : hash;
}

void Merge(Span& into, const Span& more) {
  more.frames.ForEach([&](std::uint64_t frame) { into.frames.Add(frame); });
  into.first_time = std::min(into.first_time, more.first_time);
  into.last_time = std::max(into.last_time, more.last_time);
}

}  // namespace

void DnsObserver::Waiting::Clear() {
  number = question = 0;
  id = 0;
  has_query = has_reply = false;
  query.clear(), reply.clear();
  query_length = reply_length = 0;
  query_span.Clear(), reply_span.Clear();
}

DnsObserver::DnsObserver(ObserverSink& sink, const ObserverOptions& /*options*/, const ObserverLimits& limits, bool tcp,
                         Workspace* workspace)
    : sink_(sink),
      limits_(limits),
      tcp_(tcp),
      own_(workspace == nullptr ? std::make_unique<Workspace>() : nullptr),
      work_(workspace == nullptr ? *own_ : *workspace),
      sides_(tcp ? std::make_unique<Side[]>(2) : nullptr) {}

DnsObserver::~DnsObserver() = default;

void DnsObserver::OnOctets(Direction direction, Octets octets, const Origin& origin) {
  if (!tcp_) {
    OnDatagram(direction, octets, octets.size(), origin);
    return;
  }
  Side& side = sides_[Index(direction)];
  TcpSplitter& splitter = side.splitter;
  if (splitter.lost()) {
    // A message begins with a segment as a rule (RFC 7766 §8); what does not look like one is passed over.
    if (LooksLikeDnsStream(octets, kPort, kPort) != Likeness::kYes) {
      side.offset += octets.size();
      return;
    }
    splitter.set_lost(false);
  }
  side.offset += splitter.PassOver(octets);
  for (;;) {
    const std::size_t before = octets.size();
    Framed framed;
    const bool message = splitter.Next(octets, framed) == TcpSplitter::Step::kMessage;
    if (!side.middle) {
      side.span.Clear();
      side.span.offset = side.offset;
    }
    if (before > octets.size()) side.span.Touch(origin);
    side.offset += before - octets.size();
    side.middle = !message && splitter.pending();
    if (!message) return;
    side.span.length = framed.length + 2;
    OnMessage(direction, framed.message, framed.length, side.span, origin);
  }
}

void DnsObserver::OnDatagram(Direction direction, Octets octets, std::size_t length, const Origin& origin) {
  Span span;
  span.offset = offsets_[Index(direction)];
  span.length = std::max(length, octets.size());
  span.Touch(origin);
  offsets_[Index(direction)] += span.length;
  OnMessage(direction, octets, span.length, span, origin);
}

void DnsObserver::OnGap(Direction direction, std::uint64_t length, const Origin& origin) {
  if (!tcp_) {
    offsets_[Index(direction)] += length;
    return;
  }
  Side& side = sides_[Index(direction)];
  Framed framed;
  if (side.splitter.Gap(length, framed)) {
    side.span.length = framed.length + 2;
    OnMessage(direction, framed.message, framed.length, side.span, origin);
  }
  side.middle = false;
  side.offset += length;
}

void DnsObserver::OnFin(Direction /*direction*/, const Origin& /*origin*/) {}

void DnsObserver::OnMidStream() {
  if (!tcp_) return;
  for (int i = 0; i < 2; ++i) sides_[i].splitter.set_lost(true);
}

std::size_t DnsObserver::Held() const {
  std::size_t octets = sizeof *this + (own_ != nullptr ? sizeof *own_ : 0) + waiting_.size() * sizeof(Waiting) + held_;
  for (int i = 0; tcp_ && i < 2; ++i) octets += sizeof(Side) + sides_[i].splitter.held() + sides_[i].span.Held();
  return octets;
}

void DnsObserver::OnEnd(const Origin& origin, bool /*reset*/) {
  if (tcp_) {
    for (const Direction d : {Direction::kToServer, Direction::kToClient}) {
      Side& side = sides_[Index(d)];
      Framed framed;
      if (!side.splitter.Partial(framed) || framed.message.empty()) continue;
      side.span.length = framed.message.size() + 2;
      OnMessage(d, framed.message, framed.length, side.span, origin);
      side.splitter = {};
      side.middle = false;
    }
  }
  while (count_ > 0) DropFirst();
}

void DnsObserver::OnMessage(Direction direction, Octets octets, std::size_t length, const Span& span, const Origin& origin) {
  if (octets.size() < kHeaderSize) {
    // Nobody can say whether it asks or answers: no exchange.
    Decode(octets, length, work_.query, limits_.message);
    TellFault(work_.query.fault, 0, origin);
    return;
  }
  if (SentByServer(octets)) {
    OnResponse(direction, octets, length, span, origin);
  } else {
    OnQuery(direction, octets, length, span, origin);
  }
}

DnsObserver::Waiting& DnsObserver::Push() {
  if (count_ > 0 && count_ >= limits_.waiting) Evict();
  if (count_ == waiting_.size()) {
    std::rotate(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(first_), waiting_.end());
    first_ = 0;
    waiting_.resize(count_ + std::max<std::size_t>(count_, 1));
  }
  Waiting& w = At(count_++);
  w.Clear();
  w.number = next_++;
  return w;
}

void DnsObserver::OnQuery(Direction direction, Octets octets, std::size_t length, const Span& span, const Origin& origin) {
  Message& m = work_.query;
  Decode(octets, length, m, limits_.message);
  const std::uint64_t question = HashQuestions(m);
  for (std::size_t i = 0; i < count_ && question != 0; ++i) {
    Waiting& w = At(i);
    if (!w.has_query || w.has_reply || w.id != m.id || w.question != question || w.from != direction) continue;
    Merge(w.query_span, span);
    return;
  }
  const std::uint16_t id = m.id;
  const Fault fault = m.fault;
  Waiting& w = Push();  // may tell another exchange, which takes the workspace
  w.has_query = true;
  w.id = id;
  w.question = question;
  w.from = direction;
  w.query.assign(octets);
  w.query_length = length;
  w.query_span = span;
  held_ += octets.size();
  TellFault(fault, w.number, origin);
  while (held_ > limits_.waiting_octets && count_ > 0) Evict();
}

void DnsObserver::OnResponse(Direction direction, Octets octets, std::size_t length, const Span& span, const Origin& origin) {
  Message& m = work_.response;
  Decode(octets, length, m, limits_.message);
  const std::uint64_t question = HashQuestions(m);
  std::size_t at = 0;
  for (; at < count_; ++at) {
    const Waiting& w = At(at);
    if (!w.has_query || w.has_reply || w.from == direction || w.id != m.id) continue;
    if (question == 0 || w.question == 0 || w.question == question) break;
  }
  const Fault fault = m.fault;
  const std::uint64_t told = told_;
  if (at == count_) Push(), at = count_ - 1;
  Waiting& w = At(at);
  w.has_reply = true;
  TellFault(fault, w.number, origin);
  if (w.has_query) TellSlow(w, span, origin);
  if (at == 0) {
    Tell(w, octets, length, span, told_ == told);
    held_ -= w.query.size();
    first_ = (first_ + 1) % waiting_.size();
    --count_;
    Release();
    return;
  }
  w.reply.assign(octets);
  w.reply_length = length;
  w.reply_span = span;
  held_ += octets.size();
  while (held_ > limits_.waiting_octets && count_ > 0) Evict();
}

void DnsObserver::TellFault(const Fault& fault, std::uint64_t exchange, const Origin& origin) {
  if (fault.kind == FaultKind::kNone) return;
  Finding& f = work_.finding;
  f.id = FindingId::kMalformedDns;
  f.exchange = exchange;
  f.origin = origin;
  f.detail.clear();
  AppendFault(f.detail, fault);
  sink_.OnFinding(f);
}

void DnsObserver::TellSlow(const Waiting& w, const Span& reply, const Origin& origin) {
  const Timestamp asked = w.query_span.last_time, answered = reply.first_time;
  if (asked == kNoTime || answered == kNoTime || answered <= asked || answered - asked <= limits_.slow_reply) return;
  Finding& f = work_.finding;
  f.id = FindingId::kSlowReply;
  f.exchange = w.number;
  f.origin = origin;
  f.detail = SecondsText(answered - asked);
  sink_.OnFinding(f);
}

// Tells those at the front that have their answer.
void DnsObserver::Release() {
  while (count_ > 0 && At(0).has_reply) DropFirst();
}

void DnsObserver::Evict() {
  DropFirst();
  Release();
}

void DnsObserver::DropFirst() {
  Waiting& w = At(0);
  Tell(w, w.reply, w.reply_length, w.reply_span, false);
  held_ -= w.query.size() + w.reply.size();
  first_ = (first_ + 1) % waiting_.size();
  --count_;
}

void DnsObserver::Tell(Waiting& w, Octets reply, std::size_t reply_length, const Span& reply_span, bool response_decoded) {
  Exchange& e = work_.exchange;
  e.Clear();
  e.number = w.number;
  e.phase = Phase::kData;
  e.has_request = w.has_query;
  e.has_reply = w.has_reply;
  if (w.has_query) {
    Decode(w.query, w.query_length, work_.query, limits_.message);
    FillRequest(w, e.request);
    e.query = &work_.query;
  }
  if (w.has_reply) {
    if (!response_decoded) Decode(reply, reply_length, work_.response, limits_.message);
    FillReply(reply_span, e.reply);
    e.response = &work_.response;
  }
  ++told_;
  sink_.OnExchange(e);
}

void DnsObserver::FillRequest(const Waiting& w, Request& request) {
  const Message& m = work_.query;
  AppendOpcode(request.verb, m.opcode());
  const std::size_t named = std::min(m.questions.size(), limits_.questions);
  for (std::size_t i = 0; i < named; ++i) {
    const Question& q = m.questions[i];
    if (i > 0) request.argument += ", ";
    AppendName(request.argument, m.NameOctets(q.name), false);
    request.argument += ' ';
    AppendType(request.argument, q.type);
    if (q.klass == kClassIn) continue;
    request.argument += ' ';
    AppendClass(request.argument, q.klass);
  }
  request.cut = m.cut || named < m.questions.size();
  request.span = w.query_span;
}

void DnsObserver::FillReply(const Span& span, Reply& reply) {
  const Message& m = work_.response;
  AppendRcode(reply.status, m.rcode());
  reply.cut = m.cut;
  for (const Record& r : m.records) {
    if (reply.text.size() > limits_.text) {
      reply.cut = true;
      break;
    }
    if (!reply.text.empty()) reply.text += '\n';
    AppendRecordText(reply.text, m, r);
  }
  reply.span = span;
}

}  // namespace glasspost::dns
