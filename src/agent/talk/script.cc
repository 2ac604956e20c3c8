#include "agent/talk/script.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/ascii.h"
#include "base/unescape.h"

namespace glasspost::agent::talk {
namespace {

struct Word {
  std::string_view word;
  Step::Kind kind;
  bool argument;  // it needs one
};
constexpr Word kWords[] = {
    {"auth", Step::Kind::kAuth, false},   {"b64", Step::Kind::kBase64, true},         {"bdat", Step::Kind::kBdat, true},
    {"close", Step::Kind::kClose, false}, {"drop", Step::Kind::kDrop, false},         {"file", Step::Kind::kSendFile, true},
    {"raw", Step::Kind::kRaw, true},      {"send-file", Step::Kind::kSendFile, true}, {"starttls", Step::Kind::kStartTls, false},
    {"tls", Step::Kind::kTls, false},     {"wait", Step::Kind::kWait, true},
};

Expected<void> FillAuth(Step& step, Octets rest) {
  const std::size_t space = std::min(rest.find(' '), rest.size());
  step.text = UpperCase(rest.substr(0, space));
  step.user = Trim(rest.substr(space));
  // "auth ada@example.org": a user without a mechanism.
  if (step.user.empty() && step.text.find('@') != std::string::npos) step.user = rest.substr(0, space), step.text.clear();
  return {};
}

Expected<void> Fill(Step& step, Octets rest) {
  switch (step.kind) {
    case Step::Kind::kAuth:
      return FillAuth(step, rest);
    case Step::Kind::kRaw:
    case Step::Kind::kBase64: {
      auto octets = Unescape(rest);
      if (!octets) return std::unexpected(octets.error());
      if (step.kind == Step::Kind::kBase64 && octets->size() > ScriptLimits::kBase64) return Fail("is too long for a line");
      step.text = std::move(*octets);
      return {};
    }
    case Step::Kind::kBdat: {
      const std::size_t space = rest.rfind(' ');
      step.last = space != Octets::npos && EqualsNoCase(rest.substr(space + 1), "LAST");
      step.text = step.last ? Trim(rest.substr(0, space)) : rest;
      return {};
    }
    case Step::Kind::kWait: {
      const auto read = std::from_chars(rest.data(), rest.data() + rest.size(), step.seconds);
      const bool whole = read.ec == std::errc() && read.ptr == rest.data() + rest.size();
      if (!whole || !(step.seconds >= 0 && step.seconds <= ScriptLimits::kLongestWait))
        return Fail("is no number of seconds", std::string(rest));
      return {};
    }
    default:
      step.text = rest;
      return {};
  }
}

Expected<Step> ParseLine(Octets line) {
  Step step;
  if (line.starts_with(">>")) {
    step.kind = Step::Kind::kSendAhead;
    line.remove_prefix(2);
  } else if (line.starts_with('>')) {
    line.remove_prefix(1);
  } else if (line.starts_with('<')) {
    auto pattern = Pattern::Parse(Trim(line.substr(1)));
    if (!pattern) return std::unexpected(pattern.error());
    step.kind = Step::Kind::kExpect;
    step.pattern = std::move(*pattern);
    return step;
  } else {
    return ParseCommand(line);
  }
  if (line.starts_with(' ')) line.remove_prefix(1);
  step.text = line;
  return step;
}

}  // namespace

std::vector<std::string_view> CommandWords() {
  std::vector<std::string_view> words;
  for (const Word& w : kWords) words.push_back(w.word);
  return words;
}

Expected<Step> ParseCommand(Octets line) {
  if (line.starts_with(':')) line.remove_prefix(1);
  const std::size_t space = std::min(line.find(' '), line.size());
  const Octets name = line.substr(0, space);
  const auto at = std::ranges::find(kWords, name, &Word::word);
  if (at == std::end(kWords)) return Fail("is nothing that can be done", std::string(name));
  Octets rest = line.substr(std::min(space + 1, line.size()));
  if (at->kind != Step::Kind::kRaw && at->kind != Step::Kind::kBase64) rest = Trim(rest);
  if (at->argument && rest.empty()) return Fail("needs to be told what", std::string(name));
  Step step;
  step.kind = at->kind;
  if (const auto filled = Fill(step, rest); !filled) return std::unexpected(filled.error());
  return step;
}

Expected<std::vector<Step>> ParseScript(Octets text, const std::string& name) {
  if (text.size() > ScriptLimits::kOctets) return Fail("is too long for a script", name);
  std::vector<Step> steps;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string where = name + ", line " + std::to_string(number);
    if (number > ScriptLimits::kLines) return Fail("are too many lines for a script", where);
    const std::size_t end = std::min(text.find('\n'), text.size());
    Octets line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() > ScriptLimits::kLine) return Fail("is too long a line", where);
    if (Trim(line).empty() || line.starts_with('#')) continue;
    auto step = ParseLine(line);
    if (!step) return Fail(step.error().Text(), where, "glasspost help talk tells what a script can say");
    step->line = number;
    steps.push_back(std::move(*step));
  }
  return steps;
}

}  // namespace glasspost::agent::talk
