#include "server/server.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <future>
#include <utility>

#include "base/ascii.h"
#include "net/self_signed.h"
#include "server/admin_names.h"
#include "server/admin_setup.h"
#include "server/data_folder.h"
#include "server/default_domain.h"
#include "server/notify.h"
#include "server/privileges.h"
#include "server/secret_key.h"
#include "server/smtp_connection.h"

namespace glasspost::server {
namespace {

// The pool that the authenticator asks.
class PooledChecker final : public PasswordChecker {
 public:
  explicit PooledChecker(Passwords& passwords) : passwords_(passwords) {}
  std::optional<Outcome> Check(Octets user, std::span<const std::string> verifiers, std::string password, Done done) override {
    const auto verdict = passwords_.Check(user, verifiers, std::move(password),
                                          [done = std::move(done)](Verdict later) mutable { done(OutcomeOf(later)); });
    return verdict ? std::optional(OutcomeOf(*verdict)) : std::nullopt;
  }

 private:
  static Outcome OutcomeOf(Verdict verdict) {
    return verdict == Verdict::kRight ? Outcome::kRight : verdict == Verdict::kWrong ? Outcome::kWrong : Outcome::kBusy;
  }
  Passwords& passwords_;
};

// Sessions that one look at the recorder's losses names: stops a disk that fails under all of them from filling the log.
constexpr std::size_t kToldLosses = 20;

std::string WhyLost(const analysis::LostOctets& lost) {
  switch (lost.why) {
    case analysis::RecordingLoss::kQueue:
      return "the disk is too slow";
    case analysis::RecordingLoss::kSession:
      return "it is full (record.file)";
    case analysis::RecordingLoss::kDirectory:
      return "the folder is full (record.total)";
    case analysis::RecordingLoss::kFile:
      break;
  }
  return std::string("it cannot be written: ") + std::strerror(lost.error);
}

// Waits for a call of the store; at start and in what an operator asked for only.
template <class T, class F>
store::Result<T> Await(F call) {
  auto promise = std::make_shared<std::promise<store::Result<T>>>();
  auto future = promise->get_future();
  call([promise](store::Result<T> result) { promise->set_value(std::move(result)); });
  return future.get();
}

LogOptions MakeLogOptions(const Config& config) {
  LogOptions options;
  options.level = config.log.level;
  options.format = config.log.format;
  options.journal = StderrIsJournal();
  return options;
}

}  // namespace

Server::Server(const Config& config, const Clock& clock, Randomness& randomness)
    : config_(config),
      clock_(clock),
      randomness_(randomness),
      folder_(DataFolder(config)),
      log_(MakeLogOptions(config), clock),
      events_(log_, metrics_) {}

Server::~Server() {
  // First nothing runs any more, then the store owes nobody an answer: only then may go what its answers lead to.
  if (workers_) workers_->Halt();
  if (relay_) relay_->Halt();
  if (store_) store_->Drain();
  listening_.clear();
  http_.reset();
  socket_.reset();
  relay_.reset();
  // Their taps have told all they heard; the ring is the store's.
  signals_.reset();
  hourly_.reset();
  counting_.reset();
  workers_.reset();
  store_.reset();
  passwords_.reset();
}

Expected<std::unique_ptr<Server>> Server::Make(const Config& config, const Clock& clock, Randomness& randomness,
                                               const store::SqliteOptions& storage) {
  std::unique_ptr<Server> server(new Server(config, clock, randomness));
  if (const auto opened = server->OpenStore(storage); !opened) return std::unexpected(opened.error());
  for (const auto step : {&Server::OpenTaps, &Server::MakeFirstDomain, &Server::ReadDirectory}) {
    if (const auto done = (server.get()->*step)(); !done) return std::unexpected(done.error());
  }
  if (const auto loaded = server->LoadTls(config); !loaded) return std::unexpected(loaded.error());
  server->MakeServices();
  if (const auto listening = server->Listen(); !listening) return std::unexpected(listening.error());
  for (const auto step : {&Server::ListenHttp, &Server::OpenRelay, &Server::OpenAdmin}) {
    if (const auto done = (server.get()->*step)(); !done) return std::unexpected(done.error());
  }
  if (const auto dropped = DropPrivileges(config.server.user, config.server.group, server->folder_); !dropped)
    return std::unexpected(dropped.error());
  server->CheckFilesStayReadable();
  return server;
}

Expected<void> Server::OpenStore(store::SqliteOptions options) {
  if (folder_.empty()) return Fail("there is no folder for mail", {}, "say --data FOLDER");
  KeepToOwner();
  options.reserve_octets = config_.limits.free.octets;
  options.conversations.count = config_.conversations.count;
  options.conversations.octets = config_.conversations.octets.octets;
  options.conversations.age_seconds = config_.conversations.age.count();
  auto opened = store::OpenSqliteStore(folder_, options);
  if (!opened) return std::unexpected(opened.error());
  if (const auto kept = KeepToOwner(folder_); !kept) return kept;
  store_ = std::move(*opened);
  recipients_ = std::make_unique<RecipientCache>(store_->directory());
  const auto secret = SecretKey(folder_, randomness_);
  if (!secret) return std::unexpected(secret.error());
  current_.made_up_salt_key = *secret;
  PasswordOptions passwords = MakePasswordOptions(config_);
  passwords.key = *secret;
  passwords_ = std::make_unique<Passwords>(passwords, clock_, randomness_);
  checker_ = std::make_unique<PooledChecker>(*passwords_);
  const std::size_t threads = config_.server.threads != 0 ? config_.server.threads : std::thread::hardware_concurrency();
  workers_ = std::make_unique<Workers>(threads, clock_);
  // From now on, so that who stops it while it starts does so in order.
  signals_ = std::make_unique<net::asio::signal_set>(workers_->first().context, SIGTERM, SIGINT, SIGHUP);
  return {};
}

Expected<void> Server::OpenTaps() {
  sink_ = std::make_unique<ConversationSink>(store_->conversations());
  if (config_.record.folder.empty()) return {};
  analysis::RecorderOptions options;
  options.directory = config_.record.folder;
  options.octets = config_.record.total.octets;
  options.session_octets = config_.record.file.octets;
  auto recorder = analysis::Recorder::Open(options);
  if (!recorder) return std::unexpected(recorder.error());
  recorder_ = std::move(*recorder);
  events_.Note(Event::kRecording, 0,
               {{"folder", options.directory}, {"warning", "these files hold messages, passwords and TLS keys"}});
  return {};
}

std::shared_ptr<analysis::LiveTaps> Server::MakeTaps(Protocol protocol, bool we_are_client) {
  const bool keep = config_.conversations.keep != KeptConversations::kOff;
  analysis::EventsOptions events;
  events.level = config_.conversations.keep == KeptConversations::kFull ? analysis::EventsOptions::Level::kFull
                                                                        : analysis::EventsOptions::Level::kHeaders;
  events.show_secrets = config_.conversations.show_secrets;
  events.we_are_client = we_are_client;
  return std::make_shared<analysis::LiveTaps>(analysis::LiveOptions{protocol, we_are_client}, events,
                                              keep ? sink_.get() : nullptr, recorder_.get());
}

Expected<void> Server::MakeFirstDomain() {
  const auto domains = Await<std::vector<std::string>>([&](auto done) { store_->directory().ListDomains({}, std::move(done)); });
  if (!domains) return Fail("the store cannot be read: " + domains.error().text, folder_);
  if (!domains->empty()) return {};
  fresh_ = true;
  const auto first = ParseDomainName(config_.server.domain.empty() ? kFirstDomain : config_.server.domain);
  if (!first) return Fail("server.domain cannot be the first domain: " + first.error().Text());
  first_domain_ = *first;
  const auto added = Await<void>([&](auto done) {
    store_->directory().AddDomain(*first, {{{"postmaster", *first}, {}, 0}, {{"abuse", *first}, {}, 0}}, clock_.Now(),
                                  std::move(done));
  });
  if (!added) return Fail("the first domain cannot be made: " + added.error().text, folder_);
  return {};
}

bool Server::has_default_domain() const {
  const auto domains = Await<std::vector<std::string>>([&](auto done) { store_->directory().ListDomains({}, std::move(done)); });
  return domains && std::ranges::any_of(*domains, [&](const std::string& d) { return EqualsNoCase(d, current_.default_domain); });
}

// What of the accounts decides about what is offered.
Expected<void> Server::ReadDirectory() {
  const auto domain = Await<std::string>([&](auto done) { FindDefaultDomain(config_, store_->directory(), std::move(done)); });
  current_.default_domain = *domain;
  authenticator_ = std::make_unique<AccountAuthenticator>(store_->directory(), *checker_, clock_,
                                                          MakeAuthenticatorOptions(config_, current_.default_domain));
  const auto schemes = Await<std::vector<std::string>>([&](auto done) { store_->directory().VerifierSchemes(std::move(done)); });
  if (!schemes) return Fail("the store cannot be read: " + schemes.error().text, folder_);
  const auto accounts =
      Await<std::vector<store::Account>>([&](auto done) { store_->directory().ListAccounts({}, 0, std::move(done)); });
  if (accounts) {
    for (const store::Account& account : *accounts) passwords_->Learn(account.verifiers);
  }
  current_.offers = OffersFor(*schemes, MakeAuthenticatorOptions(config_, current_.default_domain));
  smtp_ = std::make_unique<SmtpContext>(SmtpContext{*store_, *recipients_, *authenticator_, events_, randomness_, [] {}});
  pop3_ = std::make_unique<Pop3Services>(Pop3Services{*store_, *authenticator_, randomness_, &tls_, {}, &events_});
  pop3_->lease_owner = fmt::format("pop3-{}-{}", ::getpid(), clock_.Now());
  return {};
}

Expected<void> Server::LoadTls(const Config& config) {
  net::TlsServerOptions options;
  for (const CertificatePair& pair : PairsOf(config)) options.pairs.push_back({pair.certificate, pair.key});
  if (options.pairs.empty()) {
    const std::string folder = folder_ + "/tls";
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    options.pairs.push_back({folder + "/self-signed.crt", folder + "/self-signed.key"});
    const auto made =
        net::EnsureSelfSigned(options.pairs.front(), {.names = {OwnHostName(config), "localhost", "127.0.0.1", "::1"}}, clock_);
    if (!made) return std::unexpected(made.error());
  }
  if (const auto loaded = tls_.Load(options); !loaded) return loaded;
  current_.tls = tls_.current();
  return {};
}

// Root could read them; who the server became must, too, when they are renewed.
void Server::CheckFilesStayReadable() {
  const auto check = [&](std::string_view about, const std::string& file) {
    if (file.empty() || ::access(file.c_str(), R_OK) == 0) return;
    events_.Note(Event::kFault, 0,
                 {{about, fmt::format("{}: user {} cannot read it, so SIGHUP will not take a renewed one ({})", file,
                                      config_.server.user, std::strerror(errno))}});
  };
  for (const CertificatePair& pair : PairsOf(config_)) {
    check("tls", pair.certificate);
    check("tls", pair.key);
  }
  check("relay", config_.smarthost.password_file);
  for (const Route& route : config_.relay.route) check("relay", route.to.password_file);
  check("relay", config_.resolver.trust_anchor);
}

Expected<void> Server::Listen() {
  // A connection is a descriptor; the store, the relay and the rest need some too.
  constexpr std::size_t kOthers = 1000;
  if (const std::size_t most = RaiseDescriptorLimit(); most < config_.limits.connections + kOthers)
    events_.Note(Event::kFault, 0,
                 {{"limits.connections", fmt::format("the system allows {} open files only (ulimit -n, LimitNOFILE)", most)}});
  const auto admissions = net::Admissions::Make(MakeAdmissionLimits(config_));
  for (const ListenerKind kind : kListenerKinds) {
    for (const Endpoint& endpoint : EndpointsOf(config_, kind)) {
      net::ListenerOptions options;
      options.refusal = IsPop3(kind) ? "-ERR [SYS/TEMP] too many connections\r\n" : "421 4.7.0 too many connections\r\n";
      if (IsImplicitTls(kind)) options.refusal.clear();
      auto opened = net::Listener::Open(endpoint, workers_->contexts(), admissions, options);
      if (!opened) return std::unexpected(opened.error());
      bound_.push_back({kind, (*opened)->endpoint()});
      listening_.push_back(
          std::make_unique<Listening>(Listening{kind, IsLoopback(endpoint.address), std::move(*opened), {}, {}, {}}));
    }
  }
  MakeServices();
  return {};
}

Expected<void> Server::ListenHttp() {
  metrics_.Add("sessions", "Connections of clients that are open.", false,
               [this] { return static_cast<double>(workers_->sessions()); });
  metrics_.Add("store_commits_total", "Transactions of the store.", true,
               [this] { return static_cast<double>(store_->state().commits); });
  metrics_.Add("store_changes_total", "Changes in these transactions.", true,
               [this] { return static_cast<double>(store_->state().changes); });
  metrics_.Add("store_full", "1 if the last change met a full disk.", false, [this] { return store_->state().full ? 1.0 : 0.0; });
  metrics_.Add("store_broken", "1 if the disk failed and nothing can be written any more.", false,
               [this] { return store_->state().broken ? 1.0 : 0.0; });
  metrics_.Add("conversations_dropped_octets_total", "Of kept conversations, not written since the disk was too slow.", true,
               [this] { return static_cast<double>(store_->conversations().dropped_octets()); });
  metrics_.Add("queue_entries", "Recipients in the queue, counted every ten seconds.", false,
               [this] { return static_cast<double>(queued_.load()); });
  metrics_.Add("queue_held", "Of them, held by an operator.", false, [this] { return static_cast<double>(held_.load()); });
  const auto not_ready = [this]() -> std::string {
    const store::StoreState state = store_->state();
    return state.broken ? "the store is broken" : state.full ? "the disk is full" : "";
  };
  auto opened =
      HttpService::Open(workers_->first().context, config_.http.listen, {[this] { return metrics_.Text(); }, not_ready});
  if (!opened) return std::unexpected(opened.error());
  http_ = std::move(*opened);
  return {};
}

Expected<void> Server::OpenRelay() {
  auto opened = RelayHost::Make(config_, {*store_, clock_, randomness_, events_, MakeTaps(Protocol::kSmtp, true)});
  if (!opened) return std::unexpected(opened.error());
  relay_ = std::move(*opened);
  smtp_->queued = [this] { relay_->Kick(); };
  return {};
}

Expected<void> Server::OpenAdmin() {
  admin_ = std::make_unique<AdminContext>(AdminContext{
      .store = *store_,
      .recipients = *recipients_,
      .clock = clock_,
      .randomness = randomness_,
      .settings =
          [this] {
            const std::lock_guard lock(mutex_);
            return admin_settings_;
          },
      .make_verifiers =
          [this](std::string password, AdminContext::Made made) {
            passwords_->Make(std::move(password), MakeVerifierOptions(config_), std::move(made));
          },
      .check_verifier = [this](const std::string& verifier) { return CheckVerifier(config_, verifier); },
      .directory_changed = [this](std::move_only_function<void()> done) { DirectoryChanged(std::move(done)); },
      .queue_changed = [this] { relay_->Retry(); },
      .follow = [this](std::uint64_t number, bool on) { return sink_->Follow(number, on); },
      .running = [this] { return sink_->Running(); },
      .events = &events_,
      .version = GLASSPOST_VERSION,
  });
  const std::string path = AdminSocketPath(config_);
  if (std::filesystem::path(path).parent_path() == std::filesystem::path(folder_)) {
    if (auto passable = LetPass(folder_); !passable) return passable;
  }
  auto opened = AdminSocket::Open(path, workers_->first().context, *admin_);
  if (!opened) return std::unexpected(opened.error());
  socket_ = std::move(*opened);
  return {};
}

void Server::MakeServices() {
  const std::lock_guard lock(mutex_);
  admin_settings_ = MakeAdminSettings(config_, current_.default_domain);
  for (const auto& l : listening_) {
    l->taps = MakeTaps(IsPop3(l->kind)                  ? Protocol::kPop3
                       : l->kind == ListenerKind::kLmtp ? Protocol::kLmtp
                                                        : Protocol::kSmtp,
                       false);
    if (IsPop3(l->kind)) {
      l->pop3 = MakePop3Settings(config_, l->loopback, current_);
    } else {
      l->smtp = MakeSmtpService(config_, l->kind, l->loopback, current_, clock_, *store_);
    }
  }
}

// On the listener's thread; the connection goes to its own.
void Server::Accept(Listening& listening, net::asio::io_context& to, net::Socket socket, net::Admissions::Place place) {
  net::asio::post(to, [this, &listening, &to, socket = std::move(socket), place = std::move(place)]() mutable {
    std::shared_ptr<const SmtpService> smtp;
    std::shared_ptr<const Pop3Settings> pop3;
    std::shared_ptr<analysis::LiveTaps> taps;
    {
      const std::lock_guard lock(mutex_);
      smtp = listening.smtp;
      pop3 = listening.pop3;
      taps = listening.taps;
    }
    const Worker& worker = workers_->of(to);
    auto tap = taps->NewLiveTap();
    const std::uint64_t conversation = tap ? tap->number() : 0;
    if (smtp) {
      ServeSmtp(worker, *smtp_, std::move(smtp), {std::move(socket), std::move(place), std::move(tap), conversation});
    } else {
      ServePop3(worker, *pop3_, std::move(pop3),
                {std::move(socket), std::move(place), IsImplicitTls(listening.kind), std::move(tap), conversation});
    }
  });
}

void Server::Run(std::function<ReadConfig()> reread) {
  reread_ = std::move(reread);
  for (const auto& l : listening_) {
    l->listener->Start([this, &l = *l](net::asio::io_context& to, net::Socket socket, net::Admissions::Place place) {
      Accept(l, to, std::move(socket), std::move(place));
    });
  }
  http_->Start();
  socket_->Start();
  relay_->Start();
  std::function<void()> wait = [&] {
    signals_->async_wait([&](const boost::system::error_code& error, int signal) {
      if (error) return;
      if (signal == SIGHUP) {
        Reload();
      } else if (stopping_) {
        return workers_->Stop();  // asked twice
      } else {
        BeginShutdown();
      }
      wait();
    });
  };
  wait();
  hourly_ = std::make_unique<net::Timer>(workers_->first().context);
  ForgetOldJourneys();
  counting_ = std::make_unique<net::Timer>(workers_->first().context);
  CountQueue();
  events_.Note(Event::kStarted, 0, {{"data", folder_}});
  NotifySystemd("READY=1");
  workers_->Run();
  if (recorder_) recorder_->Close();
  TellOfRecordingLoss();
}

// Once an hour.
void Server::ForgetOldJourneys() {
  const Timestamp before = clock_.Now() - std::chrono::nanoseconds(config_.journeys.age).count();
  store_->journeys().Forget(before, [](store::Result<void>) {});  // if it fails, the next hour does it
  hourly_->expires_after(std::chrono::hours(1));
  hourly_->async_wait([this](const boost::system::error_code& error) {
    if (!error) ForgetOldJourneys();
  });
}

void Server::CountQueue() {
  store_->queue().Count([this](store::Result<store::QueueCounts> counts) {
    if (!counts) return;
    queued_ = counts->entries;
    held_ = counts->held;
  });
  TellOfRecordingLoss();
  counting_->expires_after(std::chrono::seconds(10));
  counting_->async_wait([this](const boost::system::error_code& error) {
    if (!error) CountQueue();
  });
}

// Now and then: those that record do not wait for the log.
void Server::TellOfRecordingLoss() {
  if (!recorder_) return;
  const analysis::RecordingLosses::Taken taken = recorder_->TakeLosses(kToldLosses);
  for (const analysis::LostOctets& lost : taken.sessions)
    events_.Note(Event::kRecording, lost.session,
                 {{"octets", std::to_string(lost.octets)}, {"warning", "not all of it is in its file: " + WhyLost(lost)}});
  if (taken.others == 0) return;
  events_.Note(Event::kRecording, 0,
               {{"losses", std::to_string(taken.others)},
                {"octets", std::to_string(taken.other_octets)},
                {"warning", "not all of other sessions is in their files, either"}});
}

void Server::Stop() {
  net::asio::post(workers_->first().context, [this] { BeginShutdown(); });
}

void Server::BeginShutdown() {
  if (std::exchange(stopping_, true)) return;
  NotifySystemd("STOPPING=1");
  events_.Note(Event::kStopping, 0, {{"sessions", std::to_string(workers_->sessions())}});
  for (const auto& l : listening_) l->listener->Stop();
  http_->Stop();
  relay_->Stop(config_.server.shutdown);  // the same time for both
  workers_->Shutdown(config_.server.shutdown, [this] {
    socket_->Stop();
    relay_->AwaitStop();
    workers_->Stop();
  });
}

void Server::Reload() {
  if (stopping_) return;
  NotifySystemd("RELOADING=1");
  const ReadConfig read = reread_ ? reread_() : ReadConfig{config_, {}, false};
  for (const Mistake& mistake : read.mistakes) events_.Note(Event::kFault, 0, {{"configuration", mistake.Text()}});
  if (read.mistakes.empty() && !read.unreadable) {
    if (const auto loaded = LoadTls(read.config); !loaded) {
      events_.Note(Event::kFault, 0, {{"tls", loaded.error().Text()}});
    } else {
      for (const std::string& key : NeedRestart(config_, read.config))
        events_.Note(Event::kFault, 0, {{"configuration", key + " changes with a restart only"}});
      Config wanted = read.config;
      KeepUntilRestart(config_, wanted);
      config_ = std::move(wanted);
      log_.SetLevel(config_.log.level);
      MakeServices();
      if (const auto changed = relay_->Change(config_, MakeTaps(Protocol::kSmtp, true)); !changed)
        events_.Note(Event::kFault, 0, {{"relay", "keeps the settings that it has: " + changed.error().Text()}});
      DirectoryChanged([] {});  // which logins are offered, and the default domain, depend on both
      events_.Note(Event::kReloaded, 0, {});
    }
  }
  NotifySystemd("READY=1");
}

void Server::DirectoryChanged(std::move_only_function<void()> done) {
  recipients_->Invalidate();
  FindDefaultDomain(config_, store_->directory(), [this, done = std::move(done)](std::string domain) mutable {
    net::asio::post(workers_->first().context, [this, domain = std::move(domain), done = std::move(done)]() mutable {
      authenticator_->SetOptions(MakeAuthenticatorOptions(config_, domain));
      authenticator_->FindOffers(
          [this, domain = std::move(domain), done = std::move(done)](store::Result<LoginOffers> offers) mutable {
            net::asio::post(workers_->first().context,
                            [this, domain = std::move(domain), offers = std::move(offers), done = std::move(done)]() mutable {
                              current_.default_domain = std::move(domain);
                              if (offers) current_.offers = *offers;
                              MakeServices();
                              done();
                            });
          });
    });
  });
}

}  // namespace glasspost::server
