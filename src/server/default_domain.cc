#include "server/default_domain.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/ascii.h"

namespace glasspost::server {
namespace {

struct Search : std::enable_shared_from_this<Search> {
  Search(std::string host, store::Directory& d, std::move_only_function<void(std::string)> f)
      : name(host), own(std::move(host)), directory(d), done(std::move(f)) {}

  // The host's name, then what is behind its first label, and so on.
  void Next() {
    if (name.empty()) return Others();
    directory.Resolve({"postmaster", name}, [self = shared_from_this()](store::Result<store::Resolution> found) {
      if (found && found->kind != store::Resolution::Kind::kElsewhere) return self->done(std::move(self->name));
      const std::size_t dot = self->name.find('.');
      self->name = dot == std::string::npos ? std::string() : self->name.substr(dot + 1);
      self->Next();
    });
  }

  void Others() {
    directory.ListDomains({}, [self = shared_from_this()](store::Result<std::vector<std::string>> domains) {
      if (!domains || domains->empty()) return self->done(std::move(self->own));
      const auto real = std::ranges::find_if(*domains, [](const std::string& d) { return d != kFirstDomain; });
      self->done(real != domains->end() ? std::move(*real) : domains->front());
    });
  }

  std::string name;
  std::string own;
  store::Directory& directory;
  std::move_only_function<void(std::string)> done;
};

}  // namespace

void FindDefaultDomain(const Config& config, store::Directory& directory, std::move_only_function<void(std::string)> done) {
  if (!config.server.domain.empty()) return done(config.server.domain);
  std::string host = OwnHostName(config);
  for (char& c : host) c = ToLower(c);
  std::make_shared<Search>(std::move(host), directory, std::move(done))->Next();
}

}  // namespace glasspost::server
