#include "cli/dns_habits.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/ascii.h"
#include "base/escape.h"
#include "cli/dns_asker.h"

namespace glasspost::cli {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 13> kPlus{{
    {"+short", "--short"},
    {"+trace", "--trace"},
    {"+tcp", "--tcp"},
    {"+vc", "--tcp"},
    {"+ignore", "--no-tcp"},
    {"+norecurse", "--no-recurse"},
    {"+norec", "--no-recurse"},
    {"+noedns", "--no-edns"},
    {"+dnssec", "--dnssec"},
    {"+do", "--dnssec"},
    {"+time", "--timeout"},
    {"+tries", "--tries"},
    {"+timeout", "--timeout"},
}};

bool TakesValue(std::string_view option) { return option == "--timeout" || option == "--tries"; }

bool IsAddress(const std::string& text) {
  bool reverse = false;
  return DnsNameOf(text, reverse) && reverse;
}

Expected<void> AppendPlus(std::vector<std::string>& out, std::string_view word) {
  const std::size_t equals = word.find('=');
  const auto* const at = std::ranges::find(kPlus, word.substr(0, equals), &std::pair<std::string_view, std::string_view>::first);
  if (at == kPlus.end() || TakesValue(at->second) != (equals != std::string_view::npos)) {
    return Fail(
        "what is " + ForTerminal(word) + "?", {},
        "of dig's words +short, +trace, +tcp, +ignore, +norecurse, +noedns, +dnssec, +time=SECONDS and +tries=N are known");
  }
  out.emplace_back(at->second);
  if (equals != std::string_view::npos) out.emplace_back(word.substr(equals + 1));
  return {};
}

// The port behind the server's address, where there is none yet.
Expected<void> PutPort(std::vector<std::string>& words, const std::string& port) {
  const auto server = std::ranges::find_if(words, [](const std::string& word) { return word.starts_with('@'); });
  if (!ParsePort(port)) return Fail("-p takes a port, 1 to 65535, not " + ForTerminal(port));
  if (server == words.end()) return Fail("-p needs a server to go with: @SERVER");
  const bool six = std::ranges::count(*server, ':') > 1 && !server->starts_with("@[");
  *server = six ? "@[" + server->substr(1) + "]:" + port : *server + ":" + port;
  return {};
}

}  // namespace

Expected<std::vector<std::string>> FromDig(const std::vector<std::string>& words) {
  std::vector<std::string> out;
  std::string port;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const bool has_value = i + 1 < words.size();
    if (word.starts_with('+')) {
      if (auto done = AppendPlus(out, word); !done) return std::unexpected(done.error());
    } else if (word == "-x" && (!has_value || !IsAddress(words[i + 1]))) {
      return Fail("-x takes an address, of which the name is asked for");
    } else if (word == "-p" && has_value) {
      port = words[++i];
    } else if ((word == "-x" || word == "-t") && has_value) {
      out.push_back(words[++i]);
    } else {
      out.push_back(word);
    }
  }
  if (!port.empty()) {
    if (auto done = PutPort(out, port); !done) return std::unexpected(done.error());
  }
  return out;
}

}  // namespace glasspost::cli
