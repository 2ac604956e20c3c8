#include "lab/lab.h"

#include <algorithm>
#include <boost/asio/use_future.hpp>
#include <filesystem>
#include <future>
#include <thread>

#include "agent/pop3_client.h"
#include "agent/smtp_client.h"
#include "base/time_text.h"
#include "net/deadlines.h"
#include "server/passwords.h"
#include "server/server.h"

namespace glasspost::lab {
namespace {

constexpr const char* kDomain = "localhost.test";
constexpr const char* kPassword = "wonderland";  // to be seen: that is the point

template <class T, class F>
store::Result<T> Await(F call) {
  auto promise = std::make_shared<std::promise<store::Result<T>>>();
  auto future = promise->get_future();
  call([promise](store::Result<T> result) { promise->set_value(std::move(result)); });
  return future.get();
}

server::Config ConfigOf(const std::string& folder, bool well_known_ports) {
  server::Config config;
  config.server.host = kDomain;
  config.server.data = folder + "/data";
  config.server.classroom = true;
  config.server.threads = 1;
  config.listen.smtp.clear();
  config.listen.submission = {server::Loopback(well_known_ports ? 587 : 0)};
  config.listen.submissions.clear();
  config.listen.pop3 = {server::Loopback(well_known_ports ? 110 : 0)};
  config.listen.pop3s.clear();
  config.http.listen.clear();
  config.auth.schemes = {"ARGON2ID"};
  config.auth.argon2_memory = server::MiB(8);
  config.conversations.show_secrets = true;
  config.record.folder = folder + "/recorded";
  config.log.level = server::LogLevel::kError;  // that a recording holds secrets is known here
  return config;
}

// The server on a thread of its own.
class Running {
 public:
  explicit Running(std::unique_ptr<server::Server> server) : server_(std::move(server)), thread_([this] { server_->Run({}); }) {}
  ~Running() {
    server_->Stop();
    thread_.join();
  }
  server::Server& server() { return *server_; }
  Endpoint At(server::ListenerKind kind) const {
    for (const auto& bound : server_->bound())
      if (bound.kind == kind) return bound.endpoint;
    return {};
  }

 private:
  std::unique_ptr<server::Server> server_;
  std::thread thread_;
};

Expected<void> AddUsers(server::Server& server, Randomness& randomness) {
  const auto verifiers = server::MakeVerifiers(
      kPassword, {.argon2id = true, .scram = false, .plain = false, .argon2_octets = std::uint64_t{8} << 20, .argon2_passes = 1},
      randomness);
  if (!verifiers) return std::unexpected(verifiers.error());
  for (const char* name : {"alice", "bob", "carol"}) {
    const auto added = Await<store::AccountId>([&](auto done) {
      server.store().directory().AddAccount({{name, kDomain}, *verifiers, 0}, 1, std::move(done));
    });
    if (!added) return Fail("cannot be added: " + added.error().text, name);
  }
  std::promise<void> known;  // to new connections
  server.DirectoryChanged([&] { known.set_value(); });
  known.get_future().wait();
  return {};
}

// What lay in the mailbox before: the maildrop of the experiment has four messages.
Expected<void> LayIn(store::Store& store, const Clock& clock, int number) {
  const auto account = Await<store::Account>([&](auto done) {
    store.directory().FindAccount({"bob", kDomain}, std::move(done));
  });
  if (!account) return Fail("has no mailbox: " + account.error().text, "bob");
  const auto receiver = store.Receive(clock.Now());
  std::string date;
  AppendRfc5322(date, clock.Now());
  const std::string text = "From: postmaster@localhost.test\r\nTo: bob@localhost.test\r\nSubject: Welcome, part " +
                           std::to_string(number) + "\r\nDate: " + date + "\r\nMessage-ID: <welcome" + std::to_string(number) +
                           "@localhost.test>\r\n\r\nHello Bob, this is message " + std::to_string(number) + ".\r\n";
  receiver->Append(text, [](store::Result<void>) {});
  store::Plan plan;
  plan.arrived = clock.Now();
  plan.mailboxes.push_back(
      {account->inbox, "Return-Path: <postmaster@localhost.test>\r\nDelivered-To: bob@localhost.test\r\n", 0});
  const auto committed = Await<store::Accepted>([&](auto done) { receiver->Commit(std::move(plan), std::move(done)); });
  if (!committed) return Fail("cannot be laid in: " + committed.error().text, "bob");
  return {};
}

struct ClientSide {
  explicit ClientSide(const Clock& clock) : deadlines(context, clock) {}
  template <class T>
  T Run(net::Task<T> task) {
    auto result = net::asio::co_spawn(context.get_executor(), std::move(task), net::asio::use_future);
    context.restart();
    while (result.wait_for(std::chrono::seconds(0)) != std::future_status::ready && context.run_one() > 0) {
    }
    return result.get();
  }
  net::asio::io_context context{1};
  net::Deadlines deadlines;
};

// EHLO, AUTH LOGIN, MAIL, RCPT, RCPT, DATA, QUIT: one step after the other.
Expected<std::string> SendIt(ClientSide& client, const Endpoint& to, const Clock& clock, Randomness& randomness) {
  const sasl::Credentials credentials{"alice@localhost.test", kPassword, {}, sasl::ClientMechanism::kLogin};
  smtp::ClientOptions options;
  options.host = "client.localhost.test";
  options.tls = smtp::ClientOptions::Tls::kNever;
  options.credentials = &credentials;
  options.passwords_without_tls = true;
  options.pipelining = options.chunking = false;
  std::string date;
  AppendRfc5322(date, clock.Now());
  const std::string text = ExperimentMessage(date);
  agent::TextSource source(text);
  const smtp::ClientRecipient recipients[] = {{.path = "bob@localhost.test"}, {.path = "carol@localhost.test"}};
  smtp::ClientMessage message;
  message.reverse_path = "alice@localhost.test";
  message.recipients = recipients;
  message.source = &source;
  agent::Peer server;
  server.endpoint = to;
  const agent::SendResult result =
      client.Run(agent::Send(client.context, client.deadlines, randomness, server, options, message));
  if (!result.accepted())
    return Fail("the message was not taken: " + result.recipients.front().text + result.closed.text, to.Text());
  return result.recipients.front().text;
}

// USER, PASS, STAT, LIST, UIDL, RETR, QUIT.
Expected<void> FetchIt(ClientSide& client, const Endpoint& from, Randomness& randomness) {
  const sasl::Credentials credentials{"bob@localhost.test", kPassword, {}, sasl::ClientMechanism::kNone};
  pop3::ClientOptions options;
  options.tls = pop3::ClientOptions::Tls::kNever;
  options.credentials = &credentials;
  options.passwords_without_tls = true;
  options.capabilities = options.apop = options.pipelining = false;
  agent::Peer server;
  server.endpoint = from;
  const agent::FetchResult result =
      client.Run(agent::Fetch(client.context, client.deadlines, randomness, server, options, [](pop3::ClientSession& session) {
        session.Stat();
        session.List();
        session.Uidl();
        session.Retrieve(4);
        session.Quit();
      }));
  if (result.closed.kind != pop3::ClientOutcome::Kind::kDone || result.messages.size() != 1)
    return Fail("the message was not fetched: " + result.closed.text, from.Text());
  return {};
}

// That the message was fetched is written when the session has ended, a moment after its client has.
store::Result<std::vector<store::JourneyEvent>> WholeJourney(store::Store& store, const store::JourneyQuery& query) {
  constexpr int kLooks = 200;
  store::Result<std::vector<store::JourneyEvent>> events;
  for (int i = 0; i < kLooks; ++i) {
    events = Await<std::vector<store::JourneyEvent>>([&](auto done) { store.journeys().Find(query, std::move(done)); });
    const bool fetched = events && std::ranges::any_of(*events, [](const store::JourneyEvent& event) {
                           return event.kind == static_cast<int>(JourneyKind::kFetched);
                         });
    if (!events || fetched) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return events;
}

analysis::JourneyRecord RecordOf(const store::JourneyEvent& event) {
  analysis::JourneyRecord record;
  record.host = kDomain;
  record.time = event.time;
  record.queue_id = store::QueueIdText(event.message);
  record.kind = JourneyKindOf(event.kind).value_or(JourneyKind::kAccepted);
  record.conversation = event.conversation;
  record.sender = event.sender;
  record.recipient = event.recipient;
  record.message_id = event.message_id;
  record.digest = event.digest;
  record.detail = event.detail;
  return record;
}

// Of the two recordings the first is that of sending.
Expected<void> NameCaptures(const std::string& folder, LabResult& result) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder + "/recorded", error)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  if (error || files.size() != 2) return Fail("there should be two recorded conversations", folder + "/recorded");
  result.send = folder + "/send.pcapng";
  result.login = folder + "/login.pcapng";
  std::filesystem::rename(files[0], result.send, error);
  if (!error) std::filesystem::rename(files[1], result.login, error);
  if (error) return Fail("cannot be renamed: " + error.message(), folder + "/recorded");
  std::filesystem::remove(folder + "/recorded", error);
  return {};
}

// On the well-known ports if that is permitted and nobody is there, so that Wireshark knows them.
Expected<std::unique_ptr<server::Server>> StartServer(const std::string& folder, const Clock& clock, Randomness& randomness) {
  auto server = server::Server::Make(ConfigOf(folder, true), clock, randomness);
  if (server) return server;
  std::error_code ignored;
  std::filesystem::remove_all(folder + "/data", ignored);
  std::filesystem::remove_all(folder + "/recorded", ignored);
  return server::Server::Make(ConfigOf(folder, false), clock, randomness);
}

}  // namespace

Expected<LabResult> RunOnce(const std::string& folder, const Clock& clock, Randomness& randomness) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return Fail("cannot be made: " + error.message(), folder);
  for (const char* old : {"/data", "/recorded"}) std::filesystem::remove_all(folder + old, error);
  LabResult result;
  {
    auto made = StartServer(folder, clock, randomness);
    if (!made) return std::unexpected(made.error());
    Running running(std::move(*made));
    if (const auto added = AddUsers(running.server(), randomness); !added) return std::unexpected(added.error());
    for (int i = 1; i <= 3; ++i) {
      if (const auto laid = LayIn(running.server().store(), clock, i); !laid) return std::unexpected(laid.error());
    }
    ClientSide client(clock);
    const auto sent = SendIt(client, running.At(server::ListenerKind::kSubmission), clock, randomness);
    if (!sent) return std::unexpected(sent.error());
    const auto fetched = FetchIt(client, running.At(server::ListenerKind::kPop3), randomness);
    if (!fetched) return std::unexpected(fetched.error());
    store::JourneyQuery query;
    query.key = store::JourneyQuery::Key::kMessage;
    query.message = store::ParseQueueId(sent->substr(sent->rfind(' ') + 1));
    const auto events = WholeJourney(running.server().store(), query);
    if (!events) return Fail("the journey cannot be read: " + events.error().text, folder);
    for (const store::JourneyEvent& event : *events) result.journey.push_back(RecordOf(event));
  }
  if (const auto named = NameCaptures(folder, result); !named) return std::unexpected(named.error());
  return result;
}

}  // namespace glasspost::lab
