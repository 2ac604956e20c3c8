#include "cli/sendmail_options.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/escape.h"
#include "wire/mime/header.h"

namespace glasspost::cli {
namespace {

// Letters that have a value, right behind them or as the next word; those whose value can only be right behind them; and those
// without. What sendmail knows and does not matter here is accepted.
constexpr std::string_view kWithValue = "ABCFLNORVXbfhopr";
constexpr std::string_view kAttached = "edq";
constexpr std::string_view kAlone = "GIUcimntv";

// "never", or "success,failure,delay" (RFC 3461 §4.1).
std::optional<unsigned> NotifyOf(std::string_view text) {
  unsigned bits = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    const std::string word = UpperCase(text.substr(0, end));
    const unsigned bit = word == "NEVER" ? 1u : word == "SUCCESS" ? 2u : word == "FAILURE" ? 4u : word == "DELAY" ? 8u : 0u;
    if (bit == 0) return std::nullopt;
    bits |= bit;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return bits == 0 || ((bits & 1) != 0 && bits != 1) ? std::nullopt : std::optional(bits);
}

// "a@b", "<a@b>", "Ada <a@b>", "<>"
std::string AddressIn(const std::string& text) {
  if (text.empty() || text == "<>") return {};
  const auto found = mime::ParseAddresses(text, 1);
  return found.empty() || found.front().address.empty() ? text : found.front().address;  // "ada" is a user here
}

Expected<void> TakeMode(const std::string& value, SendmailOptions& o) {
  using Mode = SendmailOptions::Mode;
  if (value == "m" || value == "a") return {};
  if (value == "s") return o.mode = Mode::kSmtp, Expected<void>();
  if (value == "p") return o.mode = Mode::kQueue, Expected<void>();
  if (value == "v") return o.mode = Mode::kVerify, Expected<void>();
  if (value == "i") return o.mode = Mode::kAliases, Expected<void>();
  if (value == "d" || value == "D") return Fail("is the server, which is started by: glasspost serve", "-b" + value);
  return Fail("there is no such mode", "-b" + ForTerminal(value), "-bm, -bs, -bp, -bv, -bi");
}

Expected<void> Take(char letter, const std::string& value, SendmailOptions& o) {
  switch (letter) {
    case 'b':
      return TakeMode(value, o);
    case 'f':
    case 'r':
      if (std::ranges::any_of(value, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }))
        return Fail("is not an address", ForTerminal(value), "-f user@example.org");
      o.sender = AddressIn(value);
      return {};
    case 'F':
      o.full_name = value;
      return {};
    case 'C':
      o.config = value;
      return {};
    case 'V':
      o.envid = value;
      return {};
    case 'N':
      if (const auto bits = NotifyOf(value)) return o.notify = *bits, Expected<void>();
      return Fail("is not never, or of success, failure, delay", "-N " + ForTerminal(value));
    case 'R':
      o.ret = UpperCase(value) == "FULL" ? "full" : UpperCase(value) == "HDRS" ? "hdrs" : "";
      if (o.ret.empty()) return Fail("is neither full nor hdrs", "-R " + ForTerminal(value));
      return {};
    case 'o':
      o.dots_are_text |= value == "i";
      return {};
    case 'q':
      o.mode = SendmailOptions::Mode::kRetry;
      if (value.starts_with('R')) o.site = value.substr(1);
      if (value.starts_with('S') || value.starts_with('I'))
        return Fail("is not known here", "-q" + ForTerminal(value), "glasspost queue retry");
      return {};
    case 'I':
      o.mode = SendmailOptions::Mode::kAliases;
      return {};
    case 'i':
      o.dots_are_text = true;
      return {};
    case 't':
      o.from_header = true;
      return {};
    case 'v':
      o.verbose = true;
      return {};
    default:
      return {};
  }
}

}  // namespace

Expected<SendmailOptions> ParseSendmail(const std::vector<std::string>& words) {
  SendmailOptions o;
  bool options = true;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (options && word == "--") {
      options = false;
      continue;
    }
    if (!options || word.size() < 2 || word[0] != '-') {
      o.recipients.push_back(word);
      continue;
    }
    for (std::size_t at = 1; at < word.size(); ++at) {
      const char letter = word[at];
      std::string value;
      if (kWithValue.find(letter) != std::string_view::npos) {
        value = word.substr(at + 1);
        if (at + 1 == word.size()) {
          if (++i == words.size()) return Fail("needs a value", std::string("-") + letter);
          value = words[i];
        }
        at = word.size();
      } else if (kAttached.find(letter) != std::string_view::npos) {
        value = word.substr(at + 1);
        at = word.size();
      } else if (kAlone.find(letter) == std::string_view::npos) {
        return Fail("there is no such option", ForTerminal(word));
      }
      if (auto taken = Take(letter, value, o); !taken) return std::unexpected(taken.error());
    }
  }
  if (o.mode == SendmailOptions::Mode::kSend && o.recipients.empty() && !o.from_header)
    return Fail("no recipient is given", {}, "name them, or say -t to take them from the message's header");
  return o;
}

}  // namespace glasspost::cli
