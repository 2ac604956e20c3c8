// Boost.JSON as it is used here: nothing throws, and what is no UTF-8 does not get in.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/octets.h"
#include "base/origin.h"

namespace glasspost::server {

namespace json = boost::json;

// An object, and nothing after it; nothing for anything else, or for what is nested deeper than any request here.
std::optional<json::object> ParseObject(Octets text);
// An octet that is no UTF-8 becomes U+FFFD.
json::string JsonText(Octets text);
// RFC 3339 to the second; null where there is none (kNoTime, 0).
json::value JsonTime(Timestamp time);

// What an object has under a name; what is missing, or of another kind, is empty, 0, false.
std::string TextIn(const json::object& object, std::string_view name);
std::uint64_t NumberIn(const json::object& object, std::string_view name, std::uint64_t otherwise = 0);
bool FlagIn(const json::object& object, std::string_view name);
std::vector<std::string> TextsIn(const json::object& object, std::string_view name);

}  // namespace glasspost::server
