#include "analysis/conversation.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "analysis/proxy.h"
#include "base/ascii.h"
#include "base/sha256.h"
#include "wire/dns/recognise.h"
#include "wire/mime/header.h"
#include "wire/observers.h"

namespace glasspost::analysis {
namespace {

// Pieces held while the protocol is not known.
constexpr std::size_t kMaxHeldPieces = 64;
constexpr std::size_t kMaxHeldOctets = std::size_t{256} << 10;
// A message's header beyond which its memory is given back when it is told.
constexpr std::size_t kKeptHeader = std::size_t{16} << 10;
// What a Teller takes beside its text: about as much as the largest of them.
constexpr std::size_t kTellerOctets = 512;
// Repeated segments from which on the conversation deserves the remark.
constexpr std::uint64_t kRetransmissionsWorthTelling = 1;

// Message octets are always wanted: findings are made from the header even where nobody asks for the message.
ObserverOptions OptionsOf(const Report::Wants& w) {
  return {.show_secrets = w.show_secrets, .message_octets = true, .requests = w.requests};
}

// A TLS record begins with its content type, SSLv2's hello with its highest bit set; no dialogue has either.
bool BeginsTls(Octets octets) {
  const auto first = static_cast<std::uint8_t>(octets.front());
  return (first >= tls::kChangeCipherSpec && first <= tls::kHeartbeat) || (first & 0x80) != 0;
}

// A header that promises parts, or an attachment: what a report that leaves single texts alone has to look into.
bool MayHaveParts(Octets header) {
  mime::FieldReader reader(header);
  mime::RawField field;
  while (reader.Next(field)) {
    if (EqualsNoCase(field.name, "Content-Disposition")) return true;
    if (!EqualsNoCase(field.name, "Content-Type")) continue;
    const Octets type = Trim(field.value);
    if (!EqualsNoCase(type.substr(0, 5), "text/") || UpperCase(type).find("NAME") != std::string::npos) return true;
  }
  return false;
}

}  // namespace

Conversation::Conversation(const Report& report, Shared& shared, const capture::Packet& first)
    : wants_(report.wants()), shared_(shared), report_(report) {
  facts_.udp = first.transport == capture::kUdp;
  facts_.sides[0] = {first.source, first.source_port};
  facts_.sides[1] = {first.destination, first.destination_port};
  facts_.start = first.time;
  facts_.first_frame = first.frame;
  const bool answer = (first.flags & (capture::kSyn | capture::kAck)) == (capture::kSyn | capture::kAck);
  facts_.client_side = !facts_.udp && answer ? 1 : 0;
  if (facts_.udp) Begin({Detection::State::kFound, Protocol::kDns, 0});
}

Conversation::Conversation(const Report& report, Shared& shared, const LiveBeginning& beginning)
    : wants_(report.wants()), shared_(shared), report_(report) {
  facts_.live = true;
  facts_.sides = {beginning.client, beginning.server};
  facts_.start = facts_.end = beginning.time;
  facts_.syn_seen = true;
  if (beginning.protocol != Protocol::kUnknown) Begin({Detection::State::kFound, beginning.protocol, 0});
}

Conversation::~Conversation() = default;

std::size_t Conversation::Held() const {
  std::size_t octets = sizeof *this + facts_.gaps.size() * sizeof(Gap) + facts_.phases.size() * sizeof(PhaseSpan);
  octets += held_octets_ + held_.size() * sizeof(HeldPiece);
  if (teller_ != nullptr) octets += kTellerOctets;
  if (observer_ != nullptr) octets += observer_->Held();
  if (tls_ != nullptr) octets += tls_->Held();
  if (facts_.tls != nullptr) octets += sizeof *facts_.tls + facts_.tls->Held();
  for (const auto& m : open_)
    if (m != nullptr) octets += sizeof *m + m->envelope.Held() + 2 * m->scan.header().size();  // as it is, and decoded
  return octets;
}

void Conversation::OnDatagram(int side, const capture::Packet& packet) {
  const Origin origin{packet.frame, packet.time};
  // The side that sends a query is the client, whoever spoke first in the capture.
  if (facts_.packets == packet.fragments) facts_.client_side = dns::SentByServer(packet.Payload()) ? 1 - side : side;
  dns_->OnDatagram(DirectionOf(side), packet.Payload(), packet.payload_length, origin);
}

void Conversation::OnTcpOctets(int side, Octets octets, const Origin& origin) {
  if (state_ == State::kTold) return Route(side, octets, origin);
  if (state_ == State::kUndecided) Hold(side, octets, origin);
}

void Conversation::Route(int side, Octets octets, const Origin& origin) {
  if (tls_doubtful_ && !octets.empty()) ConfirmTls(octets);
  if (sides_ != Sides::kAgree && !octets.empty()) [[unlikely]]
    return RouteFirst(side, octets, origin);
  if (in_tls_) return tls_->OnOctets(DirectionOf(side), octets, origin);
  if (observer_ != nullptr) observer_->OnOctets(DirectionOf(side), octets, origin);
}

void Conversation::RouteFirst(int side, Octets octets, const Origin& origin) {
  const Direction direction = DirectionOf(side);
  if (sides_ == Sides::kServerDue) {
    held_.push_back({side, std::string(octets), 0, origin});
    held_octets_ += octets.size();
    return JudgeServer(false);
  }
  if (sides_ == Sides::kClientDue && direction == Direction::kToServer) {
    if (static_cast<std::uint8_t>(octets.front()) == tls::kHandshake) {
      BeginPlainServer(facts_.protocol);
    } else {
      sides_ = Sides::kAgree;
    }
  }
  if (sides_ == Sides::kPlainServer && direction == Direction::kToServer) HearTlsClient(octets, origin);
  observer_->OnOctets(direction, octets, origin);
}

// The client speaks TLS: does the server, or are its words those of a dialogue? A line of them shows it, or the first octet.
void Conversation::JudgeServer(bool ended) {
  std::string said;
  for (const HeldPiece& h : held_)
    if (DirectionOf(h.side) == Direction::kToClient) said += h.octets;
  const bool tls = said.empty() || BeginsTls(said);
  const bool enough = ended || held_.size() >= kMaxHeldPieces || held_octets_ >= kMaxHeldOctets;
  if (!enough && (said.empty() || (!tls && said.find('\n') == std::string::npos && said.size() < kFirstWordsLimit))) return;
  sides_ = Sides::kAgree;
  const Protocol protocol = tls ? Protocol::kUnknown : PlainProtocol(said, facts_.protocol, facts_.server().port);
  if (protocol != Protocol::kUnknown) BeginPlainServer(protocol);
  Replay();
}

// From here on both sides' octets are the dialogue's: the server takes what the client says for lines, and whatever looks like
// TLS may hold lines that it carries out. Beside that it is heard what the ClientHello says.
void Conversation::BeginPlainServer(Protocol protocol) {
  sides_ = Sides::kPlainServer;
  in_tls_ = false;
  tls_ = std::make_unique<tls::TlsObserver>(this);
  if (observer_ != nullptr) return;
  facts_.protocol = protocol;
  MakeProtocolObserver();
}

void Conversation::HearTlsClient(Octets octets, const Origin& origin) {
  const bool heard = tls_->info().client_hello_seen;
  tls_->OnOctets(Direction::kToServer, octets, origin);
  if (!heard && tls_->info().client_hello_seen) Note(FindingId::kTlsNotSpoken, origin, UpperCase(Name(facts_.protocol)));
}

// STARTTLS was accepted: the first octet after it says whether TLS is really spoken (or the capture was decrypted, or the peers
// go on in the clear).
void Conversation::ConfirmTls(Octets octets) {
  tls_doubtful_ = false;
  if (BeginsTls(octets)) return;
  in_tls_ = false;
  tls_.reset();
}

// Keeps the octets until enough was said; mostly the first piece is enough, and then nothing is kept.
void Conversation::Hold(int side, Octets octets, const Origin& origin) {
  spoke_ |= static_cast<std::uint8_t>(1 << side);
  const bool first = held_.empty();
  if (first) {
    FirstWords words;
    words.said[side] = octets.substr(0, kFirstWordsLimit);
    Decide(words, false);
    if (state_ == State::kTold) return RoutePastProxy(side, octets, origin);
    if (state_ == State::kNotMail) return;
  }
  held_.push_back({side, std::string(octets), 0, origin});
  held_octets_ += octets.size();
  if (!first) DecideByHeld(held_.size() >= kMaxHeldPieces || held_octets_ >= kMaxHeldOctets);
}

void Conversation::DecideByHeld(bool ended) {
  std::string said[2];
  for (const HeldPiece& h : held_)
    if (said[h.side].size() < kFirstWordsLimit) said[h.side].append(h.octets, 0, kFirstWordsLimit - said[h.side].size());
  FirstWords words;
  for (int s = 0; s < 2; ++s) words.said[s] = said[s];
  Decide(words, ended);
  if (state_ == State::kTold) Replay();
  if (state_ == State::kNotMail) held_.clear();
}

void Conversation::Decide(FirstWords& words, bool ended) {
  for (std::size_t s = 0; s < 2; ++s) words.port[s] = facts_.sides[s].port;
  if (!SkipProxy(words) && !ended) return;
  words.mid_stream = !facts_.syn_seen;
  words.ended = ended;
  const Detection d = Detect(words);
  if (d.state == Detection::State::kNotMail) state_ = State::kNotMail;
  if (d.state == Detection::State::kFound) Begin(d);
}

// What a tunnel carries is the conversation; the port that the client asked the proxy for is the hint. False: the handshake with
// the proxy has not ended.
bool Conversation::SkipProxy(FirstWords& words) {
  if (!facts_.syn_seen) return true;
  for (int c = 0; c < 2; ++c) {
    const ProxyHandshake proxy = ReadProxyHandshake(words.said[c], words.said[1 - c]);
    if (proxy.state == ProxyHandshake::State::kMore) return false;
    if (proxy.state == ProxyHandshake::State::kNone) continue;
    proxy_octets_[c] = proxy.client_octets;
    proxy_octets_[1 - c] = proxy.server_octets;
    words.port[1 - c] = proxy.port;
    for (int s = 0; s < 2; ++s) words.said[s].remove_prefix(proxy_octets_[s]);
    break;
  }
  return true;
}

void Conversation::Begin(const Detection& d) {
  state_ = State::kTold;
  facts_.protocol = d.protocol;
  if (!facts_.udp && !facts_.live) facts_.client_side = d.client_side;  // of a live one it is known
  const bool from_start = facts_.syn_seen && !facts_.udp;
  if (d.protocol == Protocol::kTls) {
    if (from_start) sides_ = Sides::kServerDue;
    return StartTls({facts_.first_frame, facts_.start});
  }
  if (from_start && d.protocol != Protocol::kDns) sides_ = Sides::kClientDue;
  MakeProtocolObserver();
}

void Conversation::MakeProtocolObserver() {
  if (facts_.protocol == Protocol::kDns) {
    auto dns = std::make_unique<dns::DnsObserver>(*this, OptionsOf(wants_), dns::ObserverLimits{}, !facts_.udp, &shared_.dns);
    dns_ = dns.get();
    observer_ = std::move(dns);
  } else {
    observer_ = MakeObserver(facts_.protocol, *this, OptionsOf(wants_));
  }
  if (!facts_.udp && !facts_.syn_seen) observer_->OnMidStream();
  if (one_sided_ >= 0) observer_->OnOneSided(DirectionOf(one_sided_));
}

void Conversation::OnOneSided(int seen) {
  one_sided_ = seen;
  if (observer_ != nullptr) observer_->OnOneSided(DirectionOf(seen));
}

void Conversation::Replay() {
  held_octets_ = 0;
  const auto held = std::exchange(held_, {});
  for (const HeldPiece& h : held) {
    if (h.gap > 0) {
      RouteGap(h.side, h.gap, h.origin);
    } else {
      RoutePastProxy(h.side, h.octets, h.origin);
    }
  }
}

void Conversation::RoutePastProxy(int side, Octets octets, const Origin& origin) {
  const std::size_t skipped = std::min(octets.size(), proxy_octets_[side]);
  proxy_octets_[side] -= skipped;
  if (skipped < octets.size()) Route(side, octets.substr(skipped), origin);
}

void Conversation::OnTcpGap(int side, std::uint64_t offset, std::uint64_t length, const Origin& origin) {
  if (state_ == State::kNotMail) return;
  const Direction direction = DirectionOf(side);
  if (facts_.gaps.size() < kMaxGaps) {
    facts_.gaps.push_back({direction, offset, length});
  } else {
    facts_.gaps.back().length += length;
  }
  if (state_ == State::kUndecided) {
    if (held_.size() < kMaxHeldPieces) held_.push_back({side, {}, length, origin});
    return;
  }
  RouteGap(side, length, origin);
}

void Conversation::RouteGap(int side, std::uint64_t length, const Origin& origin) {
  if (sides_ == Sides::kServerDue) JudgeServer(true);
  if (sides_ == Sides::kClientDue) sides_ = Sides::kAgree;
  if (sides_ == Sides::kPlainServer && DirectionOf(side) == Direction::kToServer)
    tls_->OnGap(Direction::kToServer, length, origin);
  if (in_tls_) return tls_->OnGap(DirectionOf(side), length, origin);
  if (observer_ != nullptr) observer_->OnGap(DirectionOf(side), length, origin);
}

void Conversation::OnTcpFin(int side, const Origin& origin) {
  fins_ |= static_cast<std::uint8_t>(1 << side);
  facts_.fin_seen = fins_ == 3;
  if (close_start_ == kNoTime) close_start_ = origin.time;
  if (state_ == State::kUndecided && !held_.empty()) DecideByHeld(fins_ == 3);
  if (state_ == State::kTold && !in_tls_ && observer_ != nullptr) observer_->OnFin(DirectionOf(side), origin);
}

void Conversation::OnTcpReset(int /*side*/, const Origin& origin) {
  facts_.reset_seen = true;
  if (close_start_ == kNoTime) close_start_ = origin.time;
}

void Conversation::OnTcpRetransmission(int /*side*/, std::uint64_t /*octets*/, bool conflict, const Origin& origin) {
  ++facts_.retransmissions;
  if (conflict) Note(FindingId::kConflictingOverlap, origin, {});
}

void Conversation::Note(FindingId id, const Origin& origin, std::string detail) {
  teller().OnFinding(facts_, {.id = id, .exchange = 0, .origin = origin, .detail = std::move(detail)});
}

void Conversation::OnExchange(const Exchange& exchange) {
  const Span& first = exchange.has_request ? exchange.request.span : exchange.reply.span;
  const Span& last = exchange.has_reply ? exchange.reply.span : exchange.request.span;
  if (first.first_time != kNoTime) NotePhase(exchange.phase, first.first_time, last.last_time);
  teller().OnExchange(facts_, exchange);
}

void Conversation::NotePhase(Phase phase, Timestamp start, Timestamp end) {
  auto& phases = facts_.phases;
  if (phases.capacity() == 0) phases.reserve(kPhaseCount);
  if (phases.empty() && phase != Phase::kConnect && facts_.syn_seen) phases.push_back({Phase::kConnect, facts_.start, start});
  if (!phases.empty() && (phases.back().phase == phase || phases.size() >= kMaxPhases)) {
    phases.back().end = std::max(phases.back().end, end);
  } else {
    phases.push_back({phase, start, end});
  }
}

void Conversation::OnMessageStart(Direction direction, std::uint64_t exchange, const Envelope& envelope) {
  auto& slot = open_[Index(direction)];
  if (slot == nullptr) slot = std::move(shared_.spare);
  if (slot == nullptr) slot = std::make_unique<OpenMessage>();
  slot->open = true;
  slot->exchange = exchange;
  slot->envelope = envelope;
  slot->too_large = false;
  slot->plain.reset();
  slot->scan.Reset({.digest = wants_.message_digest, .journey = false, .limits = {}});
}

void Conversation::OnMessageOctets(Direction direction, Octets octets) {
  OpenMessage& m = *open_[Index(direction)];
  m.scan.OnOctets(octets);
  shared_.message_octets_passed += octets.size();
  if (wants_.message_octets) teller().OnMessageOctets(direction, octets);
  if (!wants_.attachments || m.too_large || m.plain == true) return;
  if (!m.plain && m.scan.header_ended()) m.plain = !wants_.single_parts && !MayHaveParts(m.scan.header());
  m.plain == true ? DropWhole(m) : KeepWhole(m, octets);
}

void Conversation::DropWhole(OpenMessage& m) {
  shared_.message_octets -= m.whole.memory().size();
  m.whole.Clear();
}

void Conversation::KeepWhole(OpenMessage& m, Octets octets) {
  const bool fits = shared_.spills || shared_.message_octets + octets.size() <= shared_.message_limit;
  if (m.whole.size() + octets.size() > shared_.structured_message || !fits) {
    m.too_large = true;
    return DropWhole(m);
  }
  shared_.message_octets -= m.whole.memory().size();
  m.whole.Append(octets);
  if (shared_.spills && shared_.message_octets + m.whole.memory().size() > shared_.message_limit) m.whole.Spill();
  shared_.message_octets += m.whole.memory().size();
}

// A message that lies in the file comes into memory once more, but only one of them at a time.
mime::Structure Conversation::StructureOf(OpenMessage& m) {
  if (m.plain == true) return {};
  if (!m.whole.in_file()) return mime::ReadStructure(m.whole.memory(), {.limits = {}, .digests = true, .text = wants_.text});
  static std::mutex one_at_a_time;
  const std::lock_guard lock(one_at_a_time);
  std::string whole;
  whole.reserve(static_cast<std::size_t>(m.whole.size()));
  m.whole.ForEachPiece([&](std::string_view piece) { whole += piece; });
  return mime::ReadStructure(whole);
}

void Conversation::OnMessageGap(Direction direction, std::uint64_t length) { open_[Index(direction)]->scan.OnGap(length); }

void Conversation::OnMessageEnd(Direction direction, const MessageEnd& end) {
  OpenMessage& m = *open_[Index(direction)];
  m.open = false;
  TellMessage(direction, m, end);
  DropWhole(m);
  // A live conversation may be silent for long: its memory is given to the next that has a message.
  auto& slot = open_[Index(direction)];
  if (m.scan.header().size() > kKeptHeader) slot.reset();
  if (facts_.live && slot != nullptr) shared_.spare = std::move(slot);
}

void Conversation::TellMessage(Direction direction, OpenMessage& m, const MessageEnd& end) {
  MessageFacts facts;
  facts.exchange = m.exchange;
  facts.direction = direction;
  facts.order = ++messages_;
  facts.envelope = &m.envelope;
  facts.truncated = end.truncated || !end.complete_start;
  facts.size = m.scan.size();
  if (wants_.message_digest) {
    const mime::Digest digest = m.scan.FinishDigest();
    facts.sha256 = Hex(digest);
  }
  facts.header_block = m.scan.header();
  facts.header_cut = m.scan.header_cut() || (facts.truncated && !m.scan.header_ended());
  // A message may have no body, and then its end is its header's.
  const bool header_whole = m.scan.header_ended() || !facts.truncated;
  const bool header_told = end.complete_start && header_whole && !m.scan.header_cut();
  if (header_told && !m.scan.has_date()) teller().OnFinding(facts_, {FindingId::kNoDate, m.exchange, end.origin, {}});
  if (header_told && !m.scan.has_message_id()) teller().OnFinding(facts_, {FindingId::kNoMessageId, m.exchange, end.origin, {}});
  if (wants_.message_header) {
    m.header.Parse(facts.header_block);
    facts.header = &m.header;
  }
  mime::Structure structure;
  if (wants_.attachments && !m.too_large) {
    structure = StructureOf(m);
    facts.structure = &structure;
  }
  teller().OnMessage(facts_, facts);
}

void Conversation::OnFinding(const Finding& finding) {
  // Behind TLS nobody can see whether there was a farewell.
  if (finding.id == FindingId::kNoQuit && in_tls_ && !tls_->info().decrypted) return;
  // That the server answers TLS, of which it understands nothing, is told already.
  const bool of_plain_server = finding.id == FindingId::kMalformedTls || finding.id == FindingId::kUnsolicitedReply;
  if (of_plain_server && sides_ == Sides::kPlainServer && tls_->info().client_hello_seen) return;
  teller().OnFinding(facts_, finding);
}

void Conversation::OnProtocol(Protocol protocol) { facts_.protocol = protocol; }

void Conversation::OnTlsStart(const Origin& origin) {
  sides_ = Sides::kAgree;
  StartTls(origin);
  tls_doubtful_ = true;
}

void Conversation::OnEarlyTls(Octets octets, const Origin& origin) {
  tls_doubtful_ = false;
  if (in_tls_) tls_->OnOctets(Direction::kToServer, octets, origin);
}

void Conversation::StartTls(const Origin&) {
  in_tls_ = true;
  tls_ = std::make_unique<tls::TlsObserver>(this);
}

void Conversation::BeginTls(const Origin& origin) {
  if (state_ == State::kUndecided) held_ = {}, held_octets_ = 0, Begin({Detection::State::kFound, Protocol::kTls, 0});
  if (!in_tls_) StartTls(origin);
  tls_doubtful_ = false;
  if (sides_ == Sides::kClientDue) sides_ = Sides::kServerDue;
  if (sides_ == Sides::kPlainServer) sides_ = Sides::kAgree;
}

void Conversation::OnDecrypted(int side, Octets octets, const Origin& origin) {
  if (in_tls_) tls_->OnDecrypted(DirectionOf(side), octets, origin);
}

void Conversation::OnPlainOctets(Direction direction, Octets octets, const Origin& origin) {
  facts_.within_tls = true;
  if (observer_ == nullptr) return HoldPlain(direction, octets, origin);
  observer_->OnOctets(direction, octets, origin);
}

// TLS from the first octet, and somebody decrypts it: what it holds is found out as in the clear.
void Conversation::HoldPlain(Direction direction, Octets octets, const Origin& origin) {
  if (facts_.protocol != Protocol::kTls || held_.size() >= kMaxHeldPieces || held_octets_ >= kMaxHeldOctets) return;
  held_.push_back({Index(direction), std::string(octets), 0, origin});
  held_octets_ += octets.size();
  std::string said[2];
  for (const HeldPiece& h : held_)
    if (said[h.side].size() < kFirstWordsLimit) said[h.side].append(h.octets, 0, kFirstWordsLimit - said[h.side].size());
  FirstWords words;
  for (int s = 0; s < 2; ++s) words.said[s] = said[s];
  words.port[0] = facts_.client().port;
  words.port[1] = facts_.server().port;
  words.mid_stream = !facts_.syn_seen;
  const Detection d = Detect(words);
  if (d.state != Detection::State::kFound || d.protocol == Protocol::kTls || d.protocol == Protocol::kDns) return;
  facts_.protocol = d.protocol;
  MakeProtocolObserver();
  observer_->OnTlsEstablished(held_.front().origin);
  for (const HeldPiece& h : std::exchange(held_, {})) observer_->OnOctets(static_cast<Direction>(h.side), h.octets, h.origin);
}
void Conversation::OnPlainGap(Direction direction, const Origin& origin) {
  if (observer_ != nullptr) observer_->OnGap(direction, 0, origin);
}
void Conversation::OnEncrypted(const Origin& origin) {
  if (sides_ == Sides::kPlainServer) return;
  NotePhase(Phase::kTls, tls_->info().start, origin.time);
  if (observer_ != nullptr) observer_->OnTlsEstablished(origin);
}

// Nothing was said: what remains is the port, if both know it for mail.
void Conversation::GuessByPort() {
  const Protocol hints[2] = {ProtocolOfPort(facts_.sides[0].port), ProtocolOfPort(facts_.sides[1].port)};
  const int server = hints[1] != Protocol::kUnknown ? 1 : hints[0] != Protocol::kUnknown ? 0 : -1;
  if (server < 0 || facts_.udp || spoke_ != 0) {
    state_ = State::kNotMail;
    return;
  }
  if (!facts_.syn_seen) facts_.client_side = 1 - server;
  state_ = State::kTold;
  facts_.protocol = hints[server];
  facts_.by_port_only = true;
}

void Conversation::EndOfSpeech(const Origin& origin) {
  if (std::exchange(speech_over_, true)) return;
  if (state_ == State::kUndecided && !held_.empty()) DecideByHeld(true);
  if (state_ == State::kUndecided) GuessByPort();
  if (state_ != State::kTold) return;
  if (sides_ == Sides::kServerDue) JudgeServer(true);
  if (in_tls_) tls_->OnEnd(origin, facts_.reset_seen);
  if (observer_ != nullptr) observer_->OnEnd(origin, facts_.reset_seen);
  if (observer_ != nullptr && wants_.secrets) {
    Secrets secrets = observer_->TakeSecrets();
    if (!secrets.empty()) facts_.secrets = std::make_shared<const Secrets>(std::move(secrets));
  }
  Summarise(origin);
  if (tls_ != nullptr && (sides_ != Sides::kPlainServer || tls_->info().client_hello_seen)) {
    facts_.tls = std::make_unique<tls::TlsInfo>(tls_->info());
    facts_.tls->plain_server = sides_ == Sides::kPlainServer;
    if (facts_.protocol == Protocol::kTls && facts_.tls->swapped)
      facts_.client_side = 1 - facts_.client_side, facts_.tls->swapped = false;
  }
  observer_.reset();
  tls_.reset();
  held_ = {};
  open_[0].reset(), open_[1].reset();
}

// Findings that belong to the connection as a whole.
void Conversation::Summarise(const Origin& origin) {
  if (facts_.retransmissions >= kRetransmissionsWorthTelling)
    Note(FindingId::kRetransmissions, origin, std::to_string(facts_.retransmissions));
  if (!facts_.gaps.empty()) {
    std::uint64_t octets = 0;
    for (const Gap& g : facts_.gaps) octets += g.length;
    Note(FindingId::kGap, origin, std::to_string(octets));
  }
  if (facts_.by_port_only && facts_.reset_seen) Note(FindingId::kConnectionRefused, origin, {});
}

void Conversation::Finish(TextStore& text) {
  if (facts_.phases.empty() && !facts_.udp) facts_.phases.push_back({Phase::kConnect, facts_.start, facts_.end});
  if (close_start_ != kNoTime) NotePhase(Phase::kClose, close_start_, facts_.end);
  teller().Finish(facts_, text);
}

}  // namespace glasspost::analysis
