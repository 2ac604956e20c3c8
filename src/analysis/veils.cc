#include "analysis/veils.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"

namespace glasspost::analysis {
namespace {

// RFC 8446 §5.1: content type 20 to 24, version 3.x.
bool IsTlsRecord(Octets payload) { return payload.size() > 2 && payload[0] >= 20 && payload[0] <= 24 && payload[1] == 3; }

void HidePlaces(const Secrets& secrets, Octets payload, std::string& hidden) {
  for (const auto& [at, length] : secrets.Places(payload)) hidden.replace(at, length, length, '*');
}

}  // namespace

void Veils::Add(std::uint64_t frame, Veil veil) {
  const std::scoped_lock lock(mutex_);
  if (veil.secrets != nullptr && (all_.empty() || all_.back() != veil.secrets)) all_.push_back(veil.secrets);
  veils_[frame] = std::move(veil);
}

std::string Veils::Hidden(std::uint64_t frame, Octets payload) const {
  std::string hidden(payload.size(), ' ');
  const auto at = veils_.find(frame);
  if (at == veils_.end()) {
    for (const auto& secrets : all_) HidePlaces(*secrets, payload, hidden);
    return hidden;
  }
  const Veil& veil = at->second;
  if (veil.whole && !IsTlsRecord(payload)) {
    std::size_t same = 0;
    while (same < std::min(payload.size(), veil.told.size()) && ToUpper(payload[same]) == ToUpper(veil.told[same])) ++same;
    hidden.replace(same, Octets::npos, payload.size() - same, '*');
  }
  if (veil.secrets != nullptr) HidePlaces(*veil.secrets, payload, hidden);
  return hidden;
}

}  // namespace glasspost::analysis
