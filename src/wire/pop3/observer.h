// Listens to a POP3 conversation (RFC 1939, 2449, 2595, 3206, 5034, 6856) and tells its exchanges, messages and findings.
//
// Which replies have many lines follows from the command that is answered, never from an octet count that the server prints.
// Replies come in the order of the commands, so each is paired with the oldest command that waits. Losses bend that, and the one
// thing that holds then is causal order: a client that does not pipeline sends its next command only when it has the whole reply
// before. So where octets of a reply are missing, such a command ends it; and a status line found where a reply was lost belongs
// to a later command. A reply whose command was lost is told without a request; the lines after it are taken as its own until a
// lone dot, they are never made replies or messages.
//
// Secrets (PASS, APOP's digest, SASL) are masked unless the options keep them. Memory is bounded by Pop3Limits; buffers are kept
// from exchange to exchange. The sink must outlive the observer and is called from within the calls below, on their thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/redaction.h"
#include "wire/exchange.h"
#include "wire/pop3/grammar.h"
#include "wire/pop3/maildrop.h"
#include "wire/pop3/rules.h"
#include "wire/sasl/sasl.h"
#include "wire/text/broken_line.h"
#include "wire/text/dot_decoder.h"
#include "wire/text/line_splitter.h"

namespace glasspost::pop3 {

struct Pop3Limits {
  std::size_t line_octets = 16384;             // kept of a line: stops lines without end (SASL answers may be long, RFC 4954 §4)
  std::size_t text_octets = 256 * 1024;        // kept of a listing: stops LIST, UIDL and TOP without end
  std::size_t stray_text_octets = 4096;        // kept of lines after a reply whose command is not known
  std::size_t pending = 2048;                  // commands that wait for their reply: stops pipelining without end
  std::size_t pending_octets = 1024 * 1024;    // octets of them: stops the same with long lines
  std::size_t listed = 16384;                  // message sizes remembered from LIST
  std::size_t command_octets = 255;            // RFC 2449 §4, with CRLF; beyond it a finding
  std::size_t status_octets = 512;             // RFC 2449 §4, with CRLF; beyond it a finding
  std::size_t text_line_octets = 998;          // RFC 5322 §2.1.1; beyond it a finding
  std::int64_t slow_reply_ns = 5'000'000'000;  // beyond it a finding
  unsigned findings_of_a_kind = 64;            // stops a peer that breaks a rule a million times from filling the report
};

class Pop3Observer final : public Observer {
 public:
  Pop3Observer(ObserverSink& sink, const ObserverOptions& options, const Pop3Limits& limits = {});

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
  // What is known of a command (or an answer to a challenge) beside what is told of it.
  struct Asked {
    Command command = Command::kUnknown;
    bool answer = false;           // verb "*"
    Shape shape = Shape::kSingle;  // of the reply, if it is +OK
    bool pipelined = false;        // sent before the reply to the one before was whole
    bool cleartext = false;        // carries a password that anybody can read
    bool bare_lf = false;
    bool too_long = false;
    std::size_t weight = 0;    // octets of its line that were kept
    unsigned lost_before = 0;  // commands before it that were not captured and whose replies may still come
  };
  // One that waits for its reply.
  struct Pending : Asked {
    Request request;
    void Clear() {
      static_cast<Asked&>(*this) = {};
      request.Clear();
    }
  };
  // Where the server's octets are.
  enum class ServerState : std::uint8_t {
    kStatus,   // a status line is due
    kLines,    // lines of LIST, UIDL, CAPA, TOP … until a lone dot
    kMessage,  // RETR
    kStray,    // lines that may or may not belong to the status line before; or to one that was not captured
  };
  enum class Tls : std::uint8_t { kNone, kAccepted, kOpaque, kDone };

  // Client's side: observer.cc.
  void FromClient(Octets in, const Origin& o);
  void ClientLine(const text::Line& line, const Origin& o);
  void ClientAnswer(const text::Line& line, const Origin& o);
  void ClientCommand(const CommandLine& c, const text::Line& line, const Origin& o);
  void FillArgument(Pending& p, const CommandLine& c, std::size_t octets, bool cut);
  void FillAuth(Pending& p, Octets argument, std::size_t octets, bool cut);
  CommandLine HideUnknown(const text::Line& line);
  void GiveUpPending(const Origin& o);
  Pending& Push(const text::Line& line);
  void TellRequest(const Pending& p);
  bool PartialClientLine(const Origin& o);
  // The client speaks: what does that say about the reply it has been waiting for? Whether it did not wait.
  bool Outran(const Origin& o);
  void ClientGap(std::uint64_t length, const Origin& o);
  // True: the octets are TLS's and not for us.
  bool IsTls(Octets in, const Origin& o);

  // Server's side: observer_server.cc.
  void FromServer(Octets in, const Origin& o);
  void ServerLine(const text::Line& line, const Origin& o);
  void BreakServerLine();
  void MendServerLine(text::Line& line, const Origin& o);
  void TellBrokenLine(const Origin& o);
  void SkipBlanks(Status status, const Origin& o);
  void OnStatusLine(const text::Line& line, const Origin& o);
  void OnNoStatusLine(const text::Line& line, const Origin& o);
  void OnReplyLine(const text::Line& line, const Origin& o);
  void OnStrayLine(const text::Line& line, const Origin& o);
  void BeginStray(bool told, bool trust, std::size_t lines);
  void LostStatus(const text::Line& line, const Origin& o);
  void Greeting(const StatusLine& s, const text::Line& line, const Origin& o);
  void Orphan(const StatusLine& s, const text::Line& line, const Origin& o);
  void Answer(const StatusLine& s, const text::Line& line, const Origin& o);
  void Challenge(const StatusLine& s, const text::Line& line, const Origin& o);
  void AbsorbLine();  // the line that was read belongs to the reply in exchange_
  void BeginBody(Shape shape, bool complete_start);
  bool BeginLostBody(Octets in);
  void FeedMessage(Octets& in, const Origin& o);
  void FeedMessageCarefully(Octets& in, const Origin& o);
  void FlushProbe();
  void GiveMessage(Octets octets);
  bool EndMissed() const;
  void SkipMissed(const Origin& o);
  void Realign(const StatusLine& s, const Origin& o);
  void ServerGap(std::uint64_t length, const Origin& o);
  void PartialServerLine(const Origin& o);
  void AppendText(Octets line, std::size_t limit);
  void FinishBody(bool truncated, std::uint64_t end, const Origin& o);
  void FinishStray(const Origin& o);
  void MessageFindings(const Origin& o);
  void OnListing(const Origin& o);
  bool EndsHere(Octets taken) const;

  // Telling, and the hypothesis about the session: observer_tell.cc.
  void TakeFront();                  // the oldest command becomes the exchange that is being told
  void BeginUnrequested();           // an exchange without request becomes it
  void Unanswered(const Origin& o);  // tells the oldest command without a reply
  void UnansweredAll(const Origin& o);
  void SetReply(Status status, Octets text, const text::Line& line, const Origin& o);
  void TellExchange(const Origin& o);
  void CheckRequest();
  void Unlearn();
  void Learn(Status status, Octets text, const Origin& o);
  void LearnAuth(Status status, const Origin& o);
  void LearnCapabilities(Octets lines);
  void AcceptTls(const Origin& o);
  void EndFindings(const Origin& o);
  Phase PhaseOf(Command command, bool answer) const;
  void Tell(FindingId id, std::uint64_t exchange, const Origin& o, std::string detail = {});

  bool Behind() const { return count_ > 0 || lost_ > 0; }
  Pending& At(std::size_t i) { return ring_[(head_ + i) % ring_.size()]; }
  Pending& Front() { return ring_[head_]; }
  void PopFront();
  std::uint64_t ServerAt(Octets rest) const { return server_end_ - rest.size(); }

  ObserverSink& sink_;
  const ObserverOptions options_;
  const Pop3Limits limits_;
  Secrets secrets_;
  sasl::SaslObserver sasl_;
  sasl::SaslStep step_;
  Maildrop maildrop_;

  // Client.
  text::LineSplitter client_lines_;
  Span client_line_;  // of the line that is being read
  std::uint64_t client_at_ = 0;
  bool client_resync_ = false;    // after a loss: lines are dropped until one is a command
  bool answer_expected_ = false;  // the server sent a challenge
  bool secret_due_ = false;       // a login was begun without its secret: what is no command may be one
  std::string told_line_;         // how a line that is no command may be told
  bool pipeliner_ = false;        // the client has sent commands without waiting
  bool queue_gap_ = false;        // octets of the server were lost while several commands waited
  unsigned lost_ = 0;             // commands that were not captured, after the last one that was, whose replies may still come
  std::vector<Pending> ring_;     // of the commands that wait, from head_
  std::size_t head_ = 0, count_ = 0;
  std::size_t pending_octets_ = 0;  // their weights

  // Server.
  text::LineSplitter server_lines_;
  Span server_line_;
  std::uint64_t server_at_ = 0;   // up to here the octets were taken
  std::uint64_t server_end_ = 0;  // where the input that is being taken ends
  ServerState state_ = ServerState::kStatus;
  text::BrokenLine broken_line_;  // the beginning of a status line, after which the client spoke
  Span broken_span_;
  bool broken_unasked_ = false;  // no command waited for it
  bool ignores_blanks_ = false;  // the server has passed over an empty line
  bool status_gap_ = false;      // octets were lost where a status line was due
  bool drop_fragment_ = false;   // the rest of a line whose beginning was told
  bool greeting_due_ = true;

  // The reply that is being read.
  Exchange exchange_;
  bool busy_ = false;  // exchange_ is in use
  Asked taken_;        // what else is known of the command in exchange_
  Shape shape_ = Shape::kSingle;
  bool body_gap_ = false;  // octets of the body were lost
  bool body_complete_start_ = true;
  Origin body_at_;                               // of the message's last octets so far
  bool body_line_start_ = false;                 // kept from the first gap on
  bool lf_server_ = false;                       // the status line ended with a bare LF: so may the lone dot's
  bool loose_end_ = false;                       // the octets so far end with a lone dot between line ends that are not both CRLF
  bool bare_line_end_ = false;                   // a line of the reply ended with a bare LF: a finding is due
  std::string probe_;                            // octets at a line's start that may become a status line
  std::uint64_t body_lost_ = 0;                  // octets of it that were lost
  std::size_t sampled_ = 0, sampled_lines_ = 0;  // of its first octets, to know how long its lines are
  text::DotDecoder dot_;
  std::size_t stray_lines_ = 0;
  bool stray_told_ = false;    // exchange_ holds what is before the lines
  bool stray_trust_ = false;   // a status line among them is one
  bool stray_missed_ = false;  // they are of a reply whose beginning was lost with the end of the one before
  std::optional<std::uint64_t> printed_size_;

  // The session, as far as it is known.
  State session_ = State::kAuthorization;
  Tls tls_ = Tls::kNone;
  bool client_seen_ = true, server_seen_ = true;  // captured at all
  bool any_octets_ = false;
  bool lossy_ = false;          // began mid-stream, or octets were lost: stray replies and lines are no fault
  bool commands_lost_ = false;  // QUIT may have been among them
  bool user_given_ = false;
  bool pipelining_offered_ = false, pipelining_told_ = false;
  bool caps_unknown_ = false;       // mid-stream: offered or not, it was not seen
  std::uint64_t stls_offered_ = 0;  // exchange that offered it
  Origin stls_offered_at_;
  bool before_tls_told_ = false;
  bool quit_ = false;
  bool commands_ = false;  // there were some
  Phase last_phase_ = Phase::kGreeting;
  Timestamp last_reply_time_ = kNoTime;
  bool closed_ = false, ended_ = false;
  std::uint64_t deletions_ = 0;
  std::uint64_t number_ = 0;
  std::array<unsigned, kFindingCount> told_{};
};

}  // namespace glasspost::pop3
