// What a POP3 server offers, as CAPA tells it (RFC 2449 §5, §6; RFC 2595 §4, RFC 5034 §3, RFC 6856 §2, §3).
#pragma once

#include <string>
#include <vector>

#include "base/octets.h"

namespace glasspost::pop3 {

struct Capabilities {
  bool known = false;  // CAPA was answered with a list
  bool top = false;
  bool user = false;
  bool uidl = false;
  bool stls = false;
  bool pipelining = false;
  bool resp_codes = false;
  bool auth_resp_code = false;
  bool utf8 = false;
  bool utf8_user = false;
  bool lang = false;
  std::vector<std::string> mechanisms;
  std::string expire;
  std::string implementation;

  // One line of the list.
  void Learn(Octets line);
};

}  // namespace glasspost::pop3
