// The server's side of an SMTP (RFC 5321) or LMTP (RFC 2033) connection, without I/O and clock: octets in, octets to send out,
// and questions to a ServerHandler, which may be answered later.
//
//   session.Start(tls);
//   loop: used = session.Receive(input)        takes what it can; the caller keeps the rest
//         session.TakeOutput(buffer) → send    replies to a pipelined group lie together
//         session.next()                       what to do now: read more, wait for the handler, handshake, close
//
// While an answer is awaited, while the handler holds back the message's octets, and while more than
// `ServerLimits::output_octets` wait to be sent, Receive takes nothing (or stops in the middle): that is the back-pressure.
// Decide and its kin may be called from inside the handler's functions' caller or later, from the session's own thread; Receive
// is to be called again then. The session is not thread-safe. It calls the handler only from Start, Receive, TlsStarted, Decide
// and its kin, and the functions that end it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/octets.h"
#include "base/randomness.h"
#include "wire/sasl/server.h"
#include "wire/smtp/answer.h"
#include "wire/smtp/grammar.h"
#include "wire/smtp/parameters.h"
#include "wire/smtp/rules.h"
#include "wire/text/dot_decoder.h"
#include "wire/text/line_encoder.h"
#include "wire/text/line_end_scan.h"
#include "wire/text/line_splitter.h"

namespace glasspost::smtp {

enum class Role : std::uint8_t { kMx, kSubmission, kLmtp };

// A bare CR or LF in a message: refused with 554 5.6.0, or made a CRLF. In both cases only CRLF.CRLF ends it.
enum class BareLineEnds : std::uint8_t { kRefuse, kNormalise };

struct ServerLimits {
  // Stops endless command lines. RFC 5321 §4.5.3.1.4 asks for 512, and more for the extensions' parameters.
  std::size_t line_octets = 2048;
  // The same for AUTH and its answers; RFC 4954 §4 asks for 12288.
  std::size_t auth_line_octets = 12288;
  // Stops a line that never ends: after so many octets 421.
  std::size_t endless_line_octets = std::size_t{1} << 20;
  // Stops one transaction from naming everybody. RFC 5321 §4.5.3.1.8: 100 at the very least, and never fewer here.
  std::size_t recipients = 1000;
  static constexpr std::size_t kFewestRecipients = 100;
  // Stops messages that no mailbox would take; told by SIZE. 0: no limit.
  std::uint64_t message_octets = std::uint64_t{50} << 20;
  // Stops a client that sends on without end after its message was refused for its size: so many octets more, then 421.
  std::uint64_t discarded_octets = std::uint64_t{256} << 20;
  // Stops a client that only errs. A message that is taken sets the count back.
  unsigned errors = 20;
  // Stops harvesting of addresses: recipients refused on one connection.
  unsigned refused_recipients = 200;
  // Stops guessing of passwords on one connection.
  unsigned failed_logins = 3;
  // Stops a client that keeps the connection busy and sends nothing: NOOP, RSET, VRFY, HELP, a second EHLO between messages; each
  // further one counts as an error.
  unsigned idle_commands = 100;
  // Stops a client that pipelines and never reads: beyond it no input is taken until the output was.
  std::size_t output_octets = std::size_t{16} << 10;
};

// What a listener is. Shared by its sessions, which it outlives.
struct ServerOptions {
  std::string host = "localhost";  // the server's own name: greeting, EHLO
  std::string product = "Glasspost";
  Role role = Role::kMx;
  // What is offered. `auth` and `mechanisms` are not looked at: `mechanisms` below is. SMTPUTF8 is offered with 8BITMIME only.
  Extensions extensions = {.pipelining = true,
                           .size = true,
                           .eight_bit_mime = true,
                           .smtputf8 = true,
                           .chunking = true,
                           .enhanced_status_codes = true,
                           .dsn = true};
  sasl::MechanismSet mechanisms;
  bool passwords_without_tls = false;  // PLAIN and LOGIN in the clear (classroom)
  bool require_tls = false;            // 530 to all but EHLO, NOOP, QUIT, STARTTLS (RFC 3207 §4)
  bool require_auth = false;           // 530 to MAIL (RFC 4954 §6)
  bool lenient_paths = true;           // "MAIL FROM: a@b": a space after the colon, no angle brackets
  BareLineEnds bare_line_ends = BareLineEnds::kRefuse;
  sasl::ServerOptions sasl;
  ServerLimits limits;
};

struct Hello {
  Verb verb = Verb::kEhlo;
  Octets name;
};
struct Mail {
  const Path* path = nullptr;
  MailParameters parameters = {};
};
struct Recipient {
  const Path* path = nullptr;
  RcptParameters parameters = {};
};
// The message's octets are all there.
struct Content {
  std::uint64_t octets = 0;        // as they were given to OnMessageOctets
  bool eight_bit = false;          // an octet over 127
  bool normalised = false;         // bare line ends were made CRLF
  std::uint64_t longest_line = 0;  // octets without line end; 0 where no line is longer than 64
  bool chunked = false;            // BDAT
};

enum class Reset : std::uint8_t {
  kAsked,    // RSET, EHLO, HELO
  kRefused,  // the message will be refused (bare line end, too long): no more of it comes, and no end
  kTls,      // STARTTLS: all that the client said is forgotten, its login too
  kClosed,   // QUIT, a time-out, a lost connection
};

// Who decides. Views live during the call only. A function that gives a Decision answers at once, or gives kLater and calls the
// session's Decide once, later, from outside the call.
class ServerHandler {
 public:
  virtual ~ServerHandler() = default;
  // The connection is there. A no with 421 or 521 closes it; with 554 the client may still say QUIT.
  virtual Decision OnConnect() { return Answer{}; }
  virtual Decision OnHello(const Hello&) { return Answer{}; }
  virtual Decision OnMail(const Mail& mail) = 0;
  virtual Decision OnRecipient(const Recipient& recipient) = 0;
  // DATA, or the first BDAT (`chunked`): octets follow if it says yes.
  virtual Decision OnMessageStart(bool /*chunked*/) { return Answer{}; }
  // Un-stuffed octets, as they come; the views point into the input or into static storage. Calls to `Hold` stop the flow
  // after the input at hand.
  virtual void OnMessageOctets(Octets octets) = 0;
  // A yes means: it is committed, nothing of it can be lost (RFC 5321 §6.1). LMTP: Decide speaks for all recipients,
  // DecideEach for each.
  virtual Decision OnMessageEnd(const Content& content) = 0;
  // More recipients came than are taken; called for the first of them in a transaction.
  virtual void OnTooManyRecipients(const Answer& /*said*/) {}
  // The transaction is over without a message; called only if MAIL was accepted, and once.
  virtual void OnReset(Reset why) = 0;
  // The session ends the conversation of itself, with this reply: a limit (too many refused recipients, errors, failed logins …),
  // a time-out, or the server's own end.
  virtual void OnEnded(const Answer& /*why*/) {}
  virtual Decision OnStartTls() { return Answer{}; }
  // Is it his password? A yes logs in. To a no without a code 535 5.7.8 is said.
  virtual Decision OnPassword(Octets /*user*/, Octets /*password*/) { return Answer{535, {}, {}}; }
  // What is stored of `user`: an answer now, or GiveVerifiers later. None where there is no such account.
  virtual std::optional<std::vector<std::string>> OnVerifiers(Octets /*user*/) { return std::vector<std::string>{}; }
  // SCRAM: the client proved that it knows the password, and has not heard so yet. False: its proof counts as a bad one.
  virtual bool MayWelcome() { return true; }
  // A mechanism without a password came to its end; `good`: the client proved that it knows it. The answer to a bad proof is
  // always a refusal, whatever is said here, but its time may be chosen.
  virtual Decision OnProof(Octets /*user*/, bool good) { return good ? Answer{} : Answer{535, {}, {}}; }
};

class ServerSession {
 public:
  enum class Next : std::uint8_t {
    kRead,   // give more octets
    kWait,   // the handler owes an answer, or holds the octets back
    kWrite,  // too much output waits: take it, then go on
    kTls,    // send what is there, drop all that was read, shake hands, then TlsStarted
    kClose,  // send what is there, then close
  };

  // All of them outlive the session.
  ServerSession(ServerHandler& handler, const ServerOptions& options, Randomness& randomness);
  ~ServerSession();
  ServerSession(const ServerSession&) = delete;
  ServerSession& operator=(const ServerSession&) = delete;

  // The connection is there. `tls`: it began with a handshake (port 465).
  void Start(bool tls);
  // Octets taken off the front of `input`. In state kTls all of it is taken and dropped.
  std::size_t Receive(Octets input);
  Next next() const;

  bool has_output() const { return !output_.empty(); }
  Octets output() const { return output_; }
  // Nothing is kept of it: an idle session has no output buffer.
  void TakeOutput(std::string& buffer) { buffer = std::exchange(output_, {}); }

  // Answers to the question that is open; ignored if none is (the session was closed meanwhile).
  void Decide(const Answer& answer);
  void DecideEach(std::span<const Answer> answers);  // LMTP: one for each recipient accepted, in their order
  void GiveVerifiers(std::span<const std::string> verifiers);
  // The message's octets come faster than they can be put away: after the input at hand no more until Resume. (Their end may lie
  // in it.)
  void Hold() { held_ = true; }
  void Resume() { held_ = false; }

  // The handshake is over.
  void TlsStarted();
  // The client has said nothing for too long: 421 4.4.2, and over.
  void TimedOut();
  // The server ends: now if no transaction runs, else after it: 421 4.3.2.
  void ShutDown();
  // Over at once, with this reply (421 and its kin).
  void End(const Answer& answer);
  // The connection is gone.
  void Closed();

  State state() const { return state_; }
  bool tls() const { return tls_; }
  bool in_transaction() const { return transaction_.open; }
  bool receiving_content() const { return state_ == State::kData || chunk_open_; }
  // Of the last EHLO or HELO that was accepted; empty before.
  const std::string& hello() const { return hello_; }
  bool esmtp() const { return esmtp_; }
  // Empty: not logged in.
  const std::string& user() const { return user_; }
  sasl::Mechanism mechanism() const { return mechanism_; }
  std::size_t recipients() const { return transaction_.recipients; }
  // "ESMTPSA", "UTF8SMTPS", "LMTP": the word for Received (RFC 3848, RFC 6531 §3.7.3).
  std::string_view with_protocol() const;
  // Octets on the heap, for the tests of its bounds.
  std::size_t heap() const;

 private:
  enum class Ask : std::uint8_t { kNothing, kConnect, kHello, kMail, kRecipient, kStart, kEnd, kStartTls, kLogin, kVerifiers };
  struct Transaction {
    bool open = false;
    bool told = false;  // the handler knows that it is over
    bool smtputf8 = false;
    bool chunked = false;
    bool started = false;  // the handler takes octets
    bool failed = false;   // its end will be a refusal
    bool refused_recipients = false;
    bool too_many_recipients = false;
    bool line_ended = true;    // the last octet given was an LF
    std::uint64_t octets = 0;  // of the message, as they came
    std::uint64_t given = 0;   // to the handler
    std::size_t recipients = 0;
  };

  // The dialogue (server_session.cc).
  bool takes_input() const;
  std::size_t ReceiveLine(Octets input);
  void OnLine(const text::Line& line);
  void OnCommand(Octets line);
  void Dispatch(const Command& command);
  bool Refuses(const Command& command);
  void OutOfOrder(Verb verb);
  void Put(Ask question, Verb verb, const Decision& decision);
  void Apply(const Answer& answer);
  void ApplyConnect(const Answer& answer);
  void Move(Verb verb, int code, bool last = false) { state_ = smtp::Next(state_, verb, code, last); }
  void Say(int code, std::string_view enhanced, std::string_view text);
  // As the handler said it, held to the rules: a yes has a code of success, a no one of refusal. Returns the code; after 421
  // the session is over.
  int SayAnswer(Verb verb, const Answer& answer, std::string_view yes_enhanced, std::string_view yes_text);
  void SayError(int code, std::string_view enhanced, std::string_view text);
  void CountIdle();
  void EndTransaction(Reset why);
  void ForgetTransaction();
  void Finish();

  // Commands of the envelope and of the connection (server_commands.cc).
  void DoHello(const Command& command);
  void ApplyHello(const Answer& answer);
  void SayHello(std::string_view text);
  Extensions Offered() const;
  void DoMail(const Command& command);
  void ApplyMail(const Answer& answer);
  void DoRcpt(const Command& command);
  void ApplyRecipient(const Answer& answer);
  bool RefusesPath(const Command& command);
  bool RefusesParameters(ParameterFault fault);
  void DoReset();
  void DoStartTls();
  void DoOther(const Command& command);

  // The message (server_content.cc).
  void DoData();
  void ApplyStart(const Answer& answer);
  std::size_t ReceiveData(Octets input);
  void DoBdat(const Command& command);
  std::optional<Answer> ChunkRefusal(const Command& command) const;
  std::size_t ReceiveChunk(Octets input);
  void EndChunk();
  void BeginContent();
  void TakeContent(Octets octets);
  void GiveOctets(Octets octets);
  void FailContent();
  bool Overflows();
  std::optional<Answer> ContentFault(bool bare) const;
  void EndContent(const Content& content);
  void AnswerEnd(std::span<const Answer> answers);

  // The login (server_auth.cc).
  sasl::MechanismSet OfferedMechanisms() const;
  void DoAuth(const Command& command);
  void OnAuthLine(Octets line);
  void AfterSasl(sasl::ServerExchange::State state);
  void AnswerLogin(const Answer& answer);
  void EndAuth(int code);

  ServerHandler& handler_;
  const ServerOptions& options_;
  Randomness& randomness_;
  text::LineSplitter splitter_;
  std::string output_;
  std::string hello_;
  std::string user_;
  std::unique_ptr<sasl::ServerExchange> sasl_;
  text::DotDecoder decoder_;
  text::LineEndScan chunk_scan_;
  text::LineEncoder normaliser_{false};
  Transaction transaction_;
  std::unique_ptr<Answer> refusal_;        // of the message's start, for all of its chunks
  std::unique_ptr<Answer> chunk_refusal_;  // of the chunk at hand
  std::string asked_hello_;                // the name that the handler is asked about
  std::uint64_t chunk_left_ = 0;
  std::uint64_t chunk_size_ = 0;
  std::uint64_t discarded_ = 0;
  unsigned errors_ = 0;
  unsigned refused_recipients_ = 0;
  unsigned failed_logins_ = 0;
  unsigned idle_commands_ = 0;
  State state_ = State::kConnected;
  Ask ask_ = Ask::kNothing;
  Verb ask_verb_ = Verb::kUnknown;
  Verb hello_verb_ = Verb::kUnknown;
  sasl::Mechanism mechanism_ = sasl::Mechanism::kUnknown;
  bool tls_ = false;
  bool esmtp_ = false;
  bool held_ = false;
  bool refused_greeting_ = false;  // 554: only QUIT is listened to
  bool skip_line_ = false;         // a bare LF was answered; the rest up to CRLF is passed over
  bool chunk_open_ = false;
  bool chunk_last_ = false;
  bool shutting_down_ = false;
  bool closing_ = false;
};

}  // namespace glasspost::smtp
