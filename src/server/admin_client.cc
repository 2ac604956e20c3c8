#include "server/admin_client.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace glasspost::server {
namespace {

std::unexpected<Error> Lost() {
  return Fail(std::string("the connection to the server was lost: ") + (errno == 0 ? "it was closed" : std::strerror(errno)));
}

}  // namespace

AdminClient::~AdminClient() {
  if (socket_ >= 0) ::close(socket_);
}

Expected<std::optional<AdminClient>> AdminClient::Connect(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return Fail("the path is too long for a socket", path, "name the one of the server with --admin-socket");
  std::memcpy(address.sun_path, path.data(), path.size());
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return Fail(std::string("no socket can be made: ") + std::strerror(errno));
  AdminClient client(socket);
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return std::optional<AdminClient>(std::move(client));
  if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR) return std::nullopt;
  return Fail(std::string("the server cannot be reached: ") + std::strerror(errno), path);
}

Expected<void> AdminClient::Send(FrameType type, Octets content) {
  std::string out;
  AppendFrame(out, type, content);
  for (Octets rest = out; !rest.empty();) {
    errno = 0;
    const ssize_t sent = ::send(socket_, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return Lost();
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Expected<Frame> AdminClient::Receive() {
  Frame frame;
  for (;;) {
    const FrameReader::State state = reader_.Next(frame);
    if (state == FrameReader::State::kDone) return frame;
    if (state == FrameReader::State::kBroken)
      return Fail("the server does not speak as this program does", {}, "are both of one version?");
    char buffer[16384];
    errno = 0;
    const ssize_t got = ::recv(socket_, buffer, sizeof buffer, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return Lost();
    reader_.Feed({buffer, static_cast<std::size_t>(got)});
  }
}

Expected<json::object> AdminClient::Call(const json::object& request, const OnRow& on_row, const OnOctets& on_octets) {
  if (auto sent = Send(FrameType::kJson, json::serialize(request)); !sent) return std::unexpected(sent.error());
  for (;;) {
    const auto frame = Receive();
    if (!frame) return std::unexpected(frame.error());
    if (frame->type == FrameType::kOctets) {
      if (on_octets && !on_octets(frame->content)) return json::object{{"ok", true}};
      continue;
    }
    auto answer = ParseObject(frame->content);
    if (frame->type != FrameType::kJson || !answer) return Fail("the server's answer is no JSON object");
    const json::value* const rows = answer->if_contains("rows");
    if (rows == nullptr || !rows->is_array()) return *std::move(answer);
    for (const json::value& row : rows->get_array())
      if (row.is_object() && on_row && !on_row(row.get_object())) return json::object{{"ok", true}};
  }
}

Expected<std::optional<json::object>> AdminClient::Submit(const json::object& request) {
  auto answer = Call(request);
  if (!answer) return std::unexpected(answer.error());
  if (FlagIn(*answer, "go")) return std::nullopt;
  return *std::move(answer);
}

Expected<void> AdminClient::SendOctets(Octets octets) {
  while (!octets.empty()) {
    const Octets piece = octets.substr(0, FrameLimits::kOctets);
    octets.remove_prefix(piece.size());
    if (auto sent = Send(FrameType::kOctets, piece); !sent) return sent;
  }
  return {};
}

Expected<json::object> AdminClient::EndSubmit() {
  if (auto sent = Send(FrameType::kEnd, {}); !sent) return std::unexpected(sent.error());
  const auto frame = Receive();
  if (!frame) return std::unexpected(frame.error());
  auto answer = ParseObject(frame->content);
  if (frame->type != FrameType::kJson || !answer) return Fail("the server's answer is no JSON object");
  return *std::move(answer);
}

}  // namespace glasspost::server
