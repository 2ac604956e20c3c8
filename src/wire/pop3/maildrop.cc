#include "wire/pop3/maildrop.h"

#include <algorithm>

#include "base/ascii.h"
#include "wire/pop3/grammar.h"

namespace glasspost::pop3 {
namespace {

std::string Of(std::uint64_t count, std::uint64_t octets) {
  return std::to_string(count) + (count == 1 ? " message, " : " messages, ") + std::to_string(octets) + " octets";
}

}  // namespace

void Maildrop::Clear() {
  entries_.clear();
  stat_known_ = list_known_ = false;
}

std::string Maildrop::OnStat(Octets text) {
  const auto line = ParseListing(text);
  const auto octets = line ? ParseNumber(line->rest) : std::nullopt;
  if (!octets) return {};
  stat_known_ = true;
  stat_count_ = line->number, stat_octets_ = *octets;
  return Compare();
}

std::string Maildrop::OnList(Octets lines) {
  list_known_ = true;
  list_count_ = list_octets_ = 0;
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    const auto line = ParseListing(lines.substr(0, end));
    lines = end == Octets::npos ? Octets{} : lines.substr(end + 1);
    const auto octets = line ? ParseNumber(line->rest) : std::nullopt;
    if (!octets || __builtin_add_overflow(list_octets_, *octets, &list_octets_)) {
      list_known_ = false;
      continue;
    }
    ++list_count_;
    Remember(line->number, *octets);
  }
  return Compare();
}

void Maildrop::OnListOne(Octets text) {
  const auto line = ParseListing(text);
  const auto octets = line ? ParseNumber(line->rest) : std::nullopt;
  if (octets) Remember(line->number, *octets);
}

void Maildrop::Remember(std::uint64_t number, std::uint64_t octets) {
  const auto at =
      std::lower_bound(entries_.begin(), entries_.end(), number, [](const Entry& e, std::uint64_t n) { return e.number < n; });
  if (at != entries_.end() && at->number == number)
    at->octets = octets;
  else if (at == entries_.end() && entries_.size() < limit_)  // listings ascend; what does not is not worth a search
    entries_.push_back({number, octets});
}

std::optional<std::uint64_t> Maildrop::SizeOf(std::uint64_t number) const {
  const auto at =
      std::lower_bound(entries_.begin(), entries_.end(), number, [](const Entry& e, std::uint64_t n) { return e.number < n; });
  if (at == entries_.end() || at->number != number) return {};
  return at->octets;
}

std::string Maildrop::Compare() const {
  if (!stat_known_ || !list_known_ || (stat_count_ == list_count_ && stat_octets_ == list_octets_)) return {};
  return "STAT " + Of(stat_count_, stat_octets_) + "; LIST " + Of(list_count_, list_octets_);
}

std::string Maildrop::OnMessage(std::uint64_t number, std::uint64_t octets, std::uint64_t stuffed,
                                std::optional<std::uint64_t> printed) const {
  std::string what;
  const auto say = [&](std::string_view who, std::optional<std::uint64_t> size) {
    if (!size || *size == octets) return;
    if (!what.empty()) what += "; ";
    what.append(who).append(" ").append(std::to_string(*size)).append(" octets");
    if (*size == stuffed) what += " (with the doubled dots)";
  };
  say("LIST", SizeOf(number));
  say("RETR", printed);
  if (!what.empty()) what += "; sent " + std::to_string(octets);
  return what;
}

}  // namespace glasspost::pop3
