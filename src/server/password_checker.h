// Is this the password that these verifiers were made of? Asked of a bounded pool, since a good hash is slow on purpose.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace glasspost::server {

class PasswordChecker {
 public:
  enum class Outcome : std::uint8_t {
    kRight,
    kWrong,
    kBusy,  // too many wait already: not looked at
  };
  virtual ~PasswordChecker() = default;
  // `verifiers` in Dovecot's notation; one that fits is enough. None at all (there is no such account) takes as long as those of
  // an account that was made here, and is wrong. From any thread; `done` is called once, on any thread, never inside the call.
  virtual void Check(std::vector<std::string> verifiers, std::string password, std::move_only_function<void(Outcome)> done) = 0;
};

}  // namespace glasspost::server
