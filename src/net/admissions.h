// How many connections there may be, in all and from one address: one count for all listeners and threads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "base/address.h"

namespace glasspost::net {

struct AdmissionLimits {
  std::size_t all = 12'000;        // stops the process from running out of descriptors
  std::size_t per_address = 1000;  // stops one client from taking all; of IPv6, a /64 is one
};

class Admissions : public std::enable_shared_from_this<Admissions> {
 public:
  // A connection's place; given back when it is destroyed.
  class Place {
   public:
    Place() = default;
    Place(Place&& other) noexcept : from_(std::move(other.from_)), key_(other.key_) {}
    Place& operator=(Place&& other) noexcept;
    ~Place() { GiveBack(); }
    explicit operator bool() const { return from_ != nullptr; }
    void GiveBack();

   private:
    friend class Admissions;
    std::shared_ptr<Admissions> from_;
    std::array<std::uint8_t, 16> key_{};
  };

  static std::shared_ptr<Admissions> Make(const AdmissionLimits& limits);
  // False: there is none left for this address. Any thread.
  Place Admit(const Address& address);
  std::size_t count() const;

 private:
  explicit Admissions(const AdmissionLimits& limits) : limits_(limits) {}

  const AdmissionLimits limits_;
  mutable std::mutex mutex_;
  std::size_t count_ = 0;
  std::map<std::array<std::uint8_t, 16>, std::size_t> by_address_;
};

}  // namespace glasspost::net
