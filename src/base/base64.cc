#include "base/base64.h"

#include <array>

namespace glasspost {
namespace {

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> MakeValues() {
  std::array<std::int8_t, 256> v{};
  v.fill(-1);
  for (int i = 0; i < 64; ++i) v[static_cast<std::uint8_t>(kAlphabet[i])] = static_cast<std::int8_t>(i);
  return v;
}
constexpr auto kValues = MakeValues();

}  // namespace

std::optional<std::string> DecodeBase64(Octets text) {
  if (text.size() % 4 != 0) return {};
  std::size_t padding = 0;
  while (padding < 2 && !text.empty() && text.back() == '=') text.remove_suffix(1), ++padding;
  std::string out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int v = kValues[static_cast<std::uint8_t>(c)];
    if (v < 0) return {};
    bits = bits << 6 | static_cast<std::uint32_t>(v);
    if (++count == 4) {
      out.push_back(static_cast<char>(bits >> 16));
      out.push_back(static_cast<char>(bits >> 8));
      out.push_back(static_cast<char>(bits));
      bits = 0, count = 0;
    }
  }
  if (count == 1 || (count == 2 && padding != 2) || (count == 3 && padding != 1) || (count == 0 && padding != 0)) return {};
  if (count == 2) out.push_back(static_cast<char>(bits >> 4));
  if (count == 3) out.push_back(static_cast<char>(bits >> 10)), out.push_back(static_cast<char>(bits >> 2));
  return out;
}

std::string EncodeBase64(Octets octets) {
  std::string out;
  out.reserve((octets.size() + 2) / 3 * 4);
  const auto at = [&](std::size_t i) -> std::uint32_t { return i < octets.size() ? static_cast<std::uint8_t>(octets[i]) : 0; };
  for (std::size_t i = 0; i < octets.size(); i += 3) {
    const std::uint32_t bits = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
    out.push_back(kAlphabet[bits >> 18]);
    out.push_back(kAlphabet[bits >> 12 & 63]);
    out.push_back(i + 1 < octets.size() ? kAlphabet[bits >> 6 & 63] : '=');
    out.push_back(i + 2 < octets.size() ? kAlphabet[bits & 63] : '=');
  }
  return out;
}

}  // namespace glasspost
