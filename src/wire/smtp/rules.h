// The rules of the dialogue as one table: states × commands × replies (RFC 5321 §4.1.4, §4.3.2 and the extensions). It knows no
// role: a server asks it what to refuse, a client what to send next and what an answer means, an observer what was broken.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "wire/sasl/secrets.h"
#include "wire/smtp/grammar.h"

namespace glasspost::smtp {

enum class State : std::uint8_t {
  kConnected,       // the server has not greeted yet
  kGreeted,         // HELO or EHLO is due
  kReady,           // between transactions
  kAuthenticating,  // the server has sent 334
  kMail,            // MAIL was accepted
  kRcpt,            // and a RCPT
  kData,            // 354 was sent
  kChunks,          // a BDAT that is not the last was accepted
  kTls,             // STARTTLS was accepted; the handshake comes
  kQuit,
};
inline constexpr int kStateCount = 10;
std::string_view Name(State state);

class StateSet {
 public:
  constexpr StateSet(std::initializer_list<State> states) {
    for (const State s : states) bits_ |= Bit(s);
  }
  constexpr bool Has(State s) const { return (bits_ & Bit(s)) != 0; }

 private:
  static constexpr std::uint16_t Bit(State s) { return static_cast<std::uint16_t>(1u << static_cast<unsigned>(s)); }
  std::uint16_t bits_ = 0;
};

// A short list of reply codes; 0 fills the rest.
using Codes = std::array<std::uint16_t, 14>;

struct Rule {
  Verb verb;
  StateSet in;          // where the command may come
  State next;           // where success leads
  bool moves;           // false: success leads nowhere, `next` means nothing
  Codes success;        // 2yz
  std::uint16_t go_on;  // 3yz that asks for more, 0: none
  Codes refused;        // 4yz and 5yz, besides kAlwaysPossible
  bool last_of_group;   // RFC 2920 §3.1: a client waits for the answer before it sends more
  std::string_view rfc;
};

// RFC 5321 §4.2.4, §4.3.2: 421 any time; 500 to 504 to what is not understood or not done. RFC 4954 §6: 530. RFC 7504 §4: 521.
// RFC 5321 §4.2.2: 554 where nothing else fits, 451 for a local error.
inline constexpr Codes kAlwaysPossible = {421, 451, 500, 501, 502, 503, 504, 521, 530, 550, 554};

namespace rules_detail {
inline constexpr StateSet kAnyTime = {State::kGreeted, State::kReady, State::kMail, State::kRcpt, State::kChunks};
inline constexpr Codes kMailRefused = {450, 452, 455, 523, 534, 535, 538, 551, 552, 553, 555};
inline constexpr Codes kRcptRefused = {450, 452, 455, 551, 552, 553, 555, 556};
inline constexpr Codes kContentRefused = {450, 452, 454, 552, 553, 555};
}  // namespace rules_detail

inline constexpr std::array<Rule, kVerbCount> kRules = [] {
  using namespace rules_detail;
  using enum State;
  constexpr Codes kOk = {250}, kNone = {};
  return std::array<Rule, kVerbCount>{{
      {Verb::kUnknown, kAnyTime, kReady, false, {}, 0, kNone, false, "RFC 5321 §4.2.4"},
      {Verb::kHelo, kAnyTime, kReady, true, kOk, 0, kNone, false, "RFC 5321 §4.1.1.1"},
      {Verb::kEhlo, kAnyTime, kReady, true, kOk, 0, kNone, true, "RFC 5321 §4.1.1.1"},
      {Verb::kLhlo, kAnyTime, kReady, true, kOk, 0, kNone, true, "RFC 2033 §4.1"},
      {Verb::kMail, {kReady}, kMail, true, kOk, 0, kMailRefused, false, "RFC 5321 §4.1.1.2"},
      {Verb::kRcpt, {kMail, kRcpt}, kRcpt, true, {250, 251, 252}, 0, kRcptRefused, false, "RFC 5321 §4.1.1.3"},
      {Verb::kData, {kRcpt}, kData, true, {}, 354, kContentRefused, true, "RFC 5321 §4.1.1.4"},
      {Verb::kBdat, {kRcpt, kChunks}, kChunks, true, kOk, 0, kContentRefused, false, "RFC 3030 §2"},
      {Verb::kRset, kAnyTime, kReady, true, kOk, 0, kNone, false, "RFC 5321 §4.1.1.5"},
      {Verb::kVrfy, kAnyTime, kReady, false, {250, 251, 252}, 0, {551, 553}, true, "RFC 5321 §4.1.1.6"},
      {Verb::kExpn, kAnyTime, kReady, false, {250, 252}, 0, kNone, true, "RFC 5321 §4.1.1.7"},
      {Verb::kHelp, kAnyTime, kReady, false, {211, 214}, 0, kNone, false, "RFC 5321 §4.1.1.8"},
      {Verb::kNoop, kAnyTime, kReady, false, kOk, 0, kNone, true, "RFC 5321 §4.1.1.9"},
      {Verb::kQuit, kAnyTime, kQuit, true, {221}, 0, kNone, true, "RFC 5321 §4.1.1.10"},
      {Verb::kStartTls, {kReady}, kTls, true, {220}, 0, {454}, true, "RFC 3207 §4"},
      {Verb::kAuth, {kReady}, kReady, true, {235}, 334, {432, 454, 534, 535, 538}, true, "RFC 4954 §4"},
      {Verb::kEtrn, {kReady}, kReady, false, {250, 251, 252, 253}, 0, {458, 459}, false, "RFC 1985 §5"},
      {Verb::kTurn, {kReady}, kReady, false, kOk, 0, kNone, true, "RFC 821 §3.8"},
      {Verb::kAtrn, {kReady}, kReady, false, kOk, 0, {450, 453}, true, "RFC 2645 §5"},
      {Verb::kSend, {kReady}, kMail, true, kOk, 0, kMailRefused, false, "RFC 821 §3.4"},
      {Verb::kSoml, {kReady}, kMail, true, kOk, 0, kMailRefused, false, "RFC 821 §3.4"},
      {Verb::kSaml, {kReady}, kMail, true, kOk, 0, kMailRefused, false, "RFC 821 §3.4"},
      {Verb::kBurl, {kRcpt, kChunks}, kChunks, true, kOk, 0, kContentRefused, false, "RFC 4468 §3"},
      {Verb::kXclient, {kGreeted, kReady}, kGreeted, true, {220}, 0, kNone, true, "RFC 5321 §4.1.5"},
      {Verb::kXforward, {kReady}, kReady, false, kOk, 0, kNone, false, "RFC 5321 §4.1.5"},
      {Verb::kDataBlock, {kData}, kReady, true, kOk, 0, kContentRefused, false, "RFC 5321 §4.1.1.4"},
      {Verb::kAuthAnswer, {kAuthenticating}, kReady, true, {235}, 334, {432, 454, 534, 535, 538}, true, "RFC 4954 §4"},
  }};
}();

static_assert([] {
  for (std::size_t i = 0; i < kRules.size(); ++i)
    if (static_cast<std::size_t>(kRules[i].verb) != i) return false;
  return true;
}());

constexpr const Rule& RuleOf(Verb verb) { return kRules[static_cast<std::size_t>(verb)]; }

constexpr bool MayCome(Verb verb, State state) { return RuleOf(verb).in.Has(state); }

constexpr bool Holds(const Codes& codes, int code) {
  for (const std::uint16_t c : codes)
    if (c != 0 && c == code) return true;
  return false;
}

// What carries a secret, well or badly written: the command itself, what people write in its place, and the commands of the other
// protocols.
inline constexpr sasl::SecretWord kSecretWords[] = {
    {"AUTH", 1}, {"AUTHENTICATE", 1}, {"AUTHPLAIN"}, {"AUTHLOGIN"}, {"LOGIN", 1}, {"APOP", 1}, {"PASS"}, {"PASSWD"}, {"PASSWORD"},
};

// The connection's opening: 220, or a refusal (RFC 5321 §3.1, §4.3.2; RFC 7504 §4).
constexpr bool IsGreeting(int code) { return code == 220 || code == 554 || code == 521 || code == 421 || code == 450; }

// Is `code` an answer that the command may get?
constexpr bool MayAnswer(Verb verb, int code) {
  const Rule& rule = RuleOf(verb);
  return Holds(rule.success, code) || (rule.go_on != 0 && rule.go_on == code) || Holds(rule.refused, code) ||
         Holds(kAlwaysPossible, code);
}

// The command itself is wrong or not known: nothing is said about recipient, message or password, and nothing changes.
constexpr bool IsSyntaxError(int code) { return code >= 500 && code <= 504; }

// The state after the command was answered. `last`: BDAT … LAST, BURL … LAST.
constexpr State Next(State state, Verb verb, int code, bool last = false) {
  const Rule& rule = RuleOf(verb);
  const int category = code / 100;
  if (code == 421) return State::kQuit;
  if (category == 3) {
    if (code == 354) return rule.go_on == code || verb == Verb::kUnknown ? State::kData : state;
    if (code == 334) return State::kAuthenticating;
    return state;
  }
  // After the content, also a refused one, the transaction is over; after a failed AUTH all is as before it.
  if (verb == Verb::kDataBlock || verb == Verb::kAuthAnswer) return State::kReady;
  if ((verb == Verb::kBdat || verb == Verb::kBurl) && last && !IsSyntaxError(code)) return State::kReady;
  if (category != 2 || !rule.moves) return state;
  if (verb == Verb::kRset && state == State::kGreeted) return state;
  return rule.next;
}

// The state that a client which does not wait presumes: every command is accepted.
constexpr State NextPresumed(State state, Verb verb, bool last = false) {
  const Rule& rule = RuleOf(verb);
  return Next(state, verb, rule.success[0] != 0 ? rule.success[0] : rule.go_on, last);
}

}  // namespace glasspost::smtp
