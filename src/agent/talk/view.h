// What a Talker shows while a conversation is led: implemented by the terminal. Octets are the server's or the person's and not
// escaped; secrets in them are masked already.
#pragma once

#include <string>

#include "base/octets.h"
#include "net/tls_engine.h"
#include "wire/exchange.h"

namespace glasspost::agent::talk {

class View {
 public:
  virtual ~View() = default;
  // A line that went out. `typed`: a person typed just that, and it stands on the terminal.
  virtual void Sent(Octets line, bool over_tls, bool typed) = 0;
  // What a request is about, once it has gone out; what base64 in it means.
  virtual void Asked(const Exchange& exchange, bool over_tls) = 0;
  // A line of the server's. `refuses`: it is, or begins, a reply that says no. `cut`: there was more of it than is shown.
  virtual void Heard(Octets line, bool over_tls, bool refuses, bool cut) = 0;
  // The reply is whole.
  virtual void Answered(const Exchange& exchange, bool over_tls) = 0;
  // A rule that was broken, by whichever side.
  virtual void Found(const Finding& finding, Protocol protocol) = 0;

  // What the server showed of itself, DER: of a handshake that succeeded (kTls was told) or did not (kTlsFailed).
  virtual void Showed(Octets certificate, const net::TlsInfo& info, const std::string& host) = 0;

  enum class Event : std::uint8_t {
    kConnected,    // `what`: the address
    kTls,          // version, cipher
    kUnverified,   // the certificate was taken though it does not hold: why
    kTlsFailed,    // why
    kDropped,      // octets that came before TLS
    kEndless,      // octets of a line that has no end yet
    kLate,         // seconds without an answer
    kLeftOut,      // lines that were not shown
    kMessageSent,  // octets of a message or chunk
    kStuffed,      // the line as it went out
    kTagged,       // the tag that was put before the command
    kClosed,       // by the server
    kClosedByUs,
    kCut,  // reset, or lost
    kDroppedByUs,
    kTrouble,  // what a person asked for cannot be done: why
  };
  virtual void Tell(Event event, const std::string& what) = 0;
};

}  // namespace glasspost::agent::talk
