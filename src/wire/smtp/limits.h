// What an SMTP observer may keep of one conversation. Each bound says what it stops; beyond it the conversation is still told.
#pragma once

#include <cstddef>

namespace glasspost::smtp {

struct SmtpLimits {
  // Stops an endless line: of a longer command or reply line only the beginning is kept (RFC 4954 §4 asks for 12288).
  std::size_t line_octets = std::size_t{16} << 10;
  // Stops an endless reply: text kept of all its lines together.
  std::size_t reply_octets = std::size_t{64} << 10;
  // Stops a client that never waits (or a server that never answers): beyond it the oldest exchange is told as it stands,
  // and a reply that comes to it later is passed over.
  std::size_t pending = 4096;
  // The same where their lines are long.
  std::size_t pending_octets = std::size_t{1} << 20;
  // Stops a client that sends on after DATA while the server is silent: beyond it what it sent decides.
  std::size_t held_octets = std::size_t{256} << 10;
  std::size_t held_pieces = 8192;
  // How far behind a look-alike end of data the server's verdict is awaited.
  std::size_t look_alike_octets = std::size_t{64} << 10;
  // Stops an envelope from growing without end: further recipients are counted, not kept.
  std::size_t recipients = 50'000;
  // The same where their paths are long.
  std::size_t recipient_octets = std::size_t{1} << 20;
  // Stops a peer that breaks a rule a million times from filling the report.
  unsigned findings_of_a_kind = 64;
};

}  // namespace glasspost::smtp
