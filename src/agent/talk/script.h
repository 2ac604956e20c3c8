// A conversation that is written down: what is sent and what is expected. A line each:
//
//   # remark                  and empty lines: nothing
//   > LINE                    what a person would type: waits until all replies that are due have come, then sends LINE
//   >> LINE                   sends LINE together with the one before it, without waiting (pipelining)
//   < PATTERN                 the next reply must match (pattern.h); after ">" only replies to that line, or later ones, count
//   raw TEXT                  exactly these octets: \r \n \t \0 \\ \xHH
//   b64 TEXT                  TEXT (with the same escapes) in base64, as a line
//   auth [MECHANISM] [USER]   logs in, step by step
//   starttls                  STARTTLS or STLS, and the handshake
//   tls                       the handshake at once
//   send-file PATH            a file's lines, dots at their beginning doubled, and the lone dot (IMAP: the octets as they are)
//   bdat PATH [LAST]          BDAT with the file's octets
//   wait SECONDS              "0.5"
//   close                     an orderly end without QUIT
//   drop                      the connection is cut
//
// The words may have a colon before them: so they are typed in an interactive conversation, where they are the same.
#pragma once

#include <string>
#include <vector>

#include "agent/talk/pattern.h"
#include "base/error.h"
#include "base/octets.h"

namespace glasspost::agent::talk {

struct ScriptLimits {
  static constexpr std::size_t kOctets = std::size_t{1} << 20;  // of a script
  static constexpr std::size_t kLines = 10'000;                 //
  static constexpr std::size_t kLine = std::size_t{64} << 10;   // octets of a line, typed or in a script
  static constexpr std::size_t kBase64 = kLine / 4 * 3 - 16;    // octets that are put into base64
  static constexpr double kLongestWait = 3600;                  // seconds
};

struct Step {
  enum class Kind : std::uint8_t {
    kSend,
    kSendAhead,
    kExpect,
    kRaw,
    kBase64,
    kAuth,
    kStartTls,
    kTls,
    kSendFile,
    kBdat,
    kWait,
    kClose,
    kDrop,
  };
  Kind kind = Kind::kSend;
  std::size_t line = 0;  // in the script, from 1
  std::string text;      // what is sent (escapes undone), the mechanism, the path
  std::string user;      // kAuth
  bool last = false;     // kBdat
  double seconds = 0;    // kWait
  Pattern pattern;       // kExpect
};

// A local command: "b64 hello", with or without a colon before it.
Expected<Step> ParseCommand(Octets line);
// The words of local commands, without the colon.
std::vector<std::string_view> CommandWords();
// The error names the line.
Expected<std::vector<Step>> ParseScript(Octets text, const std::string& name);

}  // namespace glasspost::agent::talk
