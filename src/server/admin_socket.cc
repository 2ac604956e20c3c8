#include "server/admin_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <cerrno>
#include <cstring>
#include <map>
#include <set>
#include <utility>

#include "server/admin_frames.h"

namespace glasspost::server {
namespace {

namespace asio = net::asio;
using net::kAwait;
using Local = asio::local::stream_protocol;
using LocalSocket = asio::basic_stream_socket<Local, net::Executor>;
using LocalAcceptor = asio::basic_socket_acceptor<Local, net::Executor>;

constexpr std::size_t kReadOctets = std::size_t{32} << 10;

// One client's connection: requests one after the other.
class Session final : public AdminPeer, public std::enable_shared_from_this<Session> {
 public:
  Session(asio::io_context& io, LocalSocket socket, AdminContext& context, const AdminSocketLimits& limits, uid_t uid)
      : context_(context), limits_(limits), socket_(std::move(socket)), deadline_(io), waiter_(io), uid_(uid) {}

  net::Task<void> Run() {
    const auto self = shared_from_this();
    for (;;) {
      const bool asked = co_await ReadFrame(limits_.idle);
      if (!asked) break;
      if (frame_.type != FrameType::kJson) break;
      auto request = ParseObject(frame_.content);
      json::object answer;
      if (request) {
        answer = co_await AnswerAdmin(context_, *request, *this);
        request.reset();
      } else {
        answer = {{"ok", false}, {"fault", "invalid"}, {"error", "is no JSON object"}};
      }
      bool heard = co_await Flush();
      if (heard) heard = co_await SendJson(answer);
      if (!heard) break;
    }
    Close();
  }

  void Close() {
    boost::system::error_code ignored;
    deadline_.cancel();
    socket_.close(ignored);
    waiter_.Cancel();
  }

  net::Task<bool> SendRow(json::object row) override {
    rows_ += rows_.empty() ? R"({"rows":[)" : ",";
    rows_ += json::serialize(row);
    if (rows_.size() < FrameLimits::kRows) co_return true;
    auto result = co_await Flush();
    co_return result;
  }
  net::Task<bool> SendOctets(Octets octets) override {
    const bool sent = co_await Flush();
    if (!sent) co_return false;
    while (!octets.empty()) {
      const Octets piece = octets.substr(0, FrameLimits::kOctets);
      octets.remove_prefix(piece.size());
      const bool more = co_await Send(FrameType::kOctets, piece);
      if (!more) co_return false;
    }
    co_return true;
  }
  net::Task<bool> GoAhead() override {
    const json::object go{{"go", true}};
    auto result = co_await SendJson(go);
    co_return result;
  }
  net::Task<std::optional<std::string>> Receive() override {
    const bool framed = co_await ReadFrame(limits_.stalled);
    if (!framed) co_return std::nullopt;
    if (frame_.type == FrameType::kEnd) co_return std::string();
    if (frame_.type != FrameType::kOctets || frame_.content.empty()) co_return std::nullopt;
    co_return std::string(frame_.content);
  }
  // Also ends when the client goes, or says something: then there is nothing to wait for.
  net::Task<bool> Sleep(std::chrono::milliseconds time) override {
    const auto self = shared_from_this();
    woken_ = false;
    deadline_.expires_after(time);
    deadline_.async_wait([self](boost::system::error_code error) {
      if (error) return;
      self->woken_ = true;
      boost::system::error_code ignored;
      self->socket_.cancel(ignored);
    });
    const auto [error] = co_await socket_.async_wait(LocalSocket::wait_read, kAwait);
    deadline_.cancel();
    co_return error&& woken_;
  }

  net::Waiter& waiter() override { return waiter_; }
  uid_t uid() const override { return uid_; }
  bool owner() const override { return uid_ == 0 || uid_ == ::geteuid(); }

 private:
  void Arm(std::chrono::nanoseconds time) {
    deadline_.expires_after(time);
    deadline_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
      if (error) return;
      if (const auto self = weak.lock()) {
        boost::system::error_code ignored;
        self->socket_.close(ignored);
      }
    });
  }

  net::Task<bool> ReadFrame(std::chrono::seconds time) {
    for (;;) {
      const FrameReader::State state = reader_.Next(frame_);
      if (state == FrameReader::State::kDone) co_return true;
      if (state == FrameReader::State::kBroken) co_return false;
      Arm(time);
      const auto [ready] = co_await socket_.async_wait(LocalSocket::wait_read, kAwait);
      deadline_.cancel();
      if (ready) co_return false;
      char buffer[kReadOctets / 8];
      boost::system::error_code error;
      const std::size_t got = socket_.read_some(asio::buffer(buffer), error);
      if (error == asio::error::would_block) continue;
      if (error || got == 0) co_return false;
      reader_.Feed({buffer, got});
    }
  }

  net::Task<bool> Send(FrameType type, Octets content) {
    std::string out;
    AppendFrame(out, type, content);
    for (Octets rest = out; !rest.empty();) {
      Arm(limits_.stalled);
      const auto [error, sent] = co_await socket_.async_write_some(asio::buffer(rest.data(), rest.size()), kAwait);
      deadline_.cancel();
      if (error) co_return false;
      rest.remove_prefix(sent);
    }
    co_return true;
  }
  net::Task<bool> SendJson(const json::object& object) {
    const std::string text = json::serialize(object);
    auto result = co_await Send(FrameType::kJson, text);
    co_return result;
  }
  net::Task<bool> Flush() {
    if (rows_.empty()) co_return true;
    const std::string rows = std::exchange(rows_, {}) + "]}";
    auto result = co_await Send(FrameType::kJson, rows);
    co_return result;
  }

  AdminContext& context_;
  const AdminSocketLimits limits_;
  LocalSocket socket_;
  net::Timer deadline_;
  net::Waiter waiter_;
  FrameReader reader_{FrameLimits::kRequest};
  Frame frame_;
  std::string rows_;
  uid_t uid_;
  bool woken_ = false;
};

std::string Reason() { return std::strerror(errno); }

bool Fits(const std::string& path, sockaddr_un& address) {
  address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, path.data(), path.size());
  return true;
}

// Is there somebody who listens?
bool Answers(const sockaddr_un& address) {
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe < 0) return false;
  const bool there = ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 || errno == EAGAIN;
  ::close(probe);
  return there;
}

uid_t PeerOf(int socket) {
  ucred peer = {};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return static_cast<uid_t>(-1);
  return peer.uid;
}

}  // namespace

struct AdminSocket::State : std::enable_shared_from_this<AdminSocket::State> {
  State(asio::io_context& i, LocalAcceptor a, AdminContext& c, const AdminSocketLimits& l)
      : io(i), acceptor(std::move(a)), pause(i), context(c), limits(l) {}

  // Is there a place for one more of this user?
  bool Admits(uid_t uid) const {
    if (sessions.size() >= limits.clients) return false;
    if (uid == 0 || uid == ::geteuid()) return true;
    const auto it = by_user.find(uid);
    return others < limits.other_clients && (it == by_user.end() || it->second < limits.clients_of_user);
  }
  void Count(uid_t uid, int more) {
    if (uid == 0 || uid == ::geteuid()) return;
    others += static_cast<std::size_t>(more);
    if ((by_user[uid] += static_cast<std::size_t>(more)) == 0) by_user.erase(uid);
  }

  net::Task<void> Accept() {
    const auto self = shared_from_this();
    while (!stopped) {
      LocalSocket socket(io);
      const auto [error] = co_await acceptor.async_accept(socket, kAwait);
      if (stopped) break;
      if (error) {  // out of descriptors, most likely: they come back
        pause.expires_after(std::chrono::milliseconds(100));
        const auto [cancelled] = co_await pause.async_wait(kAwait);
        if (cancelled) break;
        continue;
      }
      const uid_t uid = PeerOf(socket.native_handle());
      if (!Admits(uid)) continue;  // closed
      socket.non_blocking(true);
      Count(uid, 1);
      const auto session = std::make_shared<Session>(io, std::move(socket), context, limits, uid);
      sessions.insert(session);
      asio::co_spawn(io.get_executor(), session->Run(), [self, session, uid](std::exception_ptr) {
        self->sessions.erase(session);
        self->Count(uid, -1);
      });
    }
  }

  asio::io_context& io;
  LocalAcceptor acceptor;
  net::Timer pause;
  AdminContext& context;
  const AdminSocketLimits limits;
  std::set<std::shared_ptr<Session>> sessions;
  std::map<uid_t, std::size_t> by_user;
  std::size_t others = 0;
  bool stopped = false;
};

Expected<std::unique_ptr<AdminSocket>> AdminSocket::Open(const std::string& path, asio::io_context& io, AdminContext& context,
                                                         const AdminSocketLimits& limits) {
  sockaddr_un address;
  if (!Fits(path, address)) return Fail("the path is too long for a socket", path, "name a shorter one with --admin-socket");
  struct stat about = {};
  if (::lstat(path.c_str(), &about) == 0) {
    if (!S_ISSOCK(about.st_mode)) return Fail("is there, and is no socket", path, "move it away");
    if (Answers(address)) return Fail("another server listens there", path, "stop it, or name another path with --admin-socket");
    if (::unlink(path.c_str()) != 0) return Fail("cannot be replaced: " + Reason(), path);
  }
  const int listening = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listening < 0) return Fail("no socket can be made: " + Reason(), path);
  if (::bind(listening, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || ::chmod(path.c_str(), 0666) != 0 ||
      ::listen(listening, SOMAXCONN) != 0) {
    const std::string reason = Reason();
    ::close(listening);
    return Fail("cannot be listened on: " + reason, path);
  }
  LocalAcceptor acceptor(io);
  boost::system::error_code error;
  acceptor.assign(Local(), listening, error);
  if (error) {
    ::close(listening);
    return Fail("cannot be listened on: " + error.message(), path);
  }
  auto state = std::make_shared<State>(io, std::move(acceptor), context, limits);
  return std::unique_ptr<AdminSocket>(new AdminSocket(std::move(state), path));
}

AdminSocket::AdminSocket(std::shared_ptr<State> state, std::string path) : state_(std::move(state)), path_(std::move(path)) {}

AdminSocket::~AdminSocket() { Stop(); }

void AdminSocket::Start() { asio::co_spawn(state_->io.get_executor(), state_->Accept(), asio::detached); }

void AdminSocket::Stop() {
  if (std::exchange(state_->stopped, true)) return;
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
  state_->pause.cancel();
  const auto sessions = state_->sessions;
  for (const auto& session : sessions) session->Close();
  ::unlink(path_.c_str());
}

net::Task<void> ServeAdmin(asio::io_context& io, int socket, AdminContext& context) {
  LocalSocket connected(io);
  boost::system::error_code error;
  connected.assign(Local(), socket, error);
  if (error) {
    ::close(socket);
    co_return;
  }
  connected.non_blocking(true);
  const auto session = std::make_shared<Session>(io, std::move(connected), context, AdminSocketLimits{}, PeerOf(socket));
  co_await session->Run();
}

}  // namespace glasspost::server
