// The options of sendmail, one letter each, together ("-oi", "-ti") or with values behind them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace glasspost::cli {

struct SendmailOptions {
  enum class Mode : std::uint8_t {
    kSend,     // -bm, and without -b
    kSmtp,     // -bs: SMTP over standard input and output
    kQueue,    // -bp: what the queue holds
    kVerify,   // -bv: would it be taken?
    kAliases,  // -bi, -I: nothing to be done here
    kRetry,    // -q
  };
  Mode mode = Mode::kSend;
  bool from_header = false;           // -t
  bool dots_are_text = false;         // -i, -oi: a line with a dot alone does not end it
  bool verbose = false;               // -v
  std::optional<std::string> sender;  // -f, -r; empty for <>
  std::string full_name;              // -F
  std::string envid;                  // -V
  std::string ret;                    // -R: "full", "hdrs"
  unsigned notify = 0;                // -N: bits of store::NewEntry
  std::string site;                   // -qRsite
  std::string config;                 // -C
  std::vector<std::string> recipients;
};

Expected<SendmailOptions> ParseSendmail(const std::vector<std::string>& words);

}  // namespace glasspost::cli
