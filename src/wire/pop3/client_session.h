// The client's side of a POP3 conversation (RFC 1939, 2449, 2595, 5034, 6856), without I/O and clock: greeting, CAPA, STLS,
// UTF8 where it is offered, login, then orders (STAT, LIST, UIDL, RETR, TOP, DELE, RSET, NOOP, QUIT), sent ahead of their replies
// where the server offers PIPELINING. Octets in, octets to send, what comes of it to a ClientHandler.
//
//   session.Start(tls);
//   loop: send output(), Sent                    orders may be given at any time after OnReady
//         session.next()                         what to do now: read, handshake, give orders, close
//         session.Receive(input)                 takes all of it
//
// Whatever the server does ends in one ClientOutcome: refusals, nonsense, endless lines, lists and messages, octets said before
// the handshake, silence (TimedOut), a lost connection. Replies are framed by grammar.h and rules.h, never by a printed size;
// only CRLF.CRLF ends a message. Not thread-safe; calls the handler from within the calls below.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "base/octets.h"
#include "base/randomness.h"
#include "wire/pop3/capabilities.h"
#include "wire/pop3/grammar.h"
#include "wire/pop3/rules.h"
#include "wire/sasl/client.h"
#include "wire/text/dot_decoder.h"
#include "wire/text/line_splitter.h"

namespace glasspost::pop3 {

struct ClientLimits {
  std::size_t line_octets = 8192;           // of a status line or a line of a list; RFC 2449 §4 has 512: stops lines without end
  std::uint64_t listed = 1'000'000;         // lines of a list: stops a list without end
  std::uint64_t message_octets = 1u << 31;  // stops a message without end
  std::size_t window = 64;                  // orders sent ahead of their replies: what buffers hold without either side waiting
  unsigned challenges = 8;                  // stops a server that asks on and on
};

struct ClientOptions {
  enum class Tls : std::uint8_t { kNever, kIfOffered, kRequired };
  Tls tls = Tls::kRequired;
  const sasl::Credentials* credentials = nullptr;  // outlives the session
  bool passwords_without_tls = false;
  bool capabilities = true;  // asks CAPA first; without it, USER and PASS at once, as in RFC 1939
  bool apop = true;          // where SASL has nothing better and the password may not travel
  bool pipelining = true;
  ClientLimits limits;
};

struct ClientOutcome {
  enum class Kind : std::uint8_t {
    kDone,          // QUIT was answered with +OK: what was deleted is deleted
    kRefused,       // the greeting, or QUIT, was -ERR: deletions may not have been done
    kNoTls,         // TLS is required and was not offered, or was refused
    kNoMechanism,   // no way to log in that may be used here
    kLoginRefused,  // name or password is wrong
    kLoginLater,    // [IN-USE], [LOGIN-DELAY], [SYS/TEMP]: worth another try
    kImpostor,      // the server does not know the secret that it should (SCRAM)
    kNonsense,      // what it says is not POP3
    kTooMuch,       // a limit was reached
    kInjected,      // it spoke in the clear between STLS and the handshake: somebody may stand between
    kTlsFailed,
    kTimedOut,
    kLost,  // the connection closed
  };
  Kind kind = Kind::kLost;
  Command during = Command::kUnknown;  // kUnknown: the greeting, or between orders
  std::string code;                    // "IN-USE"
  std::string text;                    // the server's words, or what is wrong
  bool local = true;                   // not the server's words: the session's own
};

class ClientHandler {
 public:
  virtual ~ClientHandler() = default;
  // Logged in; orders may be given, also from inside.
  virtual void OnReady() = 0;
  // The status line of an order's reply, in the order of the orders. Views are good during the call. `number`: the order's
  // message.
  virtual void OnReply(Command command, std::uint64_t number, const StatusLine& reply) = 0;
  // A line of LIST or UIDL, with or without argument; of STAT (number of messages, their octets).
  virtual void OnListed(Command command, const ListingLine& line) = 0;
  // Of RETR and TOP: as they come, dots un-stuffed.
  virtual void OnMessageOctets(Octets octets) = 0;
  // The reply of many lines is whole.
  virtual void OnEnd(Command command, std::uint64_t number) = 0;
  // Once; nothing comes after it.
  virtual void OnClosed(const ClientOutcome& outcome) = 0;
};

class ClientSession {
 public:
  enum class Next : std::uint8_t {
    kRead,   // the server has the word
    kWrite,  // output() is not empty
    kTls,    // shake hands, then TlsStarted or TlsFailed; give nothing that was read before to Receive
    kReady,  // waits for orders
    kClose,
  };

  // All of them outlive the session.
  ClientSession(ClientHandler& handler, const ClientOptions& options, Randomness& randomness);
  ~ClientSession();
  ClientSession(const ClientSession&) = delete;
  ClientSession& operator=(const ClientSession&) = delete;

  // `tls`: it began with a handshake (port 995).
  void Start(bool tls);
  void Receive(Octets input);
  Octets output() const { return Octets(output_).substr(sent_octets_); }
  void Sent(std::size_t octets);
  Next next() const;
  std::uint64_t answered() const { return answered_; }  // status lines, and replies of many lines, that came whole

  void Stat() { Give({Command::kStat}); }
  void List(std::uint64_t number = 0) { Give({Command::kList, number}); }  // 0: all
  void Uidl(std::uint64_t number = 0) { Give({Command::kUidl, number}); }
  // `most`: octets, beyond which the message is one without end; 0: ClientLimits has it.
  void Retrieve(std::uint64_t number, std::uint64_t most = 0) { Give({Command::kRetr, number, 0, most}); }
  void Top(std::uint64_t number, std::uint64_t lines) { Give({Command::kTop, number, lines}); }
  void Delete(std::uint64_t number) { Give({Command::kDele, number}); }
  void Reset() { Give({Command::kRset}); }
  void Noop() { Give({Command::kNoop}); }
  void Quit() { Give({Command::kQuit}); }

  void TlsStarted();
  void TlsFailed(std::string_view why);
  void TimedOut();
  void Closed();

  const Capabilities& capabilities() const { return capabilities_; }
  State state() const { return state_; }
  bool tls() const { return tls_; }
  std::size_t waiting_orders() const { return orders_.size(); }

 private:
  struct Order {
    Command command = Command::kUnknown;
    std::uint64_t number = 0;
    std::uint64_t lines = 0;  // TOP
    std::uint64_t most = 0;   // RETR: octets; 0: as the limits have it
  };
  enum class Body : std::uint8_t { kNone, kLines, kMessage };

  void Give(Order order);
  void Fill();
  void Say(Command command, Octets argument = {});
  void OnLine(const text::Line& line);
  void OnStatus(Octets line);
  void OnBodyLine(Octets line);
  void FeedMessage(Octets& input);
  void EndBody();
  void OnGreeting(const StatusLine& s);
  void OnOpening(const StatusLine& s);
  void OnCapa(const StatusLine& s);
  void AfterCapa();
  void OnStls(const StatusLine& s);
  void BeginLogin();
  void LogIn();
  void OnSasl(const StatusLine& s);
  void Cancel(ClientOutcome::Kind why, std::string_view text);
  void OnLogin(const StatusLine& s);
  void OnOrder(const StatusLine& s);
  bool PasswordMayTravel() const { return tls_ || options_.passwords_without_tls; }
  std::uint64_t MostOctets() const;
  void End(ClientOutcome outcome);
  void End(ClientOutcome::Kind kind, std::string_view text) { End({.kind = kind, .code = {}, .text = std::string(text)}); }
  void End(ClientOutcome::Kind kind, const StatusLine& s) {
    End({.kind = kind, .code = std::string(s.code), .text = std::string(s.text), .local = false});
  }

  ClientHandler& handler_;
  const ClientOptions& options_;
  Randomness& randomness_;
  text::LineSplitter lines_;
  text::DotDecoder decoder_;
  std::string output_;
  std::size_t sent_octets_ = 0;
  std::string challenge_;  // APOP's
  Capabilities capabilities_;
  std::unique_ptr<sasl::ClientExchange> sasl_;
  std::deque<Order> orders_;  // the first `sent_orders_` of them were sent
  std::size_t sent_orders_ = 0;
  std::uint64_t answered_ = 0;
  std::uint64_t body_count_ = 0;  // lines or octets of the body so far
  ClientOutcome refusal_;         // told after AUTH was cancelled
  unsigned challenges_ = 0;
  State state_ = State::kAuthorization;
  Command opening_ = Command::kUnknown;  // what of the opening waits for its reply; kUnknown: the greeting
  Body body_ = Body::kNone;
  bool cancelled_ = false;
  bool tls_ = false;
  bool handshake_ = false;
  bool quitting_ = false;
  bool closed_ = false;
};

}  // namespace glasspost::pop3
