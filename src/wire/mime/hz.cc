#include "wire/mime/hz.h"

namespace glasspost::mime {
namespace {

constexpr char kNoMeaning = '\xff';
constexpr char kHighBit = '\x80';

bool IsAscii(char c) { return (c & kHighBit) == 0; }
bool IsGbOctet(char c) { return c >= 0x21 && c <= 0x7e; }

}  // namespace

std::string GbOfHz(Octets text) {
  std::string out;
  out.reserve(text.size());
  bool gb = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    const char after = i + 2 < text.size() ? text[i + 2] : '\0';
    if (gb && c == '~' && next == '}') {
      gb = false, ++i;
    } else if (gb && IsGbOctet(c) && IsGbOctet(next)) {
      out.push_back(static_cast<char>(c | kHighBit));
      out.push_back(static_cast<char>(next | kHighBit));
      ++i;
    } else if (gb && IsGbOctet(c)) {
      out.push_back(kNoMeaning);
    } else if (gb) {
      gb = c != '\n';  // RFC 1843 §2: a line ends in ASCII; one that forgot to does so all the same
      out.push_back(IsAscii(c) ? c : kNoMeaning);
    } else if (c != '~') {
      out.push_back(IsAscii(c) ? c : kNoMeaning);
    } else if (next == '{') {
      gb = true, ++i;
    } else if (next == '~') {
      out.push_back('~'), ++i;
    } else if (next == '\n') {
      ++i;  // the line goes on in the next one
    } else if (next == '\r' && after == '\n') {
      i += 2;
    } else {
      out.push_back(kNoMeaning);
    }
  }
  return out;
}

}  // namespace glasspost::mime
