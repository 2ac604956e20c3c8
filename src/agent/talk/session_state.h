// Where a conversation led by hand stands: what its observer told, and what the protocols' tables of rules make of it. Knows what
// may be sent now and what a person would sensibly send next. No I/O; one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "wire/exchange.h"
#include "wire/imap/rules.h"
#include "wire/pop3/rules.h"
#include "wire/sasl/secrets.h"
#include "wire/smtp/rules.h"

namespace glasspost::agent::talk {

// Stops a server that offers without end.
inline constexpr std::size_t kOffers = 128;

// What the next line of the client is.
enum class Input : std::uint8_t {
  kGreeting,  // the server has not greeted yet: nothing is due
  kCommand,
  kAnswer,    // to the challenge of a login
  kData,      // a line of the message
  kContinue,  // of a command that the server asked to go on (IMAP's IDLE)
  kTls,       // none: the handshake is due
  kOver,      // none: the server has said goodbye, or the connection is gone
};

// The next step of a session as people lead it.
enum class Advice : std::uint8_t {
  kGreeting,
  kHello,
  kStartTls,
  kLogin,
  kPassword,
  kMail,
  kRcpt,
  kData,
  kMessage,
  kChunk,
  kAnswer,
  kContinue,
  kHandshake,
  kCapabilities,
  kStat,
  kRetrieve,
  kSelect,
  kFetch,
  kQuit,
  kOver,
};

class SessionState {
 public:
  // SMTP, POP3 or IMAP.
  explicit SessionState(Protocol protocol) : protocol_(protocol) {}

  void OnRequest(const Exchange&) { ++waiting_; }
  void OnExchange(const Exchange& exchange);
  // The handshake is done; `first`: it came before the greeting.
  void OnTls(bool first);
  void OnClosed() { over_ = true; }

  Protocol protocol() const { return protocol_; }
  Input input() const;
  Advice advice() const;
  bool tls() const { return tls_; }
  bool greeted() const { return greeted_; }
  bool logged_in() const { return logged_in_; }
  // Requests whose reply is not whole yet.
  std::size_t waiting() const { return waiting_; }
  // The server asks for the user's name, which is no secret.
  bool asks_for_user() const { return asks_for_user_; }
  // "ready", "TRANSACTION", "selected"
  std::string_view Name() const;

  struct Choice {
    std::string_view command;
    std::string_view rfc;  // may be empty
  };
  // The commands that the rules allow now, in the order of their table.
  std::vector<Choice> Allowed() const;
  // What the server offers, in its own words: "SIZE 1000", "STARTTLS", "AUTH PLAIN LOGIN".
  const std::vector<std::string>& offers() const { return offers_; }
  // Without regard to case: is there an offer whose first word is `word`?
  bool Offers(std::string_view word) const;
  // Of logins, in upper case.
  std::vector<std::string> Mechanisms() const;
  std::span<const sasl::SecretWord> secret_words() const;

 private:
  void OnSmtp(const Exchange& exchange);
  void OnPop3(const Exchange& exchange);
  void OnImap(const Exchange& exchange);
  void Offer(std::string_view line);
  void Learn(std::string_view lines);
  void LearnImap(std::string_view text);
  Advice SmtpAdvice() const;
  Advice Pop3Advice() const;
  Advice ImapAdvice() const;

  const Protocol protocol_;
  smtp::State smtp_ = smtp::State::kConnected;
  pop3::State pop3_ = pop3::State::kAuthorization;
  imap::State imap_ = imap::kNotAuthenticated;
  std::size_t waiting_ = 0;
  std::vector<std::string> offers_;
  bool greeted_ = false;
  bool lmtp_ = false;   // by its greeting, or since LHLO
  bool asked_ = false;  // for an answer to a challenge (POP3, IMAP)
  bool continue_ = false;
  bool asks_for_user_ = false;
  bool user_given_ = false;
  bool capabilities_known_ = false;
  bool counted_ = false;  // STAT or LIST was answered
  bool done_ = false;     // a message was sent or fetched
  bool logged_in_ = false;
  bool tls_due_ = false;
  bool tls_ = false;
  bool over_ = false;
};

}  // namespace glasspost::agent::talk
