// The client's side of an IMAP conversation as far as its opening (RFC 9051 §3, §6.1, §6.2.1, RFC 2595 §3), without I/O and
// clock: greeting, CAPABILITY, STARTTLS, CAPABILITY anew; then LOGOUT. Octets in, octets to send, what comes of it to a
// ClientHandler.
//
//   session.Start(tls);
//   loop: send output(), Sent
//         session.next()                         what to do now: read, handshake, say LOGOUT, close
//         session.Receive(input)                 takes all of it
//
// Whatever the server does ends in one ClientOutcome. Not thread-safe; calls the handler from within the calls below.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/octets.h"
#include "wire/imap/grammar.h"
#include "wire/text/line_splitter.h"

namespace glasspost::imap {

struct ClientLimits {
  std::size_t line_octets = 8192;   // of a line of the server's: stops one without an end
  std::size_t lines = 1000;         // of one reply: stops one without an end
  std::size_t capabilities = 1000;  // words of CAPABILITY that are looked at
};

struct ClientOptions {
  enum class Tls : std::uint8_t { kNever, kIfOffered };
  Tls tls = Tls::kIfOffered;
  ClientLimits limits;
};

struct ClientOutcome {
  enum class Kind : std::uint8_t {
    kDone,      // LOGOUT was answered
    kRefused,   // the greeting, or a command, was refused
    kNonsense,  // what it says is not IMAP
    kTooMuch,   // a limit was reached
    kInjected,  // it spoke in the clear between STARTTLS and the handshake: somebody may stand between
    kTlsFailed,
    kTimedOut,
    kLost,  // the connection closed
  };
  Kind kind = Kind::kLost;
  std::string text;  // the server's words, or what is wrong
};

class ClientHandler {
 public:
  virtual ~ClientHandler() = default;
  // The opening is done: what the server offers is known. Logout() may be called from inside.
  virtual void OnReady() = 0;
  // Once; nothing comes after it.
  virtual void OnClosed(const ClientOutcome& outcome) = 0;
};

class ClientSession {
 public:
  enum class Next : std::uint8_t {
    kRead,   // the server has the word
    kWrite,  // output() is not empty
    kTls,    // shake hands, then TlsStarted or TlsFailed; give nothing that was read before to Receive
    kReady,  // waits for Logout()
    kClose,
  };

  // Both outlive the session.
  ClientSession(ClientHandler& handler, const ClientOptions& options);
  ClientSession(const ClientSession&) = delete;
  ClientSession& operator=(const ClientSession&) = delete;

  // `tls`: it began with a handshake (port 993).
  void Start(bool tls) { tls_ = tls; }
  void Receive(Octets input);
  Octets output() const { return Octets(output_).substr(sent_octets_); }
  void Sent(std::size_t octets);
  Next next() const;
  std::uint64_t answered() const { return answered_; }  // greeting and tagged lines that came
  void Logout();

  void TlsStarted();
  void TlsFailed(std::string_view why) { End(ClientOutcome::Kind::kTlsFailed, why); }
  void TimedOut() { End(ClientOutcome::Kind::kTimedOut, "no answer in time"); }
  void Closed();

  // Of the last CAPABILITY, in the server's words.
  const std::vector<std::string>& capabilities() const { return capabilities_; }
  bool tls() const { return tls_; }

 private:
  enum class Step : std::uint8_t { kGreeting, kCapability, kStartTls, kHandshake, kReady, kLogout };

  void OnLine(Octets line);
  void OnGreeting(const Response& r);
  void OnTagged(const Response& r);
  void Learn(Octets words);
  void Say(Step step, Octets command);
  void End(ClientOutcome::Kind kind, std::string_view text);

  ClientHandler& handler_;
  const ClientOptions& options_;
  text::LineSplitter lines_;
  std::vector<std::string> capabilities_;
  std::string output_;
  std::size_t sent_octets_ = 0;
  std::size_t reply_lines_ = 0;
  std::uint64_t answered_ = 0;
  unsigned tags_ = 0;
  Step step_ = Step::kGreeting;
  bool tls_ = false;
  bool preauthenticated_ = false;  // too late for STARTTLS
  bool closed_ = false;
};

}  // namespace glasspost::imap
