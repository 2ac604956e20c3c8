// Is this the password that these verifiers were made of? A good hash is slow on purpose, and is computed by a bounded pool.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "base/octets.h"

namespace glasspost::server {

class PasswordChecker {
 public:
  enum class Outcome : std::uint8_t {
    kRight,
    kWrong,
    kBusy,  // too many wait already: not looked at
  };
  using Done = std::move_only_function<void(Outcome)>;
  virtual ~PasswordChecker() = default;
  // `verifiers` of the account `user` in Dovecot's notation; one that fits is enough. None at all (there is no such account)
  // takes as long as those of an account that was made here, and is wrong. From any thread. Answers at once where that is cheap,
  // and never calls `done` then; else `done` is called once, later, on any thread.
  virtual std::optional<Outcome> Check(Octets user, std::span<const std::string> verifiers, std::string password, Done done) = 0;
};

}  // namespace glasspost::server
