#include "cli/administration.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <future>
#include <thread>

#include "net/system_clock.h"
#include "server/admin_setup.h"
#include "server/admin_socket.h"
#include "server/data_folder.h"
#include "server/default_domain.h"
#include "server/service_settings.h"
#include "store/sqlite/sqlite_store.h"

namespace glasspost::cli {
namespace {

// A server that starts has the folder before it has the socket, and so has another command while it runs.
constexpr std::chrono::seconds kPatience(5);
constexpr std::chrono::milliseconds kPause(50);
constexpr std::string_view kInUse = "the data folder is in use";

std::string DefaultDomain(const server::Config& config, store::Store& store) {
  std::promise<std::string> promise;
  auto future = promise.get_future();
  server::FindDefaultDomain(config, store.directory(), [&promise](std::string domain) { promise.set_value(std::move(domain)); });
  return future.get();
}

}  // namespace

// The store and one who serves the client at the other end of a socket pair, on a thread of its own.
struct Administration::OwnStore {
  OwnStore(std::unique_ptr<store::Store> opened, const server::Config& config)
      : store(std::move(opened)),
        recipients(store->directory()),
        settings(server::MakeAdminSettings(config, DefaultDomain(config, *store))),
        verifiers(server::MakeVerifierOptions(config)),
        context{.store = *store,
                .recipients = recipients,
                .clock = net::SystemClock(),
                .randomness = SystemRandomness(),
                .settings = [this] { return settings; },
                // Nobody else is served meanwhile. The answer may not come within the call.
                .make_verifiers =
                    [this](std::string password, server::AdminContext::Made made) {
                      if (hashing.joinable()) hashing.join();
                      hashing = std::thread([this, password = std::move(password), made = std::move(made)]() mutable {
                        made(server::MakeVerifiers(password, verifiers, SystemRandomness()));
                      });
                    },
                .check_verifier = [config](const std::string& verifier) { return server::CheckVerifier(config, verifier); },
                .directory_changed = [](std::move_only_function<void()> done) { done(); },
                .queue_changed = [] {},
                .follow = [](std::uint64_t, bool) { return false; },
                .running = [] { return std::vector<store::ConversationHead>(); },
                .events = nullptr,
                .version = GLASSPOST_VERSION} {}
  ~OwnStore() {
    if (thread.joinable()) thread.join();
    if (hashing.joinable()) hashing.join();
    store.reset();  // answers what it was asked before it goes
  }

  void Serve(int socket) {
    net::asio::co_spawn(io.get_executor(), server::ServeAdmin(io, socket, context), net::asio::detached);
    thread = std::thread([this] { io.run(); });
  }

  std::unique_ptr<store::Store> store;
  server::RecipientCache recipients;
  std::shared_ptr<const server::AdminSettings> settings;
  server::VerifierOptions verifiers;
  server::AdminContext context;
  net::asio::io_context io{1};
  std::thread thread;
  std::thread hashing;
};

Administration::Administration() = default;
Administration::Administration(Administration&&) noexcept = default;
Administration::~Administration() {
  client_.reset();
  own_.reset();
}

Expected<std::unique_ptr<Administration::OwnStore>> Administration::OpenStore(const server::Config& config, int& socket) {
  const std::string folder = server::DataFolder(config);
  server::KeepToOwner();
  auto store = store::OpenSqliteStore(folder);
  if (!store) return std::unexpected(store.error());
  if (const auto kept = server::KeepToOwner(folder); !kept) return std::unexpected(kept.error());
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return Fail(std::string("no sockets can be made: ") + std::strerror(errno));
  auto own = std::make_unique<OwnStore>(*std::move(store), config);
  own->Serve(ends[1]);
  socket = ends[0];
  return own;
}

Expected<Administration> Administration::OpenSocket(const std::string& path) {
  auto connected = server::AdminClient::Connect(path);
  if (!connected) return std::unexpected(connected.error());
  if (!*connected) return Fail("no server listens there", path);
  Administration out;
  out.client_ = std::make_unique<server::AdminClient>(std::move(**connected));
  return out;
}

Expected<Administration> Administration::Open(const server::Config& config, bool may_create) {
  const std::string folder = server::DataFolder(config);
  const std::string path = server::AdminSocketPath(config);
  if (folder.empty()) return Fail("there is no folder for mail", {}, "say --data FOLDER");
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    auto connected = server::AdminClient::Connect(path);
    if (!connected) return std::unexpected(connected.error());
    Administration out;
    if (*connected) {
      out.client_ = std::make_unique<server::AdminClient>(std::move(**connected));
      return out;
    }
    struct stat about = {};
    if (!may_create && ::stat(folder.c_str(), &about) != 0) {
      if (errno != ENOENT) return Fail(std::string("cannot be looked at: ") + std::strerror(errno), folder);
      return Fail("there is no such data folder, and no server", folder, "glasspost serve makes it, or name another with --data");
    }
    int socket = -1;
    auto own = OpenStore(config, socket);
    if (own) {
      out.own_ = *std::move(own);
      out.client_ = std::make_unique<server::AdminClient>(socket);
      return out;
    }
    if (!own.error().what.starts_with(kInUse)) return std::unexpected(own.error());
    if (std::chrono::steady_clock::now() > give_up)
      return Fail(own.error().what + ", which does not listen on " + path, folder,
                  "if that server was told another socket, name it with --admin-socket");
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace glasspost::cli
