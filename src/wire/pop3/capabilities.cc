#include "wire/pop3/capabilities.h"

#include "base/ascii.h"

namespace glasspost::pop3 {
namespace {

constexpr std::size_t kMostMechanisms = 64;  // stops a list without end

Octets TakeWord(Octets& text) {
  text = Trim(text);
  const Octets word = text.substr(0, text.find_first_of(" \t"));
  text = Trim(text.substr(word.size()));
  return word;
}

}  // namespace

void Capabilities::Learn(Octets line) {
  static constexpr struct {
    std::string_view name;
    bool Capabilities::*flag;
  } kFlags[] = {
      {"TOP", &Capabilities::top},
      {"USER", &Capabilities::user},
      {"UIDL", &Capabilities::uidl},
      {"STLS", &Capabilities::stls},
      {"PIPELINING", &Capabilities::pipelining},
      {"RESP-CODES", &Capabilities::resp_codes},
      {"AUTH-RESP-CODE", &Capabilities::auth_resp_code},
      {"UTF8", &Capabilities::utf8},
      {"LANG", &Capabilities::lang},
  };
  const Octets name = TakeWord(line);
  for (const auto& f : kFlags)
    if (EqualsNoCase(name, f.name)) this->*f.flag = true;
  if (EqualsNoCase(name, "UTF8")) utf8_user = EqualsNoCase(line, "USER");
  if (EqualsNoCase(name, "EXPIRE")) expire.assign(line);
  if (EqualsNoCase(name, "IMPLEMENTATION")) implementation.assign(line);
  if (!EqualsNoCase(name, "SASL")) return;
  while (!line.empty() && mechanisms.size() < kMostMechanisms) mechanisms.push_back(UpperCase(TakeWord(line)));
}

}  // namespace glasspost::pop3
