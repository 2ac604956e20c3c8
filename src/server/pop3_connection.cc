#include "server/pop3_connection.h"

#include <atomic>
#include <optional>
#include <utility>

#include "net/completion.h"
#include "net/stream.h"
#include "server/pop3_maildrop.h"

namespace glasspost::server {
namespace {

using net::IoStatus;
using net::Task;

pop3::LoginOutcome OutcomeOf(LoginResult::Kind kind) {
  if (kind == LoginResult::Kind::kAccepted) return pop3::LoginOutcome::kAccepted;
  return kind == LoginResult::Kind::kRefused ? pop3::LoginOutcome::kRefused : pop3::LoginOutcome::kTemporary;
}

class Pop3Connection final : public Session, private pop3::ServerHandler {
 public:
  Pop3Connection(const Worker& worker, Pop3Services& services, std::shared_ptr<const Pop3Settings> settings, Pop3Arrival arrival)
      : Session(worker.sessions),
        worker_(worker),
        services_(services),
        settings_(std::move(settings)),
        place_(std::move(arrival.place)),
        conversation_(arrival.conversation),
        implicit_tls_(arrival.implicit_tls),
        finishing_(worker.sessions.closing()),
        waiter_(worker.context),
        stream_(std::move(arrival.socket), net::Side::kServer, worker.deadlines, std::move(arrival.tap)),
        session_(*this, settings_->protocol, services.randomness, arrival.implicit_tls) {}

  static Task<void> Run(std::unique_ptr<Pop3Connection> self) {
    const bool orderly = co_await self->Converse();
    self->maildrop_.reset();  // whoever comes next need not wait until this client has closed
    if (orderly) co_await self->stream_.Close(self->settings_->close);
  }

  SessionInfo Info() const override { return {"pop3", stream_.peer(), conversation_, maildrop_ ? user_ : std::string()}; }
  void Finish() override {
    finishing_ = true;
    if (reading_) stream_.Cancel();
  }
  void Cancel() override { stream_.Cancel(); }

 private:
  // What the session has asked, and the store or the authenticator is yet to be asked.
  enum class Question : std::uint8_t { kNone, kPassword, kVerifiers, kMaildrop, kMessage, kCommit };

  // pop3::ServerHandler
  void CheckPassword(Octets user, Octets password) override {
    question_ = Question::kPassword;
    name_ = user;
    password_ = password;
  }
  void FindVerifiers(Octets user) override {
    question_ = Question::kVerifiers;
    name_ = user;
  }
  void Proven(Octets name, bool good) override {
    const auto kind = services_.authenticator.NoteProof(stream_.peer().address, good);
    NoteLogin(kind == LoginResult::Kind::kAccepted, name);
    session_.LoginDecided(OutcomeOf(kind));
  }
  bool MayWelcome() override { return !services_.authenticator.Blocked(stream_.peer().address); }
  void OpenMaildrop() override { question_ = Question::kMaildrop; }
  void ReadMessage(std::uint32_t index, std::uint64_t offset, std::size_t most) override {
    if (Say(index, offset, most)) return;
    question_ = Question::kMessage;
    index_ = index;
    offset_ = offset;
    most_ = most;
  }
  void Retrieved(std::uint32_t index) override { maildrop_->NoteFetched(index); }
  void Commit(std::span<const std::uint32_t> deleted) override {
    if (deleted.empty()) {
      maildrop_->Release();
      return session_.Committed(true);
    }
    question_ = Question::kCommit;
    deleted_ = deleted.size();
    maildrop_->Delete(deleted, committed_.emplace(waiter_).Callback());
  }

  void Note(Event event, std::initializer_list<EventField> fields) const {
    if (services_.events != nullptr) services_.events->Note(event, conversation_, fields);
  }
  // `name`: as the client said it.
  void NoteLogin(bool good, Octets name) const {
    Note(good ? Event::kLogin : Event::kLoginFailed,
         {{"user", good ? Octets(user_) : name}, {"peer", stream_.peer().Text()}, {"protocol", "pop3"}});
  }
  bool Say(std::uint32_t index, std::uint64_t offset, std::size_t most);
  void Written(std::size_t octets) {
    if (maildrop_) maildrop_->NoteSent();
    session_.Sent(octets);
  }
  Task<bool> Converse();
  Task<IoStatus> StartTls();
  Task<IoStatus> ReadCommands();
  Task<void> Answer();
  Task<void> AnswerPassword();
  Task<void> AnswerVerifiers();
  Task<void> AnswerMaildrop();
  Task<void> AnswerMessage();

  const Worker worker_;
  Pop3Services& services_;
  const std::shared_ptr<const Pop3Settings> settings_;
  const net::Admissions::Place place_;
  const std::uint64_t conversation_;
  const bool implicit_tls_;
  bool finishing_;
  bool reading_ = false;
  Question question_ = Question::kNone;
  Octets name_, password_;  // the session's; good until it has its answer
  std::uint32_t index_ = 0;
  std::uint64_t offset_ = 0;
  std::size_t most_ = 0;
  std::int64_t last_command_ = 0;
  std::size_t deleted_ = 0;
  store::AccountId account_ = 0;
  std::string user_;
  net::Waiter waiter_;
  std::optional<net::Answer<store::Result<void>>> committed_;
  net::Stream stream_;
  std::unique_ptr<Pop3Maildrop> maildrop_;  // the session's view
  pop3::ServerSession session_;
};

// False: the octets must be read first.
bool Pop3Connection::Say(std::uint32_t index, std::uint64_t offset, std::size_t most) {
  const auto piece = maildrop_->Find(index, offset, most);
  if (!piece) return false;
  session_.MessageRead(piece->octets, piece->last);
  return true;
}

Task<IoStatus> Pop3Connection::StartTls() {
  auto context = services_.tls ? services_.tls->current() : nullptr;
  if (!context) co_return IoStatus::kTlsFailed;
  const IoStatus status = co_await stream_.StartTls(std::move(context), {}, settings_->handshake);
  if (status == IoStatus::kTlsFailed) Note(Event::kTlsFailed, {{"peer", stream_.peer().Text()}, {"why", stream_.tls_error()}});
  co_return status;
}

// True: to be closed in an orderly way.
Task<bool> Pop3Connection::Converse() {
  if (implicit_tls_) {
    const IoStatus shaken = co_await StartTls();
    if (shaken != IoStatus::kOk) co_return false;
  }
  session_.Start();
  last_command_ = stream_.clock().Steady();
  while (true) {
    IoStatus status = IoStatus::kOk;
    if (question_ != Question::kNone) {
      co_await Answer();
    } else if (const std::size_t n = session_.output().size(); n > 0) {
      status = co_await stream_.Write(session_.output(), settings_->write);
      last_command_ = stream_.clock().Steady();  // a long download is not the client's silence
      if (status == IoStatus::kOk) Written(n);
    } else if (session_.finished()) {
      co_return !session_.broken();
    } else if (session_.StartsTls()) {
      status = co_await StartTls();
      if (status == IoStatus::kOk) session_.TlsStarted();
    } else if (finishing_) {
      co_return true;
    } else {
      status = co_await ReadCommands();
    }
    if (status != IoStatus::kOk) co_return status == IoStatus::kEnd;
  }
}

// The time runs from the last command, and its whole reply, on: an octet now and then does not keep a session alive.
Task<IoStatus> Pop3Connection::ReadCommands() {
  const std::int64_t until = last_command_ + std::chrono::nanoseconds(settings_->autologout).count();
  const std::int64_t left = std::max<std::int64_t>(until - stream_.clock().Steady(), 1);
  reading_ = true;
  const net::ReadResult in = co_await stream_.Read(std::chrono::nanoseconds(left));
  reading_ = false;
  if (in.status != IoStatus::kOk) co_return in.status;
  stream_.PutBack(in.octets.substr(session_.Receive(in.octets)));
  if (question_ != Question::kNone || !session_.output().empty()) last_command_ = stream_.clock().Steady();
  co_return IoStatus::kOk;
}

Task<void> Pop3Connection::Answer() {
  const Question question = std::exchange(question_, Question::kNone);
  if (question == Question::kPassword) co_await AnswerPassword();
  if (question == Question::kVerifiers) co_await AnswerVerifiers();
  if (question == Question::kMaildrop) co_await AnswerMaildrop();
  if (question == Question::kMessage) co_await AnswerMessage();
  if (question == Question::kCommit) {
    co_await waiter_.Wait();
    const auto result = committed_->value();
    committed_.reset();
    if (result && *result) {
      Note(Event::kMaildropUpdated, {{"user", user_}, {"deleted", std::to_string(deleted_)}});
    } else if (result) {
      Note(Event::kStoreFailed, {{"user", user_}, {"why", result->error().text}});
    }
    session_.Committed(result && *result);
  }
}

Task<void> Pop3Connection::AnswerPassword() {
  const auto result = co_await net::Await<LoginResult>(waiter_, [&](auto done) {
    services_.authenticator.CheckPassword(std::string(name_), std::string(password_), stream_.peer().address, std::move(done));
  });
  const auto kind = result ? result->kind : LoginResult::Kind::kTryLater;
  if (kind == LoginResult::Kind::kAccepted) {
    account_ = result->account;
    user_ = result->name.Text();
    NoteLogin(true, name_);
    session_.LoginDecided(pop3::LoginOutcome::kAccepted);
  } else {
    if (result) NoteLogin(false, name_);
    session_.LoginDecided(OutcomeOf(kind));
  }
}

Task<void> Pop3Connection::AnswerVerifiers() {
  const auto found = co_await net::Await<FoundVerifiers>(waiter_, [&](auto done) {
    services_.authenticator.FindVerifiers(std::string(name_), stream_.peer().address, std::move(done));
  });
  account_ = found ? found->account : 0;
  user_ = account_ != 0 ? found->name.Text() : std::string();
  session_.VerifiersFound(found ? std::span<const std::string>(found->verifiers) : std::span<const std::string>());
}

Task<void> Pop3Connection::AnswerMaildrop() {
  static std::atomic<std::uint64_t> number{0};
  std::string owner = services_.lease_owner + "/" + std::to_string(++number);
  auto drop = co_await net::Await<store::Result<store::Maildrop>>(waiter_, [&](auto done) {
    services_.store.mailboxes().OpenMaildrop(account_, Pop3Maildrop::LeaseFor(stream_.clock(), owner), stream_.clock().Now(),
                                             std::move(done));
  });
  if (!drop || !*drop) {
    const auto fault = drop ? drop->error().fault : store::Fault::kClosed;
    user_.clear();
    if (fault == store::Fault::kInUse) co_return session_.MaildropOpened(pop3::MaildropOutcome::kInUse);
    // The account went away since it was looked up.
    if (fault == store::Fault::kNotFound) co_return session_.MaildropOpened(pop3::MaildropOutcome::kPermanent);
    co_return session_.MaildropOpened(pop3::MaildropOutcome::kTemporary);
  }
  maildrop_ = std::make_unique<Pop3Maildrop>(services_.store, worker_.deadlines, std::move(**drop), std::move(owner),
                                             Pop3Maildrop::Reader{user_, conversation_});
  Note(Event::kMaildropOpened, {{"user", user_}, {"messages", std::to_string(maildrop_->count())}});
  session_.MaildropOpened(pop3::MaildropOutcome::kOpened, maildrop_.get());
}

Task<void> Pop3Connection::AnswerMessage() {
  auto answer = co_await net::Await<store::Result<store::ReadAnswer>>(
      waiter_, [&](auto done) { services_.store.mailboxes().Read(maildrop_->RequestFor(index_, offset_), std::move(done)); });
  if (answer && *answer && maildrop_->TakeAnswer(std::move(**answer)) && Say(index_, offset_, most_)) co_return;
  // What is not there any more was taken away with its account, or by a hand in the database.
  const bool gone = answer && (*answer || answer->error().fault == store::Fault::kNotFound);
  session_.MessageFailed(gone ? pop3::ReadFailure::kPermanent : pop3::ReadFailure::kTemporary);
}

}  // namespace

void ServePop3(const Worker& worker, Pop3Services& services, std::shared_ptr<const Pop3Settings> settings, Pop3Arrival arrival) {
  auto connection = std::make_unique<Pop3Connection>(worker, services, std::move(settings), std::move(arrival));
  net::asio::co_spawn(worker.context.get_executor(), Pop3Connection::Run(std::move(connection)), net::asio::detached);
}

}  // namespace glasspost::server
