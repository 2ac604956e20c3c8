// The server's side of a POP3 conversation (RFC 1939, 2449, 2595, 3206, 5034, 6856), without I/O: takes the client's octets,
// gives octets to send, asks its handler for decisions. Commands, states and the shapes of replies are those of grammar.h and
// rules.h.
//
// The one who runs it, again and again: sends output() and says Sent; at StartsTls() (output sent) shakes hands, having dropped
// all that was read before, and calls TlsStarted; at finished() closes; else offers input to Receive while it takes some, and
// keeps what it does not take. Back-pressure: nothing is taken while a decision is pending or while much output waits.
//
// A session that ends in any other way than QUIT deletes nothing: Commit is never asked for (RFC 1939 §3, §6).
// Owns all it needs but options, handler and randomness, which outlive it. One thread. Small while idle: buffers are given back.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/octets.h"
#include "base/randomness.h"
#include "wire/pop3/grammar.h"
#include "wire/pop3/rules.h"
#include "wire/pop3/server_handler.h"
#include "wire/pop3/server_texts.h"
#include "wire/pop3/top_cutter.h"
#include "wire/sasl/server.h"
#include "wire/text/line_encoder.h"
#include "wire/text/line_splitter.h"

namespace glasspost::pop3 {

struct ServerLimits {
  std::size_t command_octets = 255;     // with CRLF (RFC 2449 §4); a longer line is refused once and not executed
  std::size_t sasl_octets = 12288;      // of an answer to a challenge, and of AUTH with its initial response (RFC 4954 §4)
  std::size_t endless_octets = 65536;   // of a line without end: closes
  std::size_t piece_octets = 65536;     // asked for of a message at once; with dots doubled, what a session has in memory
  std::size_t output_octets = 65536;    // waiting output at which no more commands are taken: stops a client that does not read
  unsigned failed_logins = 3;           // closes: stops guessing of passwords
  unsigned mistakes = 20;               // commands refused for their form: closes
  unsigned commands_before_login = 50;  // closes: stops a client that holds a connection with CAPA
};

// At least ten minutes (RFC 1939 §3); whoever runs the session holds the clock.
inline constexpr unsigned kAutologoutSeconds = 600;

struct ServerOptions {
  bool plaintext_without_tls = false;  // USER/PASS, PLAIN and LOGIN in the clear
  bool stls = true;                    // a certificate is there
  bool user_pass = true;
  bool apop = false;  // some account can use it (RFC 1939 §7)
  sasl::MechanismSet mechanisms;
  sasl::ServerOptions sasl;
  std::string host = "localhost";            // in APOP's challenge
  std::string implementation = "Glasspost";  // for CAPA (RFC 2449 §6.9)
  std::string expire = "NEVER";              // for CAPA (RFC 2449 §6.7)
  ServerLimits limits;
};

class ServerSession {
 public:
  // `tls`: the connection began with TLS (port 995).
  ServerSession(ServerHandler& handler, const ServerOptions& options, Randomness& randomness, bool tls);
  ServerSession(const ServerSession&) = delete;
  ServerSession& operator=(const ServerSession&) = delete;

  // Says the greeting. Call once, first.
  void Start();
  // Octets of `input` that were taken.
  std::size_t Receive(Octets input);
  // To be sent. Good until the next call of anything else here.
  Octets output() const { return Octets(output_).substr(sent_); }
  void Sent(std::size_t octets);
  // A decision is pending: Receive takes nothing until it has come.
  bool waiting() const { return asked_ != Asked::kNothing; }
  bool StartsTls() const { return end_ == End::kTls; }
  void TlsStarted();
  // Close when output() is sent. `broken`: a message could not be sent whole, and nothing may look as if it were.
  bool finished() const { return end_ == End::kClose; }
  bool broken() const { return broken_; }
  // The autologout timer expired: nothing more is said and nothing deleted (RFC 1939 §3).
  void TimedOut();

  State state() const { return state_; }
  bool tls() const { return tls_; }

  // The handler's answers.
  void LoginDecided(LoginOutcome outcome);
  void VerifiersFound(std::span<const std::string> verifiers);
  void MaildropOpened(MaildropOutcome outcome, const MaildropView* view = nullptr);
  void MessageRead(Octets piece, bool last);
  void MessageFailed(ReadFailure failure);
  void Committed(bool done);

 private:
  enum class Asked : std::uint8_t { kNothing, kLogin, kVerifiers, kMaildrop, kMessage, kCommit };
  enum class End : std::uint8_t { kOpen, kTls, kClose };
  enum class Job : std::uint8_t { kNone, kList, kUidl, kMessage };

  bool Takes() const;
  void OnLine(const text::Line& line);
  void OnCommand(const CommandLine& c, std::size_t octets);
  void Execute(const CommandLine& c);
  bool CheckArguments(const CommandLine& c);

  // server_login.cc
  bool PasswordMayTravel() const { return tls_ || options_.plaintext_without_tls; }
  sasl::MechanismSet Mechanisms() const;
  void AfterSasl(sasl::ServerExchange::State state);
  void User(Octets name);
  void Pass(Octets password);
  void Apop(Octets argument);
  void Auth(Octets argument);
  void Stls();
  void Capa();
  void Lang(Octets tag);

  // server_maildrop.cc
  void Stat();
  void Listing(Octets argument, Job job);
  void AppendListed(std::uint32_t index, Job job);
  void Retrieve(Octets argument);
  void Top(Octets argument);
  void BeginMessage(std::uint32_t index);
  void Dele(Octets argument);
  void Rset();
  void Quit();
  bool Find(Octets argument, std::uint32_t& index);
  bool IsDeleted(std::uint32_t index) const { return !deleted_.empty() && deleted_[index]; }
  void Advance();
  void Step();

  void Ok(Text text);
  void Err(Text text, Octets code = {});
  void Mistake(Text text);  // -ERR for what a client should not have said; too many of them close
  void Close() { end_ = End::kClose; }
  void Release();

  ServerHandler& handler_;
  const ServerOptions& options_;
  Randomness& randomness_;
  text::LineSplitter lines_;
  std::string output_;
  std::size_t sent_ = 0;
  std::string challenge_;  // APOP's
  std::string user_;       // between USER and PASS; of APOP
  std::string digest_;     // of APOP
  std::unique_ptr<sasl::ServerExchange> sasl_;
  const MaildropView* view_ = nullptr;
  std::vector<bool> deleted_;  // empty: none
  std::uint64_t total_octets_ = 0;
  std::uint64_t deleted_octets_ = 0;
  std::uint32_t deleted_count_ = 0;

  // What is being sent, over many calls.
  std::uint32_t next_ = 0;    // of a listing: the next message; of a message: its index
  std::uint64_t offset_ = 0;  // of the message: octets read
  text::LineEncoder encoder_;
  TopCutter cutter_;

  std::uint16_t failed_logins_ = 0;
  std::uint16_t mistakes_ = 0;
  std::uint16_t commands_ = 0;
  State state_ = State::kAuthorization;
  Asked asked_ = Asked::kNothing;
  End end_ = End::kOpen;
  Job job_ = Job::kNone;
  ReplyLanguage language_ = ReplyLanguage::kEnglish;
  bool tls_;
  bool utf8_ = false;
  bool proven_ = false;     // an accepting answer is believed
  bool long_lines_ = true;  // those of AUTH
  bool started_ = false;    // +OK of the message went out
  bool cut_ = false;        // TOP
  bool advancing_ = false;
  bool behind_ = false;  // input was left over and comes again at once: no time to give memory back
  bool broken_ = false;
  bool skip_line_ = false;  // a bare LF was answered; the rest up to CRLF is passed over
};

}  // namespace glasspost::pop3
