// One conversation: what the reassembly tells goes to the protocol's observer (through TLS, once it begins), what the observer
// tells goes to the Teller, and the facts are kept on the way.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analysis/detector.h"
#include "analysis/facts.h"
#include "analysis/teller.h"
#include "capture/tcp_connection.h"
#include "wire/dns/observer.h"
#include "wire/exchange.h"
#include "wire/mime/message_scan.h"

namespace glasspost::analysis {

// A message that passes, of one direction of a conversation.
struct OpenMessage {
  bool open = false;
  std::uint64_t exchange = 0;
  Envelope envelope;
  mime::MessageScan scan;
  mime::HeaderDecoder header;
  TextStore whole;  // for the MIME structure
  bool too_large = false;
  // One part, no attachment: there is nothing to look into. Unset until its header is there to tell.
  std::optional<bool> plain;
};

// What the conversations of one shard share; one thread at a time.
struct Shared {
  // Octets of messages held in memory for looking into their MIME structure; more goes to the temporary file.
  std::size_t message_limit = 0;
  std::size_t message_octets = 0;
  // Octets of one message that are gathered for its MIME structure; a larger one is told without it.
  std::size_t structured_message = std::size_t{64} << 20;
  // False: nothing goes to the file (a live conversation's thread must not wait for it); what does not fit is told without its
  // structure.
  bool spills = true;
  // Of messages, that passed: of all that is said, what leaves nothing behind.
  std::size_t message_octets_passed = 0;
  dns::Workspace dns;
  // Between messages of live conversations, which keep none while they are silent.
  std::unique_ptr<OpenMessage> spare;
};

// How a connection begins that is listened to as it lives: no packets, only what its ends say.
struct LiveBeginning {
  Endpoint client;
  Endpoint server;
  Timestamp time = 0;
  Protocol protocol = Protocol::kUnknown;  // what is served there; unknown: as it turns out
};

class Conversation final : public capture::TcpEvents, public ObserverSink, public tls::TlsSink {
 public:
  enum class State : std::uint8_t { kUndecided, kTold, kNotMail };

  Conversation(const Report& report, Shared& shared, const capture::Packet& first);
  Conversation(const Report& report, Shared& shared, const LiveBeginning& beginning);
  ~Conversation() override;
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  // Counts the packet; for UDP also tells its payload.
  void OnPacket(int side, const capture::Packet& packet) {
    facts_.last_frame = packet.frame;
    facts_.end = std::max(facts_.end, packet.time);
    facts_.start = std::min(facts_.start, packet.time);
    facts_.packets += packet.fragments;
    facts_.bytes += packet.ip_payload_length;
    if ((packet.flags & (capture::kSyn | capture::kAck)) == capture::kSyn) facts_.syn_seen = true, facts_.client_side = side;
    if (wants_.packets) teller().OnPacket(facts_, side, packet);
    if (facts_.udp) OnDatagram(side, packet);
  }
  // Of a live connection, which has no packets: so many octets have crossed the wire. Side 0 is the client. What they say comes
  // as TcpEvents, in the clear or as TLS records.
  void OnWire(std::size_t octets, Timestamp time) {
    facts_.bytes += octets;
    facts_.end = std::max(facts_.end, time);
  }
  // The next octets are TLS: known from who speaks it, whatever was made of what was said.
  void BeginTls(const Origin& origin);
  // What the records held, from whoever could decrypt them.
  void OnDecrypted(int side, Octets octets, const Origin& origin);
  // The capture holds nothing of the other side.
  void OnOneSided(int seen);
  // Nothing more will be said: pending exchanges and open messages are told as they are. Once.
  void EndOfSpeech(const Origin& origin);
  // The conversation is over, no packet of it will come any more. Appends the text. After EndOfSpeech.
  void Finish(TextStore& text);

  // Octets of memory, itself included; by lengths, so that the same packets always give the same. Without the text that its
  // Teller holds, and without messages that count in Shared.
  std::size_t Held() const;
  std::size_t TextHeld() const { return teller_ == nullptr ? 0 : teller_->TextHeld(); }
  void SpillText() {
    if (teller_ != nullptr) teller_->SpillText();
  }

  State state() const { return state_; }
  const ConversationFacts& facts() const { return facts_; }
  ConversationFacts& mutable_facts() { return facts_; }
  // Made when there is something to tell: most flows of a scan, or of other protocols, have nothing.
  Teller& teller() {
    if (teller_ == nullptr) [[unlikely]]
      teller_ = report_.NewTeller();
    return *teller_;
  }

 private:
  struct HeldPiece {  // octets that came before the protocol was known
    int side;
    std::string octets;
    std::uint64_t gap;  // octets that are missing here; then `octets` is empty
    Origin origin;
  };

  // capture::TcpEvents
  void OnTcpOctets(int side, Octets octets, const Origin& origin) override;
  void OnTcpGap(int side, std::uint64_t offset, std::uint64_t length, const Origin& origin) override;
  void OnTcpFin(int side, const Origin& origin) override;
  void OnTcpReset(int side, const Origin& origin) override;
  void OnTcpRetransmission(int side, std::uint64_t octets, bool conflict, const Origin& origin) override;
  // ObserverSink
  void OnExchange(const Exchange& exchange) override;
  void OnRequest(const Exchange& exchange) override { teller().OnRequest(facts_, exchange); }
  void OnMessageStart(Direction direction, std::uint64_t exchange, const Envelope& envelope) override;
  void OnMessageOctets(Direction direction, Octets octets) override;
  void OnMessageGap(Direction direction, std::uint64_t length) override;
  void OnMessageEnd(Direction direction, const MessageEnd& end) override;
  void OnFinding(const Finding& finding) override;  // tls::TlsSink's too
  void OnTlsStart(const Origin& origin) override;
  void OnEarlyTls(Octets octets, const Origin& origin) override;
  void OnProtocol(Protocol protocol) override;

  // tls::TlsSink
  void OnPlainOctets(Direction direction, Octets octets, const Origin& origin) override;
  void OnPlainGap(Direction direction, const Origin& origin) override;
  void OnEncrypted(const Origin& origin) override;

  void OnDatagram(int side, const capture::Packet& packet);
  Direction DirectionOf(int side) const { return side == facts_.client_side ? Direction::kToServer : Direction::kToClient; }
  void Route(int side, Octets octets, const Origin& origin);
  void RouteGap(int side, std::uint64_t length, const Origin& origin);
  void Hold(int side, Octets octets, const Origin& origin);
  void DecideByHeld(bool ended);
  void Decide(FirstWords& words, bool ended);
  void RoutePastProxy(int side, Octets octets, const Origin& origin);
  bool SkipProxy(FirstWords& words);
  void ConfirmTls(Octets octets);
  void RouteFirst(int side, Octets octets, const Origin& origin);
  void JudgeServer(bool ended);
  void BeginPlainServer(Protocol protocol);
  void HearTlsClient(Octets octets, const Origin& origin);
  void Begin(const Detection& detection);
  void MakeProtocolObserver();
  void HoldPlain(Direction direction, Octets octets, const Origin& origin);
  void Replay();
  void StartTls(const Origin& origin);
  void GuessByPort();
  void NotePhase(Phase phase, Timestamp start, Timestamp end);
  void TellMessage(Direction direction, OpenMessage& message, const MessageEnd& end);
  void KeepWhole(OpenMessage& message, Octets octets);
  void DropWhole(OpenMessage& message);
  mime::Structure StructureOf(OpenMessage& message);
  void Summarise(const Origin& origin);
  void Note(FindingId id, const Origin& origin, std::string detail);

  // First what every packet and every piece of a message needs.
  const Report::Wants wants_;
  State state_ = State::kUndecided;
  bool in_tls_ = false;
  bool tls_doubtful_ = false;  // it was agreed on; nothing of it was heard yet
  // Whether both sides speak TLS, or both do not, shows with the first octet of the second to speak.
  enum class Sides : std::uint8_t {
    kAgree,
    kClientDue,    // a dialogue, of which the client has said nothing yet
    kServerDue,    // TLS from the first octet, of which the server has said nothing yet, or not enough; all of it is in held_
    kPlainServer,  // the client speaks TLS, the server does not
  };
  Sides sides_ = Sides::kAgree;
  std::unique_ptr<Observer> observer_;
  std::unique_ptr<OpenMessage> open_[2];
  Shared& shared_;
  ConversationFacts facts_;

  const Report& report_;
  std::unique_ptr<Teller> teller_;
  std::size_t proxy_octets_[2] = {0, 0};  // of the handshake with a proxy, to be passed over
  bool speech_over_ = false;
  int one_sided_ = -1;      // the only side that the capture holds
  std::uint8_t spoke_ = 0;  // bit a side
  std::uint8_t fins_ = 0;   // bit a side
  Timestamp close_start_ = kNoTime;
  std::uint64_t messages_ = 0;
  dns::DnsObserver* dns_ = nullptr;  // observer_, where it is DNS
  std::unique_ptr<tls::TlsObserver> tls_;
  std::vector<HeldPiece> held_;
  std::size_t held_octets_ = 0;
};

}  // namespace glasspost::analysis
