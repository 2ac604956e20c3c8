// The client's side of an SMTP (RFC 5321) or LMTP (RFC 2033) connection, without I/O and clock: one or many messages over one
// connection. Octets in, octets to send out, outcomes to a ClientHandler.
//
//   session.Start(tls);
//   loop: session.TakeOutput(buffer) → send     until it gives nothing (it draws from the message's source)
//         session.next()                        what to do now: read, handshake, Send or Quit, wait for the source, close
//         session.Receive(input)                takes all of it
//
// Each recipient of a message gets one outcome, whatever the server does: refuses, says nonsense, closes, falls silent
// (TimedOut). What a server does not offer is never sent, and what a message needs is never left out silently.
// Not thread-safe; calls the handler only from Start, Receive, TlsStarted, Send, TakeOutput and the functions that end it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/octets.h"
#include "base/randomness.h"
#include "wire/sasl/client.h"
#include "wire/smtp/parameters.h"
#include "wire/smtp/reply.h"
#include "wire/text/line_encoder.h"
#include "wire/text/line_splitter.h"

namespace glasspost::smtp {

// Where in the dialogue it happened; also says which time-out is due (RFC 5321 §4.5.3.2).
enum class Stage : std::uint8_t {
  kGreeting,
  kHello,
  kStartTls,
  kAuth,
  kMail,
  kRcpt,
  kData,
  kContent,
  kContentEnd,
  kReset,
  kQuit
};
std::string_view Name(Stage stage);

struct Outcome {
  enum class Kind : std::uint8_t { kAccepted, kDeferred, kRefused };
  Kind kind = Kind::kDeferred;
  Stage stage = Stage::kGreeting;
  bool local = false;     // not the server's words: the session's own verdict (lost connection, extension that is missing)
  bool in_doubt = false;  // the message was sent whole and its reply never came: it may have been taken
  int code = 0;
  std::string enhanced;  // as the server said it; empty: it said none
  std::string text;      // lines joined by '\n'
};

struct ClientLimits {
  // Stops a reply line that never ends.
  std::size_t endless_line_octets = std::size_t{1} << 20;
  // Stops long reply lines from being kept, and an endless reply (RFC 5321 §4.5.3.1.5 asks for 512 a line).
  std::size_t line_octets = std::size_t{8} << 10;
  ReplyLimits reply = {.lines = 200, .octets = std::size_t{64} << 10};
  // Stops a server that sends lines of a reply for ever: so many of them, then the connection is given up.
  std::size_t reply_lines = 10'000;
  // Commands sent ahead of their replies: what both sides' buffers hold without either waiting for the other.
  std::size_t window = 100;
  // Octets of a message made ready at a time.
  std::size_t output_octets = std::size_t{64} << 10;
  // BDAT chunks sent ahead of their replies.
  unsigned chunks = 8;
  // Stops a server that asks on and on.
  unsigned challenges = 8;
};

struct ClientOptions {
  enum class Tls : std::uint8_t { kNever, kIfOffered, kRequired };
  std::string host = "localhost";  // EHLO
  bool lmtp = false;
  Tls tls = Tls::kIfOffered;
  const sasl::Credentials* credentials = nullptr;  // then a login is required; outlives the session
  bool passwords_without_tls = false;
  bool pipelining = true;  // used if offered
  bool chunking = true;
  ClientLimits limits;
};

struct ClientRecipient {
  Octets path = {};  // without angle brackets
  Notify notify = {};
  Octets orcpt = {};  // "rfc822;xtext"
};

// Where a message's octets come from.
class MessageSource {
 public:
  struct Piece {
    enum class Kind : std::uint8_t { kOctets, kEnd, kLater, kFailed };
    Kind kind = Kind::kEnd;
    Octets octets;  // good until the next call
  };
  virtual ~MessageSource() = default;
  // kLater: the session waits until Resume is called. kFailed: it cannot be read; the connection ends without an end of data.
  virtual Piece Read() = 0;
};

// One message. All views outlive its sending.
struct ClientMessage {
  Octets reverse_path = {};  // without angle brackets; empty for <>
  std::span<const ClientRecipient> recipients = {};
  MessageSource* source = nullptr;
  std::optional<std::uint64_t> size = {};
  bool eight_bit = false;  // an octet over 127 is in it: needs 8BITMIME
  bool smtputf8 = false;   // in its header too: needs SMTPUTF8 (addresses are looked at here)
  Return ret = Return::kUnsaid;
  Octets envid = {};  // xtext
};

class ClientHandler {
 public:
  virtual ~ClientHandler() = default;
  // Send or Quit may be called, also from inside. Called once after the opening and after each message.
  virtual void OnReady() = 0;
  // Exactly once a recipient, before OnReady or OnClosed.
  virtual void OnRecipient(std::size_t index, const Outcome& outcome) = 0;
  // Nothing more can be sent here. After QUIT: kAccepted.
  virtual void OnClosed(const Outcome& outcome) = 0;
};

class ClientSession {
 public:
  enum class Next : std::uint8_t {
    kRead,   // the server has the word
    kWrite,  // TakeOutput has something
    kTls,    // shake hands, then TlsStarted or TlsFailed; what was read is dropped
    kReady,  // Send or Quit
    kWait,   // the source said kLater
    kClose,
  };

  // All of them outlive the session.
  ClientSession(ClientHandler& handler, const ClientOptions& options, Randomness& randomness);
  ~ClientSession();
  ClientSession(const ClientSession&) = delete;
  ClientSession& operator=(const ClientSession&) = delete;

  // `tls`: it began with a handshake (port 465).
  void Start(bool tls);
  void Receive(Octets input);
  // Swaps with `buffer`, whose octets are dropped and whose memory is used next; draws on the message's source. False: nothing.
  bool TakeOutput(std::string& buffer);
  Next next() const;

  // In state kReady only.
  void Send(const ClientMessage& message);
  void Quit();
  void Resume();  // the source has octets again

  void TlsStarted();
  void TlsFailed(std::string_view why);
  // The server has said nothing for too long; `stage` says what for. The connection is over.
  void TimedOut();
  void Closed();

  Stage stage() const { return stage_; }
  std::uint64_t answered() const { return answered_replies_; }  // replies that came whole
  bool tls() const { return tls_; }
  bool esmtp() const { return esmtp_; }
  bool authenticated() const { return authenticated_; }
  const Extensions& extensions() const { return extensions_; }

 private:
  enum class Status : std::uint8_t { kDue, kAccepted, kTold, kNeverSent };

  // The connection (client_session.cc).
  void TakeReplies(Octets input);
  void OnReply(const ReplyValue& reply);
  void OnGreeting(const ReplyValue& reply);
  void OnHello(const ReplyValue& reply);
  void AfterHello();
  void OnStartTls(const ReplyValue& reply);
  void BeginAuth();
  void OnAuth(const ReplyValue& reply);
  void SayHello(Verb verb);
  void Ready();
  void TellReady();
  void PutLine(std::string_view line);
  Outcome From(const ReplyValue& reply, Stage stage) const;
  Outcome Local(Outcome::Kind kind, int code, std::string_view enhanced, std::string_view text) const;
  void Tell(std::size_t index, const Outcome& outcome);
  void TellRest(const Outcome& outcome);
  // The connection is given up. `polite`: with a QUIT, whose answer nobody waits for.
  void Break(const Outcome& outcome, bool polite = false);
  void BreakRules(std::string_view what);

  // One message (client_message.cc).
  std::optional<Outcome> Unsendable() const;
  std::optional<Outcome> Unsendable(const ClientRecipient& recipient) const;
  bool NeedsUtf8() const;
  std::size_t Advance(std::size_t position) const;
  void PutEnvelope();
  void PutMail();
  void PutRecipient(const ClientRecipient& recipient);
  void OnEnvelope(const ReplyValue& reply);
  void OnDataReply(const ReplyValue& reply);
  void BeginContent();
  bool CanFill() const;
  void Fill();
  void TakePiece();
  void PutChunk(bool last);
  void OnContent(const ReplyValue& reply);
  void OnContentEnd(const ReplyValue& reply);
  void Fail(const Outcome& outcome);
  void AfterFailure();
  void EndMessage(bool reset);

  ClientHandler& handler_;
  const ClientOptions& options_;
  Randomness& randomness_;
  text::LineSplitter splitter_;
  ReplyAssembler assembler_;
  std::string output_;
  Extensions extensions_;
  std::unique_ptr<sasl::ClientExchange> sasl_;
  ClientMessage message_;
  std::vector<Status> recipients_;
  text::LineEncoder encoder_;
  std::string chunk_;
  std::string initial_;          // an initial response that was too long for the command
  Outcome failure_;              // of MAIL, DATA or a chunk: what the rest of the recipients get
  std::size_t sent_ = 0;         // position in the envelope: MAIL is 0, recipients from 1, then DATA
  std::size_t answered_ = 0;     // the same, of what was answered
  std::size_t outstanding_ = 0;  // commands and chunks whose replies are due
  std::size_t accepted_ = 0;
  std::size_t due_ = 0;  // LMTP: the recipient whose reply comes next
  std::uint64_t reply_lines_ = 0;
  std::uint64_t answered_replies_ = 0;
  unsigned challenges_ = 0;
  Stage stage_ = Stage::kGreeting;
  bool tls_ = false;
  bool esmtp_ = false;
  bool helo_ = false;
  bool authenticated_ = false;
  bool handshake_ = false;
  bool ready_ = false;
  bool waiting_for_source_ = false;
  bool mail_accepted_ = false;
  bool failed_ = false;
  bool chunking_ = false;
  bool utf8_ = false;
  bool source_ended_ = false;
  bool nobody_ = false;  // 354 although no recipient is left: a lone dot
  bool in_message_ = false;
  bool ready_untold_ = false;  // OnReady is due
  bool keeps_ready_ = false;   // and is told by whoever is at work, when that is done
  bool no_tls_ = false;        // STARTTLS was refused, and may be
  bool closed_ = false;
};

}  // namespace glasspost::smtp
