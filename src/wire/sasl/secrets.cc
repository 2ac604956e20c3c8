#include "wire/sasl/secrets.h"

#include <algorithm>

#include "base/ascii.h"
#include "wire/sasl/sasl.h"

namespace glasspost::sasl {
namespace {

constexpr std::size_t kWordsSearched = 3;  // a tag or a copied prompt may come before the verb, "UID" too
constexpr std::size_t kWordsMistyped = 2;  // of these, only a verb is taken for a mistyped one
constexpr Octets kBlanks = " \t";

bool ContainsNoCase(Octets text, Octets word) {
  for (std::size_t i = 0; i + word.size() <= text.size(); ++i)
    if (StartsWithNoCase(text.substr(i), word)) return true;
  return false;
}

// One letter too many, too few, wrong, or two exchanged.
bool IsOneSlip(Octets typed, Octets word) {
  if (typed.size() + 1 < word.size() || typed.size() > word.size() + 1) return false;
  std::size_t same = 0;
  const std::size_t shorter = std::min(typed.size(), word.size());
  while (same < shorter && ToUpper(typed[same]) == ToUpper(word[same])) ++same;
  const Octets a = typed.substr(same), b = word.substr(same);
  if (a.size() > b.size()) return EqualsNoCase(a.substr(1), b);
  if (a.size() < b.size()) return EqualsNoCase(a, b.substr(1));
  if (a.empty() || EqualsNoCase(a.substr(1), b.substr(1))) return true;
  return a.size() >= 2 && ToUpper(a[0]) == ToUpper(b[1]) && ToUpper(a[1]) == ToUpper(b[0]) &&
         EqualsNoCase(a.substr(2), b.substr(2));
}

bool IsWord(Octets typed, Octets word, bool mistyped) {
  if (EqualsNoCase(typed, word)) return true;
  if (!typed.empty() && ToUpper(typed.front()) == 'X' && EqualsNoCase(typed.substr(1), word)) return true;
  return mistyped && typed.size() >= 3 && IsOneSlip(typed, word);
}

// RFC 4616 §2: [authzid] NUL authcid NUL passwd.
bool IsCredentials(Octets word) {
  const std::string plain = DecodeTornBase64(word);
  return std::ranges::count(plain, '\0') == 2 && !plain.ends_with('\0');
}

std::size_t Skip(Octets line, std::size_t at, Octets octets) { return std::min(line.find_first_not_of(octets, at), line.size()); }
std::size_t WordEnd(Octets line, std::size_t at) { return std::min(line.find_first_of(kBlanks, at), line.size()); }

// Where the letters and digits from `at` on end.
std::size_t NameEnd(Octets line, std::size_t at) {
  while (at < line.size() && (IsAlpha(line[at]) || IsDigit(line[at]))) ++at;
  return at;
}

// The secret behind a word of the table that ends at `at`: after what may be told, if anything stands behind that.
std::size_t Behind(Octets line, std::size_t at, std::uint8_t told) {
  std::size_t secret = Skip(line, at, kBlanks);
  if (secret == at) return secret;  // glued to it
  for (std::size_t next = secret; told > 0; --told) {
    next = Skip(line, WordEnd(line, next), kBlanks);
    if (next == line.size()) break;
    secret = next;
  }
  const Octets rest = Trim(line.substr(secret));
  return MechanismOf(rest) != Mechanism::kUnknown ? line.size() : secret;  // nothing but a mechanism: its secret may follow
}

}  // namespace

std::size_t FindDueSecret(Octets line, std::span<const SecretWord> words) {
  const std::size_t end = NameEnd(line, 0);
  const auto begins = [&](const SecretWord& w) { return IsWord(line.substr(0, end), w.word, false); };
  return std::ranges::any_of(words, begins) ? Behind(line, end, 0) : 0;
}

std::size_t FindSlip(Octets line, std::span<const SecretWord> words) {
  std::size_t at = Skip(line, 0, kBlanks);
  for (std::size_t n = 0; n < kWordsSearched && at < line.size(); ++n) {
    const std::size_t end = WordEnd(line, at);
    const Octets word = line.substr(at, end - at);
    std::size_t begin = 0;
    while (begin < word.size() && !IsAlpha(word[begin]) && !IsDigit(word[begin])) ++begin;
    const std::size_t stop = NameEnd(word, begin);
    const Octets name = word.substr(begin, stop - begin);
    for (const SecretWord& w : words) {
      if (!IsWord(name, w.word, n < kWordsMistyped)) continue;
      return Behind(line, at + stop, w.told);
    }
    const bool holds = std::ranges::any_of(words, [&](const SecretWord& w) { return ContainsNoCase(word, w.word); });
    if (holds || IsCredentials(word)) return at;
    at = Skip(line, end, kBlanks);
  }
  return Octets::npos;
}

std::string HideFrom(Octets line, std::size_t at, std::size_t length, Secrets& secrets) {
  if (secrets.show()) return std::string(line);
  if (at == line.size()) return secrets.Redacted(line);
  secrets.RememberText(line.substr(at), length == line.size());
  std::string told = secrets.Redacted(line.substr(0, at));
  if (!told.empty() && kBlanks.find(told.back()) == Octets::npos) told += ' ';
  return told += Mask(length - at);
}

void RememberTail(Octets tail, Secrets& secrets) {
  tail = Trim(tail);
  const Octets word = tail.substr(tail.find_last_of(kBlanks) + 1);
  if (word.size() >= Secrets::kAnywhere) secrets.RememberText(word);
}

namespace {

// What LOGIN asks with everywhere is nobody's secret, even where it is somebody's password.
bool IsPrompt(const Reply& reply) {
  return (reply.sasl == SaslContent::kUserPrompt || reply.sasl == SaslContent::kPasswordPrompt) && IsUsualPrompt(reply.decoded);
}

void RedactReply(Reply& reply, const Secrets& secrets) {
  if (IsPrompt(reply)) return;
  secrets.Redact(reply.text, reply.cut);
  secrets.Redact(reply.decoded);
}

}  // namespace

void Redact(Exchange& exchange, const Secrets& secrets, bool composed) {
  if (secrets.empty()) return;
  secrets.Redact(exchange.request.tag);
  if (!composed) secrets.Redact(exchange.request.argument, exchange.request.cut);
  RedactReply(exchange.reply, secrets);
  for (Reply& reply : exchange.more_replies) RedactReply(reply, secrets);
}

void Redact(Envelope& envelope, const Secrets& secrets) {
  if (secrets.empty()) return;
  secrets.Redact(envelope.reverse_path);
  for (std::string& path : envelope.forward_paths) secrets.Redact(path);
}

}  // namespace glasspost::sasl
