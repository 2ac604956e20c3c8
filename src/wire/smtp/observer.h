// Listens to SMTP (RFC 5321) and LMTP (RFC 2033) and tells exchanges, messages and findings. It never stops: what it believes of
// the dialogue (commands, data, an answer to a challenge) is a hypothesis, decided by what is said. Where the server's word is
// needed to know what the client's octets are (after DATA: 354 or not), those octets are held until it is there; where that word
// lies in a gap, what the client sends decides. All decisions depend on the order of octets only, never on how they were cut.
//
// Not thread-safe; owns everything but the sink, which outlives it. Memory is bounded by SmtpLimits.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/redaction.h"
#include "wire/exchange.h"
#include "wire/sasl/sasl.h"
#include "wire/smtp/exchange_queue.h"
#include "wire/smtp/grammar.h"
#include "wire/smtp/held_octets.h"
#include "wire/smtp/limits.h"
#include "wire/smtp/reply.h"
#include "wire/smtp/rules.h"
#include "wire/smtp/transaction.h"
#include "wire/text/broken_line.h"
#include "wire/text/dot_decoder.h"
#include "wire/text/line_splitter.h"

namespace glasspost::smtp {

// What is wrong in a chunk's lines; BDAT has no dots to look for.
class ChunkScan {
 public:
  void Reset() { *this = {}; }
  void Feed(Octets octets);
  bool eight_bit() const { return state_.eight_bit; }
  bool bare() const { return bare_; }
  std::uint64_t longest_line() const { return state_.longest_line; }

 private:
  text::DotScanState state_{.after_lf = true};
  bool bare_ = false;
};

// The first octet of a TLS record (RFC 8446 §5.1), or of an SSLv2 hello.
constexpr bool BeginsTls(char c) {
  const auto octet = static_cast<std::uint8_t>(c);
  return (octet >= 0x14 && octet <= 0x17) || octet == 0x80;
}

// A reply as it was heard, before it is known whose it is.
struct HeardReply {
  Reply reply;
  bool codes_differ = false;
  bool too_long = false;   // a line of it
  bool bare_lf = false;    // ends a line of it
  bool after_gap = false;  // its beginning may be lost
  void Clear() {
    reply.Clear();
    codes_differ = too_long = bare_lf = after_gap = false;
  }
};

class SmtpObserver final : public Observer {
 public:
  // `hint`: kLmtp where it is known before the first LHLO.
  SmtpObserver(ObserverSink& sink, const ObserverOptions& options, const SmtpLimits& limits = {},
               Protocol hint = Protocol::kSmtp);

  void OnOctets(Direction direction, Octets octets, const Origin& origin) override;
  void OnGap(Direction direction, std::uint64_t length, const Origin& origin) override;
  void OnFin(Direction direction, const Origin& origin) override;
  void OnEnd(const Origin& origin, bool reset) override;
  void OnMidStream() override;
  void OnOneSided(Direction seen) override;
  void OnTlsEstablished(const Origin& origin) override;
  std::size_t Held() const override;
  Secrets TakeSecrets() override { return std::move(secrets_); }

 private:
  // What the client's octets are believed to be.
  enum class Mode : std::uint8_t { kCommands, kData, kChunk };
  // Why the client's octets wait.
  enum class Hold : std::uint8_t {
    kNone,
    kDataReply,     // DATA: 354 or not
    kAuthReply,     // AUTH or an answer: 334 or not
    kTlsReply,      // STARTTLS: 220 or not
    kBadChunk,      // BDAT with a size that cannot be right
    kRefusedChunk,  // BDAT was refused before all its octets came: will they come?
    kLookAlike,     // a look-alike end of data: does the server believe it?
    kDataGap,       // after a gap in data: was its end in the gap?
    kResync,        // after a gap, or mid-stream: the tail of a line, a command, or data?
  };
  enum class BlockEnd : std::uint8_t { kDot, kLookAlike, kServerSaid, kCutShort };
  enum Extension : std::uint16_t {
    kPipelining = 1,
    kEightBitMime = 2,
    kStartTlsOffered = 4,
    kAuthOffered = 8,
    kEnhancedCodes = 16,
  };

  // observer.cc: entry points, holding and releasing
  void OnClientOctets(Octets octets, const Origin& origin);
  void OnServerOctets(Octets octets, const Origin& origin);
  void OnClientGap(std::uint64_t length, const Origin& origin);
  void OnServerGap(std::uint64_t length, const Origin& origin);
  void OnClientFin(const Origin& origin);
  void OnServerFin(const Origin& origin);
  void OnBurst(const Origin& origin);
  std::size_t Consume(Octets octets, const Origin& origin);
  void Drain();
  void ConsumeGap(std::uint64_t length, const Origin& origin);
  void SetHold(Hold hold, std::uint64_t exchange);
  void ReleaseHold() { hold_ = Hold::kNone; }
  void ForgetSession();
  // An octet that begins a TLS record where TLS is due (or an answer to a reply that is lost): nobody decrypts it here.
  bool SwallowsTls(Direction direction, Octets octets, bool at_line_start) {
    bool& swallow = swallow_[static_cast<std::size_t>(Index(direction))];
    if (tls_due_ && at_line_start && BeginsTls(octets.front())) swallow = true;
    return swallow;
  }

  // observer_client.cc: commands
  std::size_t TakeLines(Octets octets, const Origin& origin);
  void OnClientLine(const text::Line& line, const Origin& origin);
  void OnCommand(const text::Line& line, bool partial, const Origin& origin);
  void OnAuthAnswer(const text::Line& line, const Origin& origin);
  void JudgeCommand(Entry& entry, const text::Line& line, const Origin& origin);
  void JudgeSecurity(Entry& entry, const Origin& origin);
  void FillUnknown(Request& request, const text::Line& line);
  void FillAuth(Entry& entry, const text::Line& line, const Origin& origin);
  void FillArgument(Entry& entry, const text::Line& line, const Origin& origin);
  void ActOnCommand(std::uint64_t number, const Origin& origin);
  void BeginChunk(std::uint64_t number, const Origin& origin);
  void TellPartialLine(const Origin& origin);
  void TellRequest(const Entry& entry);
  Phase PhaseOf(Verb verb) const;
  Entry& NewEntry(const Origin& origin);

  // observer_content.cc: data blocks, chunks, and what decides between text and commands
  std::size_t TakeData(Octets octets, const Origin& origin);
  void OpenChunkedMessage();
  std::size_t TakeChunk(Octets octets, const Origin& origin);
  void FinishChunk();
  void EndChunks();
  void StartData(bool from_its_start);
  void OpenBlock(const Origin& origin);
  void EndBlock(BlockEnd how, const Origin& origin);
  void JudgeContent(std::uint64_t exchange, bool eight_bit, bool bare, std::uint64_t longest);
  void OpenMessage(std::uint64_t exchange);
  void CloseMessage(bool truncated);
  void GiveMessage(Octets octets);
  void Decide(bool now);
  bool DecideHeld(bool now, Octets rest, const Origin& origin);
  std::size_t HeldLimit() const;  // octets, for what hold_ waits for
  void DecideByFirstLine(Octets line);
  void DecideAfterDataGap(bool now);
  void DecideResync(bool now);
  void DropHeldLine(std::size_t octets);
  void DropTail(std::size_t octets);
  void TellLoneDot();
  void WatchLookAlike(Octets octets);
  void BelieveLookAlike();
  void IgnoreLookAlike();
  // Whether the server can still say what it makes of a look-alike: nothing that is held lies before a gap or the end.
  bool VerdictMayCome() const { return !closing_ && !held_.gap_follows(); }
  std::size_t RepliesWithoutLookAlike();
  std::size_t LinesBehind();

  // observer_server.cc: replies, and whose they are
  void OnServerLine(const text::Line& line, const Origin& origin);
  bool PartialServerLine(text::Line& line, const Origin& origin);
  void BreakServerLine(const Origin& origin);
  void MendServerLine(text::Line& line, const Origin& origin);
  void TellBrokenLine(const Origin& origin);
  void TellNoReply(const text::Line& line, const Origin& origin);
  void AddToReply(const text::Line& line, bool is_reply, const ReplyLine& parsed);
  void FinishReply();
  void Deliver(const Origin& origin);
  void DeliverAtLookAlike(const Origin& origin);
  void DeliverAll(std::vector<HeardReply>& replies);
  void SettleDataGap();
  void SettleDataReply(int code);
  void SettleResync(int code);
  bool Ambiguous();
  bool Decisive(int code);
  void Align(const Origin& origin);
  std::vector<std::uint64_t> PairBackwards(const std::vector<std::uint64_t>& entries);
  void Assign(const Origin& origin);
  bool IsOverdue(int code);
  void OnUnasked(bool greeting, const Origin& origin);
  void ActOnUnasked(std::uint64_t number, const Origin& origin);
  void CloseLossy();
  Entry& SkipUnanswered(Entry& oldest);
  Entry& SkipBlanks(Entry& first);
  Phase PhaseOfUnasked(int code, bool greeting) const;

  // observer_answers.cc: what a reply means for its command
  void Answer(Entry& entry, const Origin& origin);
  const Reply& KeepReply(Entry& entry);
  void TurnIntoAnswer(Entry& entry, const Origin& origin);
  void JudgeReply(const Entry& entry, const Reply& reply, const HeardReply& heard, const Origin& origin);
  void JudgeRefusal(const Entry& entry, const Reply& reply, const Origin& origin);
  void ActOnReply(Verb verb, std::uint64_t number, const Origin& origin);
  void OnHelloReply(Entry& entry, bool after_gap, const Origin& origin);
  void ShowChallenge(Reply& reply);
  void OnAuthReply(Entry& entry, const Origin& origin);
  void OnDataReply(std::uint64_t number, int code);
  void OnChunkReply(std::uint64_t number, int code, const Origin& origin);
  void OnTlsReply(std::uint64_t number, int code, const Origin& origin);
  void GiveEarlyTls(HeldOctets early);
  void MoveState(Verb verb, int code, bool last);

  void Note(FindingId id, std::uint64_t exchange, const Origin& origin, Octets detail = {});
  bool NoteOnce(FindingId id, std::uint64_t exchange, const Origin& origin, Octets detail = {});

  // First what every piece of a message needs.
  ObserverSink& sink_;
  const ObserverOptions options_;
  Mode mode_ = Mode::kCommands;
  Hold hold_ = Hold::kNone;
  bool ended_ = false;
  bool client_only_ = false;
  bool server_spoke_ = false;      // since the client's last octets
  bool tls_due_ = false;           // STARTTLS was accepted
  std::array<bool, 2> swallow_{};  // that direction is TLS nobody decrypts
  bool ignores_look_alikes_ = false;
  std::uint64_t client_at_ = 0;  // stream position of the next octet to be taken
  std::uint64_t block_ = 0;      // exchange of the open data block
  Origin message_at_;            // of the message's last octets so far
  ExchangeQueue queue_;
  text::DotDecoder decoder_;
  HeldOctets held_;

  const SmtpLimits limits_;
  Secrets secrets_;
  Transactions transactions_;
  sasl::SaslObserver sasl_;
  sasl::SaslStep step_;
  Protocol protocol_;

  // What is known of the capture.
  bool server_only_ = false;
  bool mid_stream_ = false;
  bool uncertain_ = false;  // a gap: the rules' state is a guess until a reply confirms it
  bool streaming_ = false;  // the client goes on before it has heard all replies
  bool greeted_ = false;    // the greeting was seen, or is lost
  bool closing_ = false;    // nothing more will come: what is held must be decided

  // The client's side.
  std::uint64_t hold_exchange_ = 0;  // whose reply decides
  bool content_decides_ = false;     // that reply is lost
  bool sent_unasked_ = false;        // what is being released was sent before the reply that released it
  text::LineSplitter client_lines_;
  Span line_span_;
  Command command_;
  bool answer_due_ = false;      // the next line answers a 334
  bool answer_unasked_ = false;  // which answered no AUTH: the next line answers it unless it is a command
  bool data_refused_ = false;    // and the message may be sent all the same, its lines taken for commands
  bool stray_noted_ = false;
  bool mask_unknown_ = false;  // after AUTH, unless it succeeded: what is no command may be its secret
  std::string told_line_;      // how a line that is no command may be told
  bool quit_sent_ = false;
  bool mail_sent_ = false;
  bool hello_sent_ = false;
  std::optional<std::uint64_t> hole_;  // before this exchange, requests were lost in a gap
  State presumed_ = State::kConnected;
  Phase phase_ = Phase::kGreeting;

  // The message.
  text::DotDecoder probe_;   // runs ahead over what is held behind a look-alike
  bool probe_done_ = false;  // and has found the true end
  std::size_t probed_ = 0;   // held octets up to there, and of the lines behind it that were counted
  std::size_t lines_behind_ = 0;
  bool data_behind_ = false;  // one of them is DATA
  std::uint64_t block_start_ = 0;
  bool block_lossy_ = false;  // its end may have been missed
  bool block_from_start_ = true;
  bool block_in_chunks_ = false;  // text whose command is lost, between two chunks of a message
  bool message_open_ = false;
  bool message_truncated_ = false;
  bool message_from_start_ = true;
  std::uint64_t message_exchange_ = 0;
  ChunkScan chunk_scan_;
  std::uint64_t chunk_ = 0;       // exchange of the open chunk
  std::uint64_t chunk_left_ = 0;  // its octets to come
  bool chunk_last_ = false;
  std::uint64_t first_chunk_ = 0;  // exchange of the message's first chunk
  Envelope envelope_;

  // The server's side.
  text::LineSplitter server_lines_;
  std::uint64_t server_at_ = 0;
  Span reply_line_span_;
  HeardReply heard_;               // the one that is coming
  bool reply_open_ = false;        // a line with '-' came
  bool reply_lossy_ = false;       // a gap lies in it
  bool reply_left_ = false;        // the client went on meanwhile
  bool server_resync_ = false;     // the next line may be the tail of one
  bool after_server_gap_ = false;  // the next reply's beginning may be lost
  text::BrokenLine broken_line_;   // the beginning of the server's line, after which the client spoke
  Span broken_span_;
  std::uint64_t broken_exchange_ = 0;  // the exchange of that line, where no command waits for it
  std::vector<HeardReply> deferred_;   // it is not clear yet whose they are
  std::size_t deferred_octets_ = 0;
  bool ignores_blanks_ = false;  // the server has passed over an empty line
  State state_ = State::kConnected;
  std::uint16_t extensions_ = 0;
  bool extensions_maybe_ = false;  // more may have been offered: the answer to EHLO is not known whole
  bool authenticated_ = false;

  // TLS.
  bool tls_ = false;  // established
  std::uint64_t tls_exchange_ = 0;

  std::optional<Direction> first_fin_;
  bool client_fin_ = false;
  bool server_fin_ = false;
  bool farewell_ = false;  // the server said 221 or 421
  std::array<unsigned, kFindingCount> noted_{};
};

}  // namespace glasspost::smtp
