// The server: store, listeners, sessions, relay, management and metrics, put together by a Config.
#pragma once

#include <atomic>
#include <boost/asio/signal_set.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "analysis/live/live_tap.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/randomness.h"
#include "net/listener.h"
#include "server/admin_socket.h"
#include "server/config_reader.h"
#include "server/conversation_sink.h"
#include "server/event_log.h"
#include "server/http_service.h"
#include "server/relay_host.h"
#include "server/service_settings.h"
#include "server/workers.h"
#include "store/sqlite/sqlite_store.h"

namespace glasspost::server {

class Server {
 public:
  struct Bound {
    ListenerKind kind;
    Endpoint endpoint;
  };

  // Locks and opens the data folder, makes on a first start what is missing (a domain, a certificate), binds. Clock and
  // randomness outlive it. `storage`: of what a configuration does not say; for tests. The error says what, where, and what to
  // do.
  static Expected<std::unique_ptr<Server>> Make(const Config& config, const Clock& clock, Randomness& randomness,
                                                const store::SqliteOptions& storage = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Serves until SIGTERM or SIGINT, or Stop. SIGHUP: `reread` gives the configuration anew; mistakes leave the old one.
  void Run(std::function<ReadConfig()> reread);
  // Any thread: as SIGTERM.
  void Stop();

  const std::vector<Bound>& bound() const { return bound_; }
  const std::vector<Endpoint>& http() const { return http_->endpoints(); }
  // Any thread: accounts, verifiers or aliases are others now.
  void DirectoryChanged(std::move_only_function<void()> done);
  store::Store& store() { return *store_; }
  Log& log() { return log_; }
  const std::string& default_domain() const { return current_.default_domain; }  // before Run
  bool has_default_domain() const;                                               // it is here; before Run
  bool fresh() const { return fresh_; }                                          // this was the first start
  const std::string& first_domain() const { return first_domain_; }              // that it made
  const std::string& folder() const { return folder_; }

 private:
  struct Listening {
    ListenerKind kind;
    bool loopback;
    std::unique_ptr<net::Listener> listener;
    std::shared_ptr<const SmtpService> smtp;  // one of the two; swapped under mutex_
    std::shared_ptr<const Pop3Settings> pop3;
    std::shared_ptr<analysis::LiveTaps> taps;
  };

  Server(const Config& config, const Clock& clock, Randomness& randomness);
  Expected<void> OpenStore(store::SqliteOptions options);
  Expected<void> OpenTaps();
  Expected<void> MakeFirstDomain();
  void CheckFilesStayReadable();
  Expected<void> LoadTls(const Config& config);
  Expected<void> ReadDirectory();
  Expected<void> Listen();
  Expected<void> ListenHttp();
  Expected<void> OpenRelay();
  Expected<void> OpenAdmin();
  void MakeServices();
  std::shared_ptr<analysis::LiveTaps> MakeTaps(Protocol protocol, bool we_are_client);
  void Accept(Listening& listening, net::asio::io_context& to, net::Socket socket, net::Admissions::Place place);
  void Reload();
  void BeginShutdown();
  void ForgetOldJourneys();
  void CountQueue();
  void TellOfRecordingLoss();

  Config config_;  // of the first worker's thread, once it runs
  const Clock& clock_;
  Randomness& randomness_;
  std::string folder_;
  Log log_;
  Metrics metrics_;
  EventLog events_;
  std::atomic<std::uint64_t> queued_ = 0;  // entries, as last counted; the store may still tell them while it ends
  std::atomic<std::uint64_t> held_ = 0;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<RecipientCache> recipients_;
  std::unique_ptr<Passwords> passwords_;
  std::unique_ptr<PasswordChecker> checker_;
  std::unique_ptr<AccountAuthenticator> authenticator_;
  std::unique_ptr<ConversationSink> sink_;
  std::unique_ptr<analysis::Recorder> recorder_;
  std::unique_ptr<Workers> workers_;
  std::unique_ptr<net::asio::signal_set> signals_;
  net::ReloadableTls tls_;
  std::unique_ptr<SmtpContext> smtp_;
  std::unique_ptr<Pop3Services> pop3_;
  Current current_;
  std::mutex mutex_;  // of the services that listeners give to new connections
  std::vector<std::unique_ptr<Listening>> listening_;
  std::vector<Bound> bound_;
  std::unique_ptr<HttpService> http_;
  std::unique_ptr<RelayHost> relay_;
  std::unique_ptr<AdminContext> admin_;
  std::unique_ptr<AdminSocket> socket_;
  std::shared_ptr<const AdminSettings> admin_settings_;  // under mutex_
  std::function<ReadConfig()> reread_;
  std::unique_ptr<net::Timer> hourly_;
  std::unique_ptr<net::Timer> counting_;
  bool fresh_ = false;
  std::string first_domain_;
  bool stopping_ = false;
};

}  // namespace glasspost::server
