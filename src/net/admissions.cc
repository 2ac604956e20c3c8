#include "net/admissions.h"

#include <algorithm>
#include <utility>

namespace glasspost::net {

Admissions::Place& Admissions::Place::operator=(Place&& other) noexcept {
  GiveBack();
  from_ = std::move(other.from_);
  key_ = other.key_;
  return *this;
}

void Admissions::Place::GiveBack() {
  const std::shared_ptr<Admissions> from = std::exchange(from_, nullptr);
  if (!from) return;
  const std::lock_guard lock(from->mutex_);
  --from->count_;
  const auto entry = from->by_address_.find(key_);
  if (--entry->second == 0) from->by_address_.erase(entry);
}

std::shared_ptr<Admissions> Admissions::Make(const AdmissionLimits& limits) {
  return std::shared_ptr<Admissions>(new Admissions(limits));
}

Admissions::Place Admissions::Admit(const Address& address) {
  std::array<std::uint8_t, 16> key = address.octets;
  if (!address.is_v4()) std::fill(key.begin() + 8, key.end(), std::uint8_t{0});
  Place place;
  const std::lock_guard lock(mutex_);
  if (count_ >= limits_.all || limits_.per_address == 0) return place;
  std::size_t& here = by_address_[key];
  if (here >= limits_.per_address) return place;
  ++here;
  ++count_;
  place.from_ = shared_from_this();
  place.key_ = key;
  return place;
}

std::size_t Admissions::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

}  // namespace glasspost::net
