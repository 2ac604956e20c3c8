// The dialogue: octets between stream and session machine, and the order of things.
#include "server/smtp_connection.h"

#include <algorithm>

#include "server/trace.h"

namespace glasspost::server {

namespace {

// The connection belongs to its coroutine.
net::Task<void> RunToItsEnd(std::unique_ptr<SmtpConnection> connection) { co_await connection->Run(); }

}  // namespace

void ServeSmtp(const Worker& worker, const SmtpContext& context, std::shared_ptr<const SmtpService> service,
               SmtpArrival arrival) {
  if (worker.sessions.closing()) return;
  auto connection = std::make_unique<SmtpConnection>(worker, context, std::move(service), std::move(arrival));
  net::asio::co_spawn(worker.context.get_executor(), RunToItsEnd(std::move(connection)), net::asio::detached);
}

SmtpConnection::SmtpConnection(const Worker& worker, const SmtpContext& context, std::shared_ptr<const SmtpService> service,
                               SmtpArrival arrival)
    : Session(worker.sessions),
      context_(context),
      service_(std::move(service)),
      stream_(std::move(arrival.socket), net::Side::kServer, worker.deadlines, std::move(arrival.tap)),
      place_(std::move(arrival.place)),
      waiter_(worker.context),
      session_(*this, service_->session, context.randomness) {
  facts_.conversation = arrival.conversation;
  facts_.role = service_->session.role;
  facts_.client = stream_.peer();
  facts_.server = stream_.local();
  facts_.relay_network = service_->may_relay(facts_.client.address);
}

SmtpConnection::~SmtpConnection() = default;

net::Task<void> SmtpConnection::Run() {
  context_.events.Note(Event::kConnect, facts_.conversation, {{"peer", facts_.client.Text()}, {"local", facts_.server.Text()}});
  began_ = busy_since_ = stream_.clock().Steady();
  bool ready = true;
  if (service_->implicit_tls) ready = co_await Handshake();
  if (ready) co_await Talk();
  session_.Closed();
  intake_.reset();
  co_await stream_.Close(service_->times.close);
  context_.events.Note(Event::kDisconnect, facts_.conversation, {{"peer", facts_.client.Text()}});
}

net::Task<void> SmtpConnection::Talk() {
  using Next = smtp::ServerSession::Next;
  session_.Start(stream_.tls());
  bool go_on = true;
  while (go_on) {
    switch (session_.next()) {
      case Next::kRead:
        // The replies to a pipelined group go out together (RFC 2920 §3.2).
        if (!more_input_) go_on = co_await SendOutput();
        if (go_on) go_on = co_await Receive();
        break;
      case Next::kWait:
        co_await AnswerQuestion();
        break;
      case Next::kWrite:
        go_on = co_await SendOutput();
        break;
      case Next::kTls:
        more_input_ = false;
        go_on = co_await SendOutput();
        if (go_on) go_on = co_await Handshake();
        if (go_on) session_.TlsStarted();
        break;
      case Next::kClose:
        co_await SendOutput();
        co_return;
    }
  }
}

// False: the connection is gone.
net::Task<bool> SmtpConnection::Receive() {
  const net::ReadResult in = co_await stream_.Read(ReadTime());
  if (in.status == net::IoStatus::kOk) {
    const bool content = session_.receiving_content();
    const std::size_t used = session_.Receive(in.octets);
    more_input_ = used < in.octets.size();
    stream_.PutBack(in.octets.substr(used));
    if (content != session_.receiving_content()) busy_since_ = stream_.clock().Steady();
    co_return true;
  }
  more_input_ = false;
  if (in.status == net::IoStatus::kCancelled && !cancelled_) co_return true;  // interrupted: the session has something to say
  if (in.status == net::IoStatus::kTimedOut) {
    session_.TimedOut();
    co_return true;
  }
  session_.Closed();
  co_return false;
}

// A command must be whole within its time, and so must a message, however slowly they come.
std::chrono::nanoseconds SmtpConnection::ReadTime() const {
  const SmtpTimes& times = service_->times;
  const std::chrono::nanoseconds spent(stream_.clock().Steady() - busy_since_);
  const std::chrono::nanoseconds left = (session_.receiving_content() ? times.message : times.command) - spent;
  const std::chrono::nanoseconds most = session_.receiving_content() ? times.data : times.command;
  const std::chrono::nanoseconds whole = times.session - std::chrono::nanoseconds(stream_.clock().Steady() - began_);
  return std::clamp(std::min(left, whole), std::chrono::nanoseconds(1), most);
}

net::Task<bool> SmtpConnection::SendOutput() {
  if (!session_.has_output()) co_return true;
  std::string output;
  session_.TakeOutput(output);
  const net::IoStatus sent = co_await stream_.Write(output, service_->times.write);
  busy_since_ = stream_.clock().Steady();
  if (sent == net::IoStatus::kOk) co_return true;
  session_.Closed();
  co_return false;
}

net::Task<bool> SmtpConnection::Handshake() {
  const net::IoStatus status = co_await stream_.StartTls(service_->tls, {}, service_->times.handshake);
  busy_since_ = stream_.clock().Steady();
  if (status == net::IoStatus::kOk) {
    facts_.tls = true;
    facts_.hello.clear();
    facts_.user.clear();
    facts_.account = 0;
    context_.events.Note(Event::kTls, facts_.conversation, {{"tls", TlsText()}});
    co_return true;
  }
  context_.events.Note(Event::kTlsFailed, facts_.conversation,
                       {{"peer", facts_.client.Text()},
                        {"why", status == net::IoStatus::kTlsFailed ? stream_.tls_error() : std::string(Name(status))}});
  session_.Closed();
  co_return false;
}

// What the session waits for.
net::Task<void> SmtpConnection::AnswerQuestion() {
  if (intake_ && intake_->owed()) {
    co_await intake_->Settle();
    session_.Resume();
    // The message's end may have come with the octets that made the store busy.
    if (question_ == Question::kNone) co_return;
  }
  // An awaited value stands by itself: gcc 12 destroys others twice.
  const Question question = std::exchange(question_, Question::kNone);
  if (question == Question::kNone) co_return session_.Resume();
  if (question == Question::kVerifiers) {
    co_await FindVerifiers();
    co_return session_.GiveVerifiers(found_.verifiers);
  }
  const smtp::Answer answer = co_await Decide(question);
  session_.Decide(answer);
}

net::Task<smtp::Answer> SmtpConnection::Decide(Question question) {
  switch (question) {
    case Question::kConnect:
      return DecideConnect();
    case Question::kHello:
      return DecideHello();
    case Question::kMail:
      return DecideMail();
    case Question::kRecipient:
      return DecideRecipient();
    case Question::kPassword:
      return DecidePassword();
    case Question::kProof:
      return DecideProof();
    default:
      return DecideEnd();
  }
}

SessionInfo SmtpConnection::Info() const {
  return {submission() ? "submission" : "smtp", facts_.client, facts_.conversation, facts_.user};
}

void SmtpConnection::Finish() {
  session_.ShutDown();
  stream_.Interrupt();
}

void SmtpConnection::Cancel() {
  cancelled_ = true;
  stream_.Cancel();
  waiter_.Cancel();
}

std::string SmtpConnection::TlsText() const {
  const auto info = stream_.tls_info();
  return info ? info->version + " " + info->cipher : std::string();
}

}  // namespace glasspost::server
