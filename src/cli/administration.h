// The way of a command to the store: by the socket of the running server, or where none runs by opening the store itself, under
// the same exclusive lock. What is asked, and who carries it out, is the same.
#pragma once

#include <memory>

#include "server/admin_client.h"
#include "server/config.h"

namespace glasspost::cli {

class Administration {
 public:
  // `may_create`: a data folder that is not there is made. The error says what to do.
  static Expected<Administration> Open(const server::Config& config, bool may_create = false);
  // Only the server's.
  static Expected<Administration> OpenSocket(const std::string& path);
  ~Administration();
  Administration(Administration&&) noexcept;
  Administration& operator=(Administration&&) = delete;

  server::AdminClient& client() { return *client_; }
  server::AdminClient* operator->() { return client_.get(); }
  bool running() const { return !own_; }  // there is a server

 private:
  struct OwnStore;
  Administration();
  static Expected<std::unique_ptr<OwnStore>> OpenStore(const server::Config& config, int& socket);

  std::unique_ptr<OwnStore> own_;  // ends after the client has
  std::unique_ptr<server::AdminClient> client_;
};

}  // namespace glasspost::cli
