#include "agent/mbox.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"

namespace glasspost::agent {
namespace {

constexpr Octets kDays = "Sun Mon Tue Wed Thu Fri Sat ";
constexpr Octets kMonths = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec ";

Octets TakeWord(Octets& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
  const Octets word = rest.substr(0, rest.find_first_of(" \t"));
  rest.remove_prefix(word.size());
  return word;
}

bool IsOneOf(Octets word, Octets all) {
  if (word.size() != 3) return false;
  const std::size_t at = all.find(word);
  return at != Octets::npos && at % 4 == 0;
}

// "8:15", "08:15:30"
bool IsTime(Octets word) {
  const std::size_t colon = word.find(':');
  if (colon == 0 || colon > 2 || word.size() < colon + 3) return false;
  return std::ranges::all_of(word, [](char c) { return IsDigit(c) || c == ':'; });
}

}  // namespace

bool IsPostmark(Octets line) {
  if (!line.starts_with("From ")) return false;
  Octets rest = line.substr(5);
  while (!rest.empty()) {
    if (!IsOneOf(TakeWord(rest), kDays)) continue;
    Octets date = rest;
    if (!IsOneOf(TakeWord(date), kMonths)) continue;
    const Octets day = TakeWord(date);
    if (!day.empty() && day.size() <= 2 && ParseNumber(day) && IsTime(TakeWord(date))) return true;
  }
  return false;
}

bool IsTornPostmark(Octets line) {
  constexpr Octets kFrom = "From ";
  return !line.empty() && kFrom.substr(0, line.size()) == line.substr(0, kFrom.size()) && !IsPostmark(line);
}

void MboxSplitter::Feed(Octets octets) {
  text::Line line;
  while (!foreign_ && lines_.Next(octets, line) == text::LineSplitter::Step::kLine) OnLine(line.text, line.length);
}

void MboxSplitter::Finish() {
  if (!foreign_ && lines_.pending() > 0) {
    const std::string rest(lines_.partial());
    const std::uint64_t length = lines_.pending();
    const bool may_begin = messages_.empty() ? at_ == 0 : last_empty_ > 0;
    const bool postmark = may_begin && IsTornPostmark(rest);
    if (!postmark) OnLine(rest, length);
    EndMessage();
    if (postmark) at_ += length;
    torn_ = postmark || (!foreign_ && !messages_.empty());
    return;
  }
  torn_ = !foreign_ && !messages_.empty() && last_empty_ == 0;
  EndMessage();
}

void MboxSplitter::OnLine(Octets text, std::uint64_t length) {
  const std::uint64_t begin = at_;
  at_ += length;
  if (IsPostmark(text)) {
    at_ = begin;
    EndMessage();
    at_ = begin + length;
    open_ = messages_.size() < most_;
    cut_ |= !open_;
    if (open_) messages_.push_back({at_, 0});
    last_empty_ = 0;
    return;
  }
  last_empty_ = text.empty() || text == "\r" ? length : 0;
  if (messages_.empty() && last_empty_ == 0) foreign_ = true;
}

// At at_, where the next one begins or the file ends.
void MboxSplitter::EndMessage() {
  if (!std::exchange(open_, false)) return;
  MboxMessage& last = messages_.back();
  last.length = at_ - last.offset - std::min(last_empty_, at_ - last.offset);
}

void MboxUnquoter::Append(std::string& out, Octets octets) {
  while (!octets.empty()) {
    if (state_ == State::kInside) {
      const std::size_t end = std::min(octets.find('\n'), octets.size() - 1) + 1;
      out.append(octets.substr(0, end));
      if (octets[end - 1] == '\n') state_ = State::kLineStart;
      octets.remove_prefix(end);
    } else {
      Take(out, octets.front());
      octets.remove_prefix(1);
    }
  }
}

void MboxUnquoter::Take(std::string& out, char c) {
  if (state_ == State::kLineStart) {
    if (c == '>') {
      state_ = State::kMarks;  // held
    } else {
      out += c;
      state_ = c == '\n' ? State::kLineStart : State::kInside;
    }
    return;
  }
  if (c == '>' && matched_ == 0) {
    out += c;  // one is still held: they are all alike
  } else if (c == kFrom[matched_]) {
    if (++matched_ < kFrom.size()) return;
    out += kFrom;
    matched_ = 0;
    state_ = State::kInside;
  } else {
    Release(out);
    out += c;
    state_ = c == '\n' ? State::kLineStart : State::kInside;
  }
}

void MboxUnquoter::Release(std::string& out) {
  out += '>';
  out += kFrom.substr(0, std::exchange(matched_, 0));
}

void MboxUnquoter::Finish(std::string& out) {
  if (state_ == State::kMarks) Release(out);
  state_ = State::kLineStart;
}

}  // namespace glasspost::agent
