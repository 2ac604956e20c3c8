// An error as a person needs it: what is wrong, where, and what to do. Returned, never thrown.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

namespace glasspost {

struct Error {
  std::string what;    // "the file ends inside a packet"
  std::string where;   // "mail.pcap, octet 4711"; may be empty
  std::string remedy;  // "copy the file again"; may be empty

  std::string Text() const {
    std::string t = where.empty() ? what : where + ": " + what;
    return remedy.empty() ? t : t + " (" + remedy + ")";
  }
};

template <class T>
using Expected = std::expected<T, Error>;

inline std::unexpected<Error> Fail(std::string what, std::string where = {}, std::string remedy = {}) {
  return std::unexpected(Error{std::move(what), std::move(where), std::move(remedy)});
}

}  // namespace glasspost
