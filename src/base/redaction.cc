#include "base/redaction.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <cstring>
#include <vector>

#include "base/ascii.h"
#include "base/base64.h"
#include "base/escape.h"

namespace glasspost {
namespace {

constexpr std::size_t kGram = 4;
constexpr std::size_t kMostSteps = 8;    // of grams that one secret leaves in the filter
constexpr std::size_t kCoreOctets = 10;  // of a secret's beginning, by which it is known in base64
constexpr Octets kMaskStart = "*** (";
constexpr std::size_t kLongestMask = 40;

bool IsBase64(char c) { return IsAlpha(c) || IsDigit(c) || c == '+' || c == '/' || c == '='; }

bool IsWordOctet(char c) {
  return IsAlpha(c) || IsDigit(c) || static_cast<std::uint8_t>(c) > 127 || c == '@' || c == '-' || c == '_' || c == '+' ||
         c == '=';
}

// Case folded, roughly: what falls together besides is told apart by the comparison.
std::size_t GramHash(const char* at) {
  std::uint32_t gram = 0;
  std::memcpy(&gram, at, kGram);
  return (gram | 0x20202020U) * 2654435761U >> 20;
}

// Octets of the mask that begins at `at`, 0 if none does.
std::size_t MaskLength(Octets text, std::size_t at) {
  if (!text.substr(at).starts_with(kMaskStart)) return 0;
  std::size_t end = at + kMaskStart.size();
  while (end < text.size() && IsDigit(text[end])) ++end;
  for (const Octets word : {Octets(" octets)"), Octets(" octet)")})
    if (text.substr(end).starts_with(word)) return end + word.size() - at;
  return 0;
}

// Where the mask ends in which `at` lies; 0 if it lies in none.
std::size_t EndOfMaskAround(Octets text, std::size_t at) {
  const std::size_t from = at - std::min(at, kLongestMask);
  const std::size_t start = text.substr(from, at - from + kMaskStart.size()).rfind(kMaskStart);
  if (start == Octets::npos) return 0;
  const std::size_t end = from + start + MaskLength(text, from + start);
  return end > at ? end : 0;
}

// The characters of base64 text that `plain` alone decides, where it begins `shift` octets into a group.
std::string Base64Core(Octets plain, std::size_t shift) {
  plain = plain.substr(0, kCoreOctets);
  const std::string text = EncodeBase64(std::string(shift, '\0').append(plain));
  const std::size_t begin = (shift * 8 + 5) / 6;
  const std::size_t end = (shift + plain.size()) * 8 / 6;
  return text.substr(begin, end - begin);
}

bool Prints(Octets text) {
  return IsUtf8(text) && std::ranges::none_of(text, [](char c) { return static_cast<std::uint8_t>(c) < 0x20 || c == 0x7f; });
}

// Without what people and servers put around a word.
Octets Bare(Octets word) {
  constexpr Octets kAround = "\"'<>()[]{},;:=";
  while (!word.empty() && kAround.find(word.front()) != Octets::npos) word.remove_prefix(1);
  while (!word.empty() && kAround.find(word.back()) != Octets::npos) word.remove_suffix(1);
  return word;
}

}  // namespace

std::string DecodeTornBase64(Octets text) {
  while (!text.empty() && text.front() == '=') text.remove_prefix(1);
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  if (text.size() % 4 == 1) text.remove_suffix(1);
  std::string padded(text);
  padded.append((4 - padded.size() % 4) % 4, '=');
  return DecodeBase64(padded).value_or(std::string());
}

struct Secrets::Memory {
  struct One {
    std::string secret;
    bool beginning = false;            // it goes on
    std::array<std::string, 3> cores;  // empty for a short one, and for base64
  };
  struct Match {
    std::size_t at = 0;
    std::size_t length = 0;
  };

  class Words;

  std::vector<One> all;
  std::size_t oldest = 0;
  bool short_ones = false;
  std::size_t step = 0;  // 0: there are only short ones
  std::bitset<4096> filter;

  void Rebuild();
  Match At(Octets text, std::size_t at, std::size_t from) const;
  Match Next(Octets text, std::size_t from) const;
  Match Torn(Octets text, std::size_t from) const;
};

// The short secrets in a text, where they stand as whole words. Each is looked for from where it was last found, so that all the
// text is gone through once for each of them, however many there are.
class Secrets::Memory::Words {
 public:
  Words(const Memory& memory, Octets text) : text_(text) {
    if (!memory.short_ones) return;
    for (const One& one : memory.all)
      if (one.secret.size() < kAnywhere) words_.push_back({one.secret, Find(one.secret, 0)});
  }

  // The first that begins at `from` or behind it. From one call to the next, `from` never falls.
  Match Next(std::size_t from) {
    Match first;
    for (Word& word : words_) {
      if (word.at < from) word.at = Find(word.secret, from);
      if (word.at != Octets::npos && (first.length == 0 || word.at < first.at)) first = {word.at, word.secret.size()};
    }
    return first;
  }

 private:
  struct Word {
    Octets secret;
    std::size_t at;  // where it stands next
  };

  std::size_t Find(Octets secret, std::size_t from) const {
    std::size_t at = text_.find(secret, from);
    while (at != Octets::npos && !IsWhole(at, at + secret.size())) at = text_.find(secret, at + 1);
    return at;
  }
  bool IsWhole(std::size_t begin, std::size_t end) const {
    return (begin == 0 || !IsWordOctet(text_[begin - 1])) && (end == text_.size() || !IsWordOctet(text_[end]));
  }

  Octets text_;
  std::vector<Word> words_;
};

// Every text of `shortest` octets has, at one place in `step`, a gram of the secret's first `step` ones.
void Secrets::Memory::Rebuild() {
  filter.reset();
  short_ones = false;
  std::size_t shortest = Octets::npos;
  const auto long_ones = [&](auto&& f) {
    for (const One& one : all) {
      if (one.secret.size() < kAnywhere) continue;
      f(one.secret);
      for (const std::string& core : one.cores)
        if (!core.empty()) f(core);
    }
  };
  for (const One& one : all) short_ones |= one.secret.size() < kAnywhere;
  long_ones([&](const std::string& needle) { shortest = std::min(shortest, needle.size()); });
  step = shortest == Octets::npos ? 0 : std::min(kMostSteps, shortest - kGram + 1);
  long_ones([&](const std::string& needle) {
    for (std::size_t i = 0; i < step; ++i) filter.set(GramHash(needle.data() + i));
  });
}

// The longest match that begins right at `at`; base64 is taken from where its run begins, but not before `from`.
Secrets::Memory::Match Secrets::Memory::At(Octets text, std::size_t at, std::size_t from) const {
  Match best;
  const auto offer = [&](std::size_t begin, std::size_t end) {
    if (end - begin > best.length) best = {begin, end - begin};
  };
  const Octets rest = text.substr(at);
  for (const One& one : all) {
    if (one.secret.size() < kAnywhere) continue;
    if (StartsWithNoCase(rest, one.secret)) {
      std::size_t end = at + one.secret.size();
      if (one.beginning)
        while (end < text.size() && static_cast<std::uint8_t>(text[end]) > ' ') ++end;
      offer(at, end);
    }
    for (const std::string& core : one.cores) {
      if (core.empty() || !StartsWithNoCase(rest, core)) continue;
      std::size_t begin = at, end = at + core.size();
      while (begin > from && IsBase64(text[begin - 1])) --begin;
      while (end < text.size() && IsBase64(text[end])) ++end;
      offer(begin, end);
    }
  }
  return best;
}

Secrets::Memory::Match Secrets::Memory::Next(Octets text, std::size_t from) const {
  if (step == 0) return {};
  for (std::size_t i = from; i + kGram <= text.size(); i += step) {
    if (!filter.test(GramHash(text.data() + i))) continue;
    for (std::size_t at = i - std::min(i - from, step - 1); at <= i; ++at)
      if (const Match match = At(text, at, from); match.length > 0) return match;
  }
  return {};
}

// The text is cut: the beginning of a secret at its very end.
Secrets::Memory::Match Secrets::Memory::Torn(Octets text, std::size_t from) const {
  Match best;
  for (const One& one : all) {
    if (one.secret.size() < kAnywhere) continue;
    for (std::size_t n = std::min(one.secret.size() - 1, text.size() - from); n >= kTorn && n > best.length; --n)
      if (StartsWithNoCase(one.secret, text.substr(text.size() - n))) best = {text.size() - n, n};
  }
  return best;
}

Secrets::Secrets(bool show) : show_(show) {}
Secrets::~Secrets() = default;
Secrets::Secrets(Secrets&&) noexcept = default;
Secrets& Secrets::operator=(Secrets&&) noexcept = default;

std::size_t Secrets::Held() const {
  std::size_t octets = user_.size();
  if (memory_ == nullptr) return octets;
  octets += sizeof(Memory);
  for (const Memory::One& one : memory_->all) {
    octets += sizeof(Memory::One) + one.secret.size();
    for (const std::string& core : one.cores) octets += core.size();
  }
  return octets;
}

bool Secrets::IsUser(Octets secret) const {
  const Octets name = user_;
  return !name.empty() && (EqualsNoCase(secret, name) || EqualsNoCase(secret, name.substr(0, name.find('@'))));
}

bool Secrets::IsOne(Octets text) const {
  return std::ranges::any_of(memory_->all, [&](const Memory::One& one) { return one.secret == text && !one.beginning; });
}

void Secrets::Remember(Octets secret, bool whole) {
  if (show_) return;
  RememberOne(secret, whole, false);
  const Octets bare = Bare(secret);
  if (bare.size() >= kAnywhere && bare.size() < secret.size()) RememberOne(bare, whole || !secret.ends_with(bare), false);
}

void Secrets::RememberBase64(Octets text, bool whole) {
  if (!show_) RememberOne(text, whole, true);
}

void Secrets::RememberOne(Octets secret, bool whole, bool is_base64) {
  if (secret.empty() || IsUser(secret)) return;
  const bool beginning = !whole || secret.size() > kOctets;
  secret = secret.substr(0, kOctets);
  if (beginning && secret.size() < kAnywhere) return;
  if (memory_ == nullptr) memory_ = std::make_unique<Memory>();
  auto& all = memory_->all;
  for (const Memory::One& one : all)
    if (one.secret == secret && (one.beginning || !beginning)) return;
  Memory::One one{std::string(secret), beginning, {}};
  for (std::size_t shift = 0; shift < one.cores.size() && secret.size() >= kAnywhere && !is_base64; ++shift)
    one.cores[shift] = Base64Core(secret, shift);
  if (all.size() < kMost) {
    all.push_back(std::move(one));
  } else {
    all[memory_->oldest] = std::move(one);
    memory_->oldest = (memory_->oldest + 1) % kMost;
  }
  memory_->Rebuild();
}

void Secrets::RememberText(Octets text, bool whole) {
  if (show_) return;
  text = Trim(text);
  Remember(text, whole);
  for (Octets rest = text; !rest.empty();) {
    const std::size_t end = std::min(rest.find_first_of(" \t"), rest.size());
    const Octets word = Bare(rest.substr(0, end));
    rest = Trim(rest.substr(end));
    const bool last = rest.empty(), complete = whole || !last;
    if (last) Remember(word, complete);
    const std::string plain = DecodeTornBase64(word);
    // Credentials are pieces between separators, and the secret is the last of them (RFC 4616 §2, RFC 7628 §3.1).
    Octets piece = plain;
    while (piece.ends_with('\x01')) piece.remove_suffix(1);
    const std::size_t separator = piece.find_last_of(Octets("\0\x01", 2));
    if (separator != Octets::npos) {
      piece.remove_prefix(separator + 1);
      Remember(piece, complete);
      Remember(piece.substr(piece.rfind(' ') + 1), complete);
    } else if (last && Prints(piece)) {
      Remember(piece, complete);
    }
  }
}

std::vector<std::pair<std::size_t, std::size_t>> Secrets::Places(Octets text) const {
  std::vector<std::pair<std::size_t, std::size_t>> places;
  if (memory_ == nullptr) return places;
  Memory::Words words(*memory_, text);
  Memory::Match anywhere = memory_->Next(text, 0), word = words.Next(0);
  while (anywhere.length > 0 || word.length > 0) {
    const bool word_first = anywhere.length == 0 || (word.length > 0 && word.at < anywhere.at);
    const Memory::Match match = word_first ? word : anywhere;
    places.emplace_back(match.at, match.length);
    const std::size_t end = match.at + match.length;
    if (anywhere.length > 0 && anywhere.at < end) anywhere = memory_->Next(text, end);
    word = words.Next(end);
  }
  return places;
}

void Secrets::Replace(std::string& text, bool cut) const {
  const std::size_t most = Grown(text.size()) - 3 * kLongestMask;  // a last mask in each pass goes beyond
  const auto pass = [&](auto&& next) {
    std::string out;
    std::size_t done = 0;
    const Octets all = text;
    for (std::size_t from = 0; from < all.size();) {
      const Memory::Match match = next(all, from);
      if (match.length == 0) break;
      // What a mask says is nobody's secret.
      if (const std::size_t end = EndOfMaskAround(all, match.at); end != 0) {
        from = end;
        continue;
      }
      out.append(all.substr(done, match.at - done));
      const std::size_t rest = all.size() - match.at;
      const bool fits = out.size() + rest + kLongestMask <= most;
      out.append(Mask(fits ? match.length : rest));
      from = done = fits ? match.at + match.length : all.size();
    }
    if (done == 0) return;
    out.append(all.substr(done));
    text.swap(out);
  };
  pass([this](Octets all, std::size_t from) { return memory_->Next(all, from); });
  if (memory_->short_ones) {
    Memory::Words words(*memory_, text);
    pass([&words](Octets, std::size_t from) { return words.Next(from); });
  }
  if (cut) pass([this](Octets all, std::size_t from) { return memory_->Torn(all, from); });
}

}  // namespace glasspost
