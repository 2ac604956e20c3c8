#include "server/json.h"

#include <boost/json/src.hpp>  // the library itself, compiled here once

#include "base/escape.h"
#include "base/time_text.h"

namespace glasspost::server {
namespace {

constexpr std::size_t kDepth = 8;
constexpr Octets kReplacement = "\xef\xbf\xbd";
constexpr Timestamp kSecond = 1'000'000'000;

}  // namespace

std::optional<json::object> ParseObject(Octets text) {
  json::parse_options options;
  options.max_depth = kDepth;
  boost::system::error_code error;
  json::value value = json::parse({text.data(), text.size()}, error, {}, options);
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value.get_object());
}

json::string JsonText(Octets text) {
  json::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    char32_t c = 0;
    const std::size_t n = Utf8Length(text, c);
    const Octets piece = n == 0 ? kReplacement : text.substr(0, n);
    out.append(boost::json::string_view(piece.data(), piece.size()));
    text.remove_prefix(n == 0 ? 1 : n);
  }
  return out;
}

json::value JsonTime(Timestamp time) {
  if (time == kNoTime || time == 0) return nullptr;
  std::string text;
  AppendRfc3339Seconds(text, time / kSecond);
  return json::value(text);
}

std::string TextIn(const json::object& object, std::string_view name) {
  const json::value* const value = object.if_contains({name.data(), name.size()});
  if (value == nullptr || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

std::uint64_t NumberIn(const json::object& object, std::string_view name, std::uint64_t otherwise) {
  const json::value* const value = object.if_contains({name.data(), name.size()});
  if (value == nullptr) return otherwise;
  if (value->is_uint64()) return value->get_uint64();
  if (value->is_int64() && value->get_int64() >= 0) return static_cast<std::uint64_t>(value->get_int64());
  return otherwise;
}

bool FlagIn(const json::object& object, std::string_view name) {
  const json::value* const value = object.if_contains({name.data(), name.size()});
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::vector<std::string> TextsIn(const json::object& object, std::string_view name) {
  std::vector<std::string> texts;
  const json::value* const value = object.if_contains({name.data(), name.size()});
  if (value == nullptr || !value->is_array()) return texts;
  for (const json::value& item : value->get_array())
    if (item.is_string()) texts.emplace_back(item.get_string().data(), item.get_string().size());
  return texts;
}

}  // namespace glasspost::server
