// Any octets sent to a server with zones that have all there is: wildcards, aliases, delegations, long sets. An answer is sound,
// has the query's id and question, and is never longer than the transport has room for.
#include <string>

#include "support/require.h"
#include "wire/dns/authority.h"
#include "wire/dns/message.h"

namespace {

using namespace glasspost;
using namespace glasspost::dns;
using glasspost::test::Require;

Authority Served() {
  Authority authority;
  for (const std::string_view text :
       {"$TTL 60\n. SOA a.root. h.root. 1 2 3 4 30\n. NS a.root.\na.root. A 127.0.0.1\ntest. NS ns.test.\nns.test. A 127.0.0.2\n",
        "$ORIGIN e.test.\n$TTL 60\n@ SOA ns h 1 2 3 4 30\n@ NS ns\nns A 192.0.2.1\n@ MX 10 m\n@ SRV 1 2 3 m\nm A 192.0.2.2\n"
        "m AAAA 2001:db8::2\na CNAME b\nb CNAME a\nc CNAME x.s\n*.w TXT w\nx.y.d A 192.0.2.3\ns NS ns.s\ns DS 1 8 2 00\n"
        "ns.s A 192.0.2.4\n"}) {
    std::vector<ZoneMistake> mistakes;
    std::string whole(text);
    if (whole.starts_with("$ORIGIN"))
      for (int i = 0; i < 60; ++i) whole += "big TXT \"" + std::string(200, 'x') + std::to_string(i) + "\"\n";
    Zone zone = ReadZone(whole, mistakes);
    Require(mistakes.empty());
    Require(authority.Add(std::move(zone)).has_value());
  }
  return authority;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Authority authority = Served();
  static AuthorityWorkspace work;
  const Octets wire(reinterpret_cast<const char*>(data), size);
  std::string out;
  Message query, answer;
  Decode(wire, query);
  for (const Transport transport : {Transport::kUdp, Transport::kTcp}) {
    if (!authority.Answer(wire, transport, work, out)) {
      Require(size < kHeaderSize || query.response());
      continue;
    }
    Require(size >= kHeaderSize && !query.response());
    Decode(out, answer);
    Require(!answer.malformed() && answer.response() && answer.id == query.id);
    Require(transport == Transport::kTcp || out.size() <= AuthorityLimits::kUdpOctets);
    if (answer.questions.empty()) continue;
    Require(!query.malformed() && query.questions.size() == 1);
    Require(answer.NameOctets(answer.questions.front().name) == query.NameOctets(query.questions.front().name));
  }
  return 0;
}
