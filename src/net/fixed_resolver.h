// A resolver that knows just what it was told; for tests. What is not in its table does not exist (NXDOMAIN); a name with
// other types only has no data. CNAMEs are followed within the table.
#pragma once

#include <string>
#include <vector>

#include "net/resolver.h"

namespace glasspost::net {

class FixedResolver final : public Resolver {
 public:
  // `data` in zone-file form with absolute names: "10 mail.example.test.", "192.0.2.1". False: name or data are not of that form.
  bool Add(std::string_view name, std::uint16_t type, std::string_view data, std::uint32_t ttl = 300);
  // Questions for this name fail as if no server answered.
  void AddFailure(std::string_view name);
  void SetSecurity(DnsAnswer::Security security) { security_ = security; }

  Task<DnsAnswer> Query(std::string name, std::uint16_t type) override;
  // The same at once.
  DnsAnswer Answer(std::string_view name, std::uint16_t type) const;
  std::size_t queries() const { return queries_; }

 private:
  struct Row {
    std::string name;  // octets of the name
    std::uint16_t type;
    std::string data;
    std::uint32_t ttl;
  };
  std::vector<Row> rows_;
  std::vector<std::string> failures_;
  DnsAnswer::Security security_ = DnsAnswer::Security::kInsecure;
  std::size_t queries_ = 0;
};

}  // namespace glasspost::net
