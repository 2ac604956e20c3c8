// The administration socket: a Unix socket in the data folder, on which the server's other commands and local programs talk to it
// in frames (server/admin_frames.h). Everyone on the machine may connect (the socket is 0666, and the folder lets one pass);
// who it is the kernel says (SO_PEERCRED): the server's own user and root may all, others may only submit mail.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "net/asio.h"
#include "server/admin.h"

namespace glasspost::server {

struct AdminSocketLimits {
  std::size_t clients = 256;                               // at a time
  std::size_t other_clients = 128;                         // of them, of other users: stops these from shutting the owner out
  std::size_t clients_of_user = 32;                        // of one of these users
  std::chrono::seconds idle = std::chrono::minutes(10);    // for the next request
  std::chrono::seconds stalled = std::chrono::minutes(5);  // for more of a message; until the client takes more of an answer
};

class AdminSocket {
 public:
  // Bound and listening; nothing is taken before Start. The caller has the data folder's lock, so a socket file that nobody
  // listens on is a dead server's, and is replaced; it is an error if somebody does. The folder is left as it is
  // (server/data_folder.h).
  // `context` and `io` outlive it; all on the thread of `io`.
  static Expected<std::unique_ptr<AdminSocket>> Open(const std::string& path, net::asio::io_context& io, AdminContext& context,
                                                     const AdminSocketLimits& limits = {});
  ~AdminSocket();
  AdminSocket(const AdminSocket&) = delete;
  AdminSocket& operator=(const AdminSocket&) = delete;

  void Start();
  // Takes no more, ends what runs, takes the file away.
  void Stop();
  const std::string& path() const { return path_; }

 private:
  struct State;
  AdminSocket(std::shared_ptr<State> state, std::string path);

  std::shared_ptr<State> state_;  // shared with the accepting coroutine, which may end later
  std::string path_;
};

// Serves one client on a connected socket, which it owns: for a command that opened the store itself, and talks to itself.
// Ends with the connection.
net::Task<void> ServeAdmin(net::asio::io_context& io, int socket, AdminContext& context);

}  // namespace glasspost::server
