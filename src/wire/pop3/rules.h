// POP3's rules as one table: in which state a command is allowed (RFC 1939 §3 to §6, RFC 2449 §5, RFC 2595 §4, RFC 5034 §4,
// RFC 6856 §2), what follows its +OK, and to which phase of a conversation it belongs. Server, client and observer use it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "wire/exchange.h"
#include "wire/pop3/grammar.h"
#include "wire/sasl/secrets.h"

namespace glasspost::pop3 {

// kUnknown is the observer's own: commands or replies were not captured.
enum class State : std::uint8_t { kAuthorization, kTransaction, kUpdate, kUnknown };

constexpr std::string_view Name(State s) {
  constexpr std::string_view kNames[] = {"AUTHORIZATION", "TRANSACTION", "UPDATE", "unknown"};
  return kNames[static_cast<int>(s)];
}

// What follows the status line +OK. After -ERR never anything does.
enum class Shape : std::uint8_t {
  kSingle,   // nothing
  kListing,  // lines of a list, until a lone dot
  kText,     // lines of a message, told as lines (TOP)
  kMessage,  // a whole message (RETR)
  kUnknown,  // not known: what follows must tell
};

inline constexpr std::uint8_t kInAuthorization = 1;
inline constexpr std::uint8_t kInTransaction = 2;

struct Rule {
  Command command;
  std::uint8_t states;
  Shape without_argument;
  Shape with_argument;
  Phase phase;  // kConnect: the phase that its state belongs to
  std::string_view rfc;
};

inline constexpr std::array<Rule, kCommandCount> kRules = {{
    {Command::kUnknown, kInAuthorization | kInTransaction, Shape::kUnknown, Shape::kUnknown, Phase::kConnect, "RFC 1939 §3"},
    {Command::kUser, kInAuthorization, Shape::kSingle, Shape::kSingle, Phase::kAuth, "RFC 1939 §7"},
    {Command::kPass, kInAuthorization, Shape::kSingle, Shape::kSingle, Phase::kAuth, "RFC 1939 §7"},
    {Command::kApop, kInAuthorization, Shape::kSingle, Shape::kSingle, Phase::kAuth, "RFC 1939 §7"},
    {Command::kAuth, kInAuthorization, Shape::kListing, Shape::kSingle, Phase::kAuth, "RFC 5034 §4"},
    {Command::kStat, kInTransaction, Shape::kSingle, Shape::kSingle, Phase::kRetrieval, "RFC 1939 §5"},
    {Command::kList, kInTransaction, Shape::kListing, Shape::kSingle, Phase::kRetrieval, "RFC 1939 §5"},
    {Command::kRetr, kInTransaction, Shape::kMessage, Shape::kMessage, Phase::kRetrieval, "RFC 1939 §5"},
    {Command::kDele, kInTransaction, Shape::kSingle, Shape::kSingle, Phase::kRetrieval, "RFC 1939 §5"},
    {Command::kNoop, kInTransaction, Shape::kSingle, Shape::kSingle, Phase::kRetrieval, "RFC 1939 §5"},
    {Command::kRset, kInTransaction, Shape::kSingle, Shape::kSingle, Phase::kRetrieval, "RFC 1939 §5"},
    {Command::kTop, kInTransaction, Shape::kText, Shape::kText, Phase::kRetrieval, "RFC 1939 §7"},
    {Command::kUidl, kInTransaction, Shape::kListing, Shape::kSingle, Phase::kRetrieval, "RFC 1939 §7"},
    {Command::kQuit, kInAuthorization | kInTransaction, Shape::kSingle, Shape::kSingle, Phase::kQuit, "RFC 1939 §4"},
    {Command::kCapa, kInAuthorization | kInTransaction, Shape::kListing, Shape::kListing, Phase::kConnect, "RFC 2449 §5"},
    {Command::kStls, kInAuthorization, Shape::kSingle, Shape::kSingle, Phase::kTls, "RFC 2595 §4"},
    {Command::kUtf8, kInAuthorization, Shape::kSingle, Shape::kSingle, Phase::kConnect, "RFC 6856 §2"},
    {Command::kLang, kInAuthorization | kInTransaction, Shape::kListing, Shape::kSingle, Phase::kConnect, "RFC 6856 §3"},
}};

constexpr const Rule& RuleOf(Command command) { return kRules[static_cast<std::size_t>(command)]; }

constexpr bool Allowed(Command command, State state) {
  if (state == State::kUnknown) return true;
  if (state == State::kUpdate) return false;
  return (RuleOf(command).states & (state == State::kAuthorization ? kInAuthorization : kInTransaction)) != 0;
}

constexpr Shape ShapeOf(Command command, bool has_argument) {
  const Rule& r = RuleOf(command);
  return has_argument ? r.with_argument : r.without_argument;
}

// What carries a secret where no command of ours is read: the commands mistyped, what people write in their place, and the
// commands of the other protocols.
inline constexpr sasl::SecretWord kSecretWords[] = {
    {"PASS"}, {"PASSWD"}, {"PASSWORD"}, {"APOP", 1}, {"AUTH", 1}, {"AUTHENTICATE", 1}, {"AUTHPLAIN"}, {"AUTHLOGIN"}, {"LOGIN", 1},
};

// A secret is in it, or is what comes next.
constexpr bool CarriesSecret(Command command) { return RuleOf(command).phase == Phase::kAuth; }

constexpr bool RulesInOrder() {
  for (std::size_t i = 0; i < kRules.size(); ++i)
    if (static_cast<std::size_t>(kRules[i].command) != i) return false;
  return true;
}
static_assert(RulesInOrder());

}  // namespace glasspost::pop3
