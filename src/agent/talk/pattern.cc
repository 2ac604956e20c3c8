#include "agent/talk/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>

#include "base/ascii.h"

namespace glasspost::agent::talk {
namespace {

bool IsCode(Octets text) {
  return text.size() == 3 && IsDigit(text[0]) && std::ranges::all_of(text, [](char c) { return IsDigit(c) || c == '.'; });
}

bool IsStatus(Octets text) {
  static constexpr Octets kStatuses[] = {"+OK", "-ERR", "+", "OK", "NO", "BAD", "PREAUTH", "BYE"};
  return std::ranges::find(kStatuses, text) != std::end(kStatuses);
}

// Each star takes as little as it can; after a mismatch only the last star has to take more.
bool Glob(Octets pattern, Octets line) {
  std::size_t p = 0, i = 0, star = Octets::npos, resume = 0;
  for (std::size_t steps = 0; i < line.size(); ++steps) {
    if (steps > PatternLimits::kGlobSteps) return false;
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = i;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == line[i])) {
      ++p, ++i;
    } else if (star != Octets::npos) {
      p = star + 1;
      i = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace

struct Pattern::Regex {
  pcre2_code* code = nullptr;
  pcre2_match_context* context = nullptr;
  Regex() = default;
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;
  ~Regex() {
    pcre2_match_context_free(context);
    pcre2_code_free(code);
  }
};

std::string TextOf(const Reply& reply) {
  std::string head = reply.code != 0 ? std::to_string(reply.code) : std::string();
  if (!reply.enhanced.empty()) head += " " + reply.enhanced;
  std::string out;
  Octets rest = reply.text;
  bool first = true;
  do {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const Octets line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    std::string before = head;
    // IMAP's text has its status within.
    if (reply.code == 0 && first && (reply.status.starts_with('+') || reply.status.starts_with('-')) && !line.starts_with('+'))
      before = reply.status;
    out += before;
    if (!before.empty() && !line.empty()) out += ' ';
    out += line;
    out += '\n';
    first = false;
  } while (!rest.empty() && out.size() < PatternLimits::kReply);
  return out;
}

Expected<Pattern> Pattern::Parse(Octets text) {
  if (text.empty())
    return Fail("nothing is expected", {}, "say a code, a status, words with * and ?, /a regular expression/ or close");
  if (text.size() > PatternLimits::kOctets) return Fail("is too long to be expected");
  Pattern pattern;
  pattern.text_ = text;
  if (text == "close") {
    pattern.kind_ = Kind::kClose;
  } else if (IsCode(text)) {
    pattern.kind_ = Kind::kCode;
  } else if (IsStatus(text)) {
    pattern.kind_ = Kind::kStatus;
  } else if (const std::size_t end = text.rfind('/'); text.front() == '/' && end > 0) {
    const Octets flags = text.substr(end + 1);
    if (!flags.empty() && flags != "i") return Fail("has flags that are not known", std::string(text), "/…/ or /…/i");
    auto regex = std::make_shared<Regex>();
    const Octets inner = text.substr(1, end - 1);
    int error = 0;
    std::size_t at = 0;
    const std::uint32_t options = PCRE2_MULTILINE | (flags == "i" ? PCRE2_CASELESS : 0);
    regex->code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(inner.data()), inner.size(), options, &error, &at, nullptr);
    if (regex->code == nullptr) {
      PCRE2_UCHAR words[256] = {};
      pcre2_get_error_message(error, words, sizeof words);
      return Fail(std::string(reinterpret_cast<const char*>(words)), std::string(text));
    }
    regex->context = pcre2_match_context_create(nullptr);
    pcre2_set_match_limit(regex->context, PatternLimits::kMatches);
    pcre2_set_depth_limit(regex->context, PatternLimits::kDepth);
    pcre2_set_heap_limit(regex->context, PatternLimits::kHeapKib);
    pattern.kind_ = Kind::kRegex;
    pattern.regex_ = std::move(regex);
  }
  return pattern;
}

bool Pattern::Matches(const Reply& reply, Octets heard) const {
  if (kind_ == Kind::kClose) return false;
  if (kind_ == Kind::kCode) {
    std::string glob = text_;
    std::ranges::replace(glob, '.', '?');
    return Glob(glob, std::to_string(reply.code));
  }
  if (kind_ == Kind::kStatus) return reply.status == text_;
  const std::string whole = TextOf(reply) + std::string(heard.substr(0, PatternLimits::kReply));
  if (kind_ == Kind::kRegex) {
    pcre2_match_data* const found = pcre2_match_data_create(1, nullptr);
    const int result =
        pcre2_match(regex_->code, reinterpret_cast<PCRE2_SPTR>(whole.data()), whole.size(), 0, 0, found, regex_->context);
    pcre2_match_data_free(found);
    return result >= 0;
  }
  for (Octets rest = whole; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    if (Glob(text_, rest.substr(0, end))) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

}  // namespace glasspost::agent::talk
