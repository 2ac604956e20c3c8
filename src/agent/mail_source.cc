#include "agent/mail_source.h"

#include <algorithm>

#include "base/ascii.h"

namespace glasspost::agent {
namespace {

Octets TakeDigits(Octets& text) {
  const std::size_t n = std::min(text.find_first_not_of("0123456789"), text.size());
  Octets digits = text.substr(0, n);
  text.remove_prefix(n);
  while (digits.size() > 1 && digits.front() == '0') digits.remove_prefix(1);
  return digits;
}

}  // namespace

bool ComesBefore(Octets a, Octets b) {
  const Octets whole_a = a, whole_b = b;
  while (!a.empty() && !b.empty()) {
    if (IsDigit(a.front()) && IsDigit(b.front())) {
      const Octets x = TakeDigits(a), y = TakeDigits(b);
      if (x.size() != y.size()) return x.size() < y.size();
      if (x != y) return x < y;
    } else {
      if (a.front() != b.front()) return static_cast<std::uint8_t>(a.front()) < static_cast<std::uint8_t>(b.front());
      a.remove_prefix(1);
      b.remove_prefix(1);
    }
  }
  if (a.empty() != b.empty()) return a.empty();
  return whole_a < whole_b;
}

std::optional<std::size_t> MailSource::Find(Octets word) const {
  const auto number = ParseNumber(word);
  if (number && *number > 0) {
    // Where no number is left out it is its place.
    if (*number <= count() && Entry(*number - 1).number == *number) return *number - 1;
    for (std::size_t i = 0; i < count(); ++i)
      if (Entry(i).number == *number) return i;
  }
  for (std::size_t i = 0; i < count(); ++i)
    if (const std::string id = Entry(i).id; !id.empty() && id == word) return i;
  return std::nullopt;
}

}  // namespace glasspost::agent
