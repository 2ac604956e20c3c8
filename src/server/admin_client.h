// The other end of the administration socket, for commands: blocking, one request after the other.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "base/error.h"
#include "server/admin_frames.h"
#include "server/json.h"

namespace glasspost::server {

class AdminClient {
 public:
  // What comes before the answer. False: enough (the connection is of no use after that).
  using OnRow = std::function<bool(const json::object& row)>;
  using OnOctets = std::function<bool(Octets octets)>;

  // Owns the connected socket.
  explicit AdminClient(int socket) : socket_(socket) {}
  ~AdminClient();
  AdminClient(AdminClient&& other) noexcept : socket_(std::exchange(other.socket_, -1)), reader_(std::move(other.reader_)) {}
  AdminClient& operator=(AdminClient&&) = delete;

  // Nothing: nobody listens there (no file, or a dead server's). An error: something else is wrong.
  static Expected<std::optional<AdminClient>> Connect(const std::string& path);

  // The answer that ends it, which may be a refusal ("ok" is false). An error: the connection is lost.
  Expected<json::object> Call(const json::object& request, const OnRow& on_row = {}, const OnOctets& on_octets = {});

  // A message: Submit gives nothing if its octets may come now, or the refusal.
  Expected<std::optional<json::object>> Submit(const json::object& request);
  Expected<void> SendOctets(Octets octets);
  Expected<json::object> EndSubmit();

 private:
  Expected<void> Send(FrameType type, Octets content);
  Expected<Frame> Receive();

  int socket_;
  FrameReader reader_{FrameLimits::kAnswer};
};

}  // namespace glasspost::server
