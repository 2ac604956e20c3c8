#include "wire/imap/rules.h"

#include <algorithm>
#include <iterator>

#include "base/ascii.h"

namespace glasspost::imap {
namespace {

// In order of their names.
constexpr Rule kRules[] = {
    {"APPEND", Verb::kAppend, kLoggedIn, "RFC 9051 §6.3.12"},
    {"AUTHENTICATE", Verb::kAuthenticate, kNotAuthenticated, "RFC 9051 §6.2.2"},
    {"CANCELUPDATE", Verb::kOther, kLoggedIn, "RFC 5267 §4.4"},
    {"CAPABILITY", Verb::kOther, kAnyState, "RFC 9051 §6.1.1"},
    {"CHECK", Verb::kOther, kSelected, "RFC 3501 §6.4.1"},
    {"CLOSE", Verb::kClose, kSelected, "RFC 9051 §6.4.1"},
    {"COMPRESS", Verb::kCompress, kAnyState, "RFC 4978 §3"},
    {"CONVERSIONS", Verb::kOther, kAnyState, "RFC 5259 §7"},
    {"CONVERT", Verb::kOther, kSelected, "RFC 5259 §6"},
    {"COPY", Verb::kOther, kSelected, "RFC 9051 §6.4.7"},
    {"CREATE", Verb::kOther, kLoggedIn, "RFC 9051 §6.3.4"},
    {"DELETE", Verb::kOther, kLoggedIn, "RFC 9051 §6.3.5"},
    {"DELETEACL", Verb::kOther, kLoggedIn, "RFC 4314 §3.2"},
    {"ENABLE", Verb::kOther, kLoggedIn, "RFC 9051 §6.3.1"},
    {"ESEARCH", Verb::kOther, kLoggedIn, "RFC 7377 §2"},
    {"EXAMINE", Verb::kExamine, kLoggedIn, "RFC 9051 §6.3.3"},
    {"EXPUNGE", Verb::kOther, kSelected, "RFC 9051 §6.4.3"},
    {"FETCH", Verb::kFetch, kSelected, "RFC 9051 §6.4.5"},
    {"GENURLAUTH", Verb::kOther, kLoggedIn, "RFC 4467 §7"},
    {"GETACL", Verb::kOther, kLoggedIn, "RFC 4314 §3.3"},
    {"GETANNOTATION", Verb::kOther, kLoggedIn, ""},
    {"GETJMAPACCESS", Verb::kOther, kLoggedIn, "RFC 9698 §2"},
    {"GETMETADATA", Verb::kOther, kLoggedIn, "RFC 5464 §4.2"},
    {"GETQUOTA", Verb::kOther, kLoggedIn, "RFC 9208 §4.1.1"},
    {"GETQUOTAROOT", Verb::kOther, kLoggedIn, "RFC 9208 §4.1.2"},
    {"ID", Verb::kOther, kAnyState, "RFC 2971 §3.1"},
    {"IDLE", Verb::kIdle, kLoggedIn, "RFC 9051 §6.3.13"},
    {"LANGUAGE", Verb::kOther, kAnyState, "RFC 5255 §3.2"},
    {"LIST", Verb::kOther, kLoggedIn, "RFC 9051 §6.3.9"},
    {"LISTRIGHTS", Verb::kOther, kLoggedIn, "RFC 4314 §3.4"},
    {"LOGIN", Verb::kLogin, kNotAuthenticated, "RFC 9051 §6.2.3"},
    {"LOGOUT", Verb::kLogout, kAnyState, "RFC 9051 §6.1.3"},
    {"LSUB", Verb::kOther, kLoggedIn, "RFC 3501 §6.3.9"},
    {"MOVE", Verb::kOther, kSelected, "RFC 9051 §6.4.8"},
    {"MYRIGHTS", Verb::kOther, kLoggedIn, "RFC 4314 §3.5"},
    {"NAMESPACE", Verb::kOther, kLoggedIn, "RFC 9051 §6.3.10"},
    {"NOOP", Verb::kOther, kAnyState, "RFC 9051 §6.1.2"},
    {"NOTIFY", Verb::kOther, kLoggedIn, "RFC 5465 §3.1"},
    {"RENAME", Verb::kOther, kLoggedIn, "RFC 9051 §6.3.6"},
    {"REPLACE", Verb::kReplace, kSelected, "RFC 8508 §3.3"},
    {"RESETKEY", Verb::kOther, kLoggedIn, "RFC 4467 §7"},
    {"RLIST", Verb::kOther, kLoggedIn, "RFC 2193 §4"},
    {"RLSUB", Verb::kOther, kLoggedIn, "RFC 2193 §4"},
    {"SEARCH", Verb::kOther, kSelected, "RFC 9051 §6.4.4"},
    {"SELECT", Verb::kSelect, kLoggedIn, "RFC 9051 §6.3.2"},
    {"SETACL", Verb::kOther, kLoggedIn, "RFC 4314 §3.1"},
    {"SETANNOTATION", Verb::kOther, kLoggedIn, ""},
    {"SETMETADATA", Verb::kOther, kLoggedIn, "RFC 5464 §4.3"},
    {"SETQUOTA", Verb::kOther, kLoggedIn, "RFC 9208 §4.1.3"},
    {"SORT", Verb::kOther, kSelected, "RFC 5256 §3"},
    {"STARTTLS", Verb::kStarttls, kNotAuthenticated, "RFC 9051 §6.2.1"},
    {"STATUS", Verb::kOther, kLoggedIn, "RFC 9051 §6.3.11"},
    {"STORE", Verb::kOther, kSelected, "RFC 9051 §6.4.6"},
    {"SUBSCRIBE", Verb::kOther, kLoggedIn, "RFC 9051 §6.3.7"},
    {"THREAD", Verb::kOther, kSelected, "RFC 5256 §3"},
    {"UID COPY", Verb::kOther, kSelected, "RFC 9051 §6.4.9"},
    {"UID EXPUNGE", Verb::kOther, kSelected, "RFC 9051 §6.4.9"},
    {"UID FETCH", Verb::kFetch, kSelected, "RFC 9051 §6.4.9"},
    {"UID MOVE", Verb::kOther, kSelected, "RFC 9051 §6.4.9"},
    {"UID REPLACE", Verb::kReplace, kSelected, "RFC 8508 §3.4"},
    {"UID SEARCH", Verb::kOther, kSelected, "RFC 9051 §6.4.9"},
    {"UID SORT", Verb::kOther, kSelected, "RFC 5256 §3"},
    {"UID STORE", Verb::kOther, kSelected, "RFC 9051 §6.4.9"},
    {"UID THREAD", Verb::kOther, kSelected, "RFC 5256 §3"},
    {"UIDBATCHES", Verb::kOther, kSelected, ""},
    {"UNAUTHENTICATE", Verb::kUnauthenticate, kLoggedIn, "RFC 8437 §2"},
    {"UNSELECT", Verb::kUnselect, kSelected, "RFC 9051 §6.4.2"},
    {"UNSUBSCRIBE", Verb::kOther, kLoggedIn, "RFC 9051 §6.3.8"},
    {"URLFETCH", Verb::kOther, kLoggedIn, "RFC 4467 §7"},
    {"XAPPLEPUSHSERVICE", Verb::kOther, kLoggedIn, ""},
    {"XLIST", Verb::kOther, kLoggedIn, ""},
};
static_assert(std::ranges::is_sorted(kRules, std::ranges::less{}, &Rule::name), "binary search needs order");

constexpr std::size_t kLongestName = 17;

}  // namespace

std::span<const Rule> Rules() { return kRules; }

const Rule* FindRule(Octets name) {
  char upper[kLongestName];
  std::size_t n = 0;
  for (const char c : name) {
    if (c == ' ' && n > 0 && upper[n - 1] == ' ') continue;
    if (n == kLongestName) return nullptr;
    upper[n++] = ToUpper(c);
  }
  const Octets key(upper, n);
  const auto* at = std::ranges::lower_bound(kRules, key, {}, &Rule::name);
  return at != std::end(kRules) && at->name == key ? at : nullptr;
}

State After(Verb verb, State before) {
  switch (verb) {
    case Verb::kLogin:
    case Verb::kAuthenticate:
      return kAuthenticated;
    case Verb::kSelect:
    case Verb::kExamine:
      return kSelected;
    case Verb::kClose:
    case Verb::kUnselect:
      return kAuthenticated;
    case Verb::kLogout:
      return kLoggedOut;
    case Verb::kUnauthenticate:
      return kNotAuthenticated;
    default:
      return before;
  }
}

Phase PhaseOf(Verb verb, bool before_login) {
  switch (verb) {
    case Verb::kStarttls:
      return Phase::kTls;
    case Verb::kLogin:
    case Verb::kAuthenticate:
      return Phase::kAuth;
    case Verb::kLogout:
      return Phase::kQuit;
    default:
      return before_login ? Phase::kGreeting : Phase::kRetrieval;
  }
}

}  // namespace glasspost::imap
