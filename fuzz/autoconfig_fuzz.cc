// A domain's document for mail programs, from anybody: reading never crashes, what comes out of it keeps to its bounds and to
// what can be connected to, and the same document gives the same servers.
#include <cstdint>

#include "agent/autoconfig.h"
#include "base/escape.h"
#include "support/require.h"

namespace {

using glasspost::test::Require;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace glasspost;
  using namespace glasspost::agent;
  const AddressParts address{"some.body", "example.test"};
  const Octets input = AsOctets({data, size});
  const auto read = ReadAutoconfig(input, address);
  if (!read) {
    Require(!read.error().what.empty() && IsUtf8(read.error().Text()) && !read.error().Text().contains('\n'));
    return 0;
  }
  Require(read->size() <= AutoconfigLimits::kServers && input.size() <= AutoconfigLimits::kOctets);
  for (const OfferedServer& offer : *read) {
    Require(offer.server.port != 0 && !offer.server.host.empty());
    const auto again = ParseServer(offer.service, offer.server.HostAndPort(), offer.server.tls);
    Require(again && *again == offer.server);
    Require(IsUtf8(offer.user) && offer.user.find_first_of("\r\n") == std::string::npos);
  }
  const auto same = ReadAutoconfig(input, address);
  Require(same && *same == *read);
  return 0;
}
