#include "store/journey.h"

namespace glasspost::store {
namespace {

constexpr std::string_view kDigits = "0123456789BCDFGHJKLMNPQRSTVWXYZ";  // no vowels: no words
constexpr std::size_t kIdLength = 11;                                    // 31^11 microseconds are 800 years

}  // namespace

std::string QueueIdText(MessageId id) {
  std::string text(kIdLength, '0');
  auto rest = static_cast<std::uint64_t>(id);
  for (std::size_t at = kIdLength; at-- > 0; rest /= kDigits.size()) text[at] = kDigits[rest % kDigits.size()];
  return text;
}

MessageId ParseQueueId(std::string_view text) {
  if (text.size() != kIdLength) return 0;
  MessageId id = 0;
  for (const char c : text) {
    const std::size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) return 0;
    id = id * static_cast<MessageId>(kDigits.size()) + static_cast<MessageId>(digit);
  }
  return id;
}

}  // namespace glasspost::store
