#include "agent/talk/talker.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "wire/imap/grammar.h"
#include "wire/pop3/grammar.h"
#include "wire/smtp/reply.h"

namespace glasspost::agent::talk {
namespace {

constexpr std::chrono::hours kForever(24 * 365);
constexpr std::chrono::milliseconds kSlice(200);  // of a wait, after which it is looked at whether something has changed
constexpr std::chrono::seconds kGoodbye(2);
constexpr std::uint64_t kAll = ~std::uint64_t{0};
// A reply that ends nowhere known (an unknown command of POP3 that was accepted) is taken for whole after this silence.
constexpr std::chrono::seconds kQuiet(1);

}  // namespace

Talker::Talker(const Network& network, Protocol protocol, View& view, TalkerOptions options)
    : network_(network), options_(std::move(options)), view_(view), state_(protocol), secrets_(options_.show_secrets) {}

Talker::~Talker() {
  if (!pumping_) return;
  End(true);
}

Expected<void> Talker::Connect(const ServerAddress& server, std::shared_ptr<const net::TlsContext> tls,
                               const std::function<std::unique_ptr<Tap>()>& tap) {
  std::optional<Expected<Connected>> result;
  const TrialLimits limits{.connect = options_.wait, .wait = options_.wait};
  const auto connect = [&]() -> net::Task<void> { result = co_await ConnectTo(network_, server, tls, limits, tap); };
  net::asio::co_spawn(network_.context.get_executor(), connect(), net::asio::detached);
  network_.context.restart();
  while (!result && !abandoned_ && network_.context.run_one() > 0) {
  }
  if (!result) return Fail("given up");
  if (!*result) return std::unexpected(result->error());
  stream_ = std::move((*result)->stream);
  peer_ = std::move((*result)->peer);
  view_.Tell(View::Event::kConnected, peer_.endpoint.Text());
  if (peer_.implicit_tls) orders_.push_back({.kind = Order::Kind::kTls, .octets = {}, .typed = false});
  pumping_ = true;
  last_heard_ = stream_->clock().Steady();
  net::asio::co_spawn(network_.context.get_executor(), Pump(), net::asio::detached);
  if (peer_.implicit_tls) Run([this] { return handshake_done_ || handshake_failed_; }, options_.wait);
  return {};
}

// Reads, unless there is something to be done.
net::Task<void> Talker::Pump() {
  while (true) {
    if (!orders_.empty()) {
      Order order = std::move(orders_.front());
      orders_.pop_front();
      // What was given out together travels together.
      while (order.kind == Order::Kind::kLine && !orders_.empty() && orders_.front().kind == Order::Kind::kLine) {
        order.octets += orders_.front().octets;
        orders_.pop_front();
      }
      busy_ = true;
      const bool goes_on = co_await Carry(std::move(order));
      busy_ = false;
      if (!goes_on) break;
      continue;
    }
    reading_ = true;
    const net::ReadResult in = co_await stream_->Read(kForever);
    reading_ = false;
    if (in.status == net::IoStatus::kCancelled && stream_->status() == net::IoStatus::kOk) continue;  // an order came
    if (in.status != net::IoStatus::kOk) {
      Ended(in.status);
      if (in.status == net::IoStatus::kEnd) co_await stream_->Close(kGoodbye);
      break;
    }
    Heard(in.octets);
    if (lines_.pending() > TalkerLimits::kEndlessLine) {
      LeaveOut();
      view_.Tell(View::Event::kDroppedByUs, {});
      break;
    }
    // A server that says more than can be shown must not keep others from their turn: time-outs, who types.
    co_await net::asio::post(network_.context.get_executor(), net::kAwait);
    if (state_.input() == Input::kTls) orders_.push_front({.kind = Order::Kind::kTls, .octets = {}, .typed = false});
  }
  over_ = true;
  state_.OnClosed();
  stream_.reset();
  Drain(kAll);
  pumping_ = false;
}

// False: the connection has ended.
net::Task<bool> Talker::Carry(Order order) {
  switch (order.kind) {
    case Order::Kind::kTls: {
      const bool shaken = co_await StartTls();
      co_return shaken;
    }
    case Order::Kind::kClose:
      co_await stream_->Close(kGoodbye);
      Drain(kAll);
      view_.Tell(View::Event::kClosedByUs, {});
      co_return false;
    case Order::Kind::kDrop:
      view_.Tell(View::Event::kDroppedByUs, {});
      co_return false;
    default:
      break;
  }
  const net::IoStatus status = co_await stream_->Write(order.octets, options_.wait);
  const auto requests = static_cast<std::size_t>(std::ranges::count(told_, Told::Kind::kRequest, &Told::kind));
  ShowSent(order, requests);
  Drain(position_);
  last_heard_ = stream_->clock().Steady();
  if (status == net::IoStatus::kOk) co_return true;
  Ended(status);
  co_return false;
}

net::Task<bool> Talker::StartTls() {
  if (const std::uint64_t early = lines_.pending(); early > 0) view_.Tell(View::Event::kDropped, std::to_string(early));
  lines_.Reset();
  const bool first = !state_.greeted();
  const net::IoStatus status = co_await stream_->StartTls(peer_.tls, peer_.host, options_.wait);
  Drain(kAll);
  if (status != net::IoStatus::kOk) {
    const std::string why = stream_->tls_error();
    view_.Tell(View::Event::kTlsFailed, why.empty() ? std::string(net::Name(status)) : why);
    net::TlsInfo refused;
    refused.why_not = why;
    view_.Showed(stream_->peer_certificate(), refused, peer_.host);
    handshake_failed_ = true;
    co_return false;
  }
  const auto info = stream_->tls_info();
  view_.Tell(View::Event::kTls, info ? info->version + " " + info->cipher : std::string());
  if (info) view_.Showed(stream_->peer_certificate(), *info, peer_.host);
  if (info && !info->verified) view_.Tell(View::Event::kUnverified, info->why_not);
  state_.OnTls(first);
  handshake_done_ = true;
  last_heard_ = stream_->clock().Steady();
  co_return true;
}

void Talker::Ended(net::IoStatus status) {
  LeaveOut();
  if (abandoned_) return view_.Tell(View::Event::kDroppedByUs, {});
  if (status == net::IoStatus::kEnd) return view_.Tell(View::Event::kClosed, {});
  const std::string why = stream_->tls_error();
  view_.Tell(View::Event::kCut, why.empty() ? std::string(net::Name(status)) : why);
}

void Talker::Push(Order order) {
  if (over_) return;
  orders_.push_back(std::move(order));
  Wake();
}

void Talker::Wake() {
  if (reading_) stream_->Interrupt();
}

// Until `until` holds, the connection has ended, or there was no sign of life for `silence`.
bool Talker::Run(const std::function<bool()>& until, std::chrono::nanoseconds silence) {
  if (!pumping_) return until();
  last_heard_ = stream_->clock().Steady();
  const std::int64_t end = last_heard_ + TalkerLimits::kWaits * silence.count();
  while (!until()) {
    if (over_ || abandoned_ || !pumping_) return until();
    const std::int64_t now = stream_->clock().Steady();
    const std::int64_t left = std::min(last_heard_ + silence.count(), end) - now;
    if (left <= 0) return false;
    if (network_.context.stopped()) network_.context.restart();
    network_.context.run_one_for(std::min<std::chrono::nanoseconds>(std::chrono::nanoseconds(left), kSlice));
  }
  return true;
}

bool Talker::Settle(std::chrono::nanoseconds most) {
  const std::uint64_t heard = lines_heard_;
  const bool literal = literal_due_;
  return Run(
      [&] {
        if (!orders_.empty() || busy_) return false;
        if (chunk_due_ > 0) return true;
        if (literal && lines_heard_ == heard) return false;  // "+" is no reply of its own there
        if (state_.greeted() && state_.waiting() == 0) return true;
        const bool stray = state_.protocol() == Protocol::kPop3 && lines_heard_ > heard && pumping_ &&
                           stream_->clock().Steady() - last_heard_ > std::chrono::nanoseconds(kQuiet).count();
        return stray && pop3::CommandOf(Octets(last_line_).substr(0, last_line_.find(' '))) == pop3::Command::kUnknown;
      },
      most);
}

void Talker::Pause(std::chrono::nanoseconds time) {
  const std::int64_t end = network_.deadlines.clock().Steady() + time.count();
  Run([&] { return network_.deadlines.clock().Steady() >= end; }, time * 2 + kSlice);
}

bool Talker::WaitForClose() {
  return Run([this] { return over_; }, options_.wait) && over_;
}

void Talker::Abandon() {
  abandoned_ = true;
  if (stream_) stream_->Cancel();
}

void Talker::Heard(Octets octets) {
  last_heard_ = stream_->clock().Steady();
  text::Line line;
  while (lines_.Next(octets, line) == text::LineSplitter::Step::kLine) {
    endless_told_ = false;
    // Drained first: a whole reply says whether it refuses.
    ShowLine(line);
    position_ += line.length;
    ++lines_heard_;
    const bool tls_before = state_.input() == Input::kTls;
    Drain(position_);
    if (!tls_before && state_.input() == Input::kTls && !octets.empty()) {
      view_.Tell(View::Event::kDropped, std::to_string(octets.size()));
      break;
    }
  }
  if (lines_.pending() > TalkerLimits::kShownLine && !std::exchange(endless_told_, true))
    view_.Tell(View::Event::kEndless, std::to_string(lines_.pending()));
  Drain(kAll);
}

bool Talker::Refuses(Octets line) const {
  if (state_.protocol() == Protocol::kPop3) return reply_lines_ == 0 && pop3::ParseStatus(line).status == pop3::Status::kErr;
  if (state_.protocol() == Protocol::kImap) {
    const imap::Response r = imap::ParseResponse(line);
    return r.kind == imap::Kind::kTagged && (EqualsNoCase(r.word, "NO") || EqualsNoCase(r.word, "BAD"));
  }
  smtp::ReplyLine r;
  return smtp::ParseReplyLine(line, r) && r.code >= 400;
}

void Talker::ShowLine(const text::Line& line) {
  const bool refuses = Refuses(line.text);
  last_heard_line_.assign(line.cut ? Octets() : line.text);
  const std::string told = Tellable(line);
  if (heard_.size() + told.size() < PatternLimits::kReply) heard_ += told + '\n';
  if (reply_lines_++ < TalkerLimits::kShownLines || options_.full || refuses) view_.Heard(told, state_.tls(), refuses, line.cut);
}

// What the observer masks in a step of a login is masked here, too.
std::string Talker::Tellable(const text::Line& line) const {
  const auto told = std::ranges::find(told_, Told::Kind::kExchange, &Told::kind);
  const bool step = told != told_.end() && told->exchange.reply.sasl != SaslContent::kNone &&
                    told->end == position_ + line.length && told->exchange.reply.text.find("*** (") != std::string::npos;
  if (!step) return secrets_.Redacted(line.text, line.cut);
  std::string text = TextOf(told->exchange.reply);
  text.pop_back();
  return text;
}

// As the server sent it; empty if it was too long to be kept.
Octets Talker::Challenge() const {
  const Octets line = last_heard_line_;
  if (state_.protocol() == Protocol::kPop3) return pop3::ParseStatus(line, true).text;
  if (state_.protocol() == Protocol::kImap) return imap::ParseResponse(line).text;
  smtp::ReplyLine reply;
  return smtp::ParseReplyLine(line, reply) ? reply.text : Octets();
}

// How much of a long reply was not shown.
void Talker::LeaveOut() {
  const std::size_t lines = std::exchange(reply_lines_, 0);
  if (lines > TalkerLimits::kShownLines && !options_.full)
    view_.Tell(View::Event::kLeftOut, std::to_string(lines - TalkerLimits::kShownLines));
}

void Talker::OnRequest(const analysis::ConversationFacts&, const Exchange& exchange) {
  Keep({.kind = Told::Kind::kRequest, .end = 0, .with_reply = false, .exchange = exchange, .finding = {}});
}

void Talker::OnExchange(const analysis::ConversationFacts&, const Exchange& exchange) {
  const Span& span = exchange.more_replies.empty() ? exchange.reply.span : exchange.more_replies.back().span;
  Told told{.kind = Told::Kind::kExchange,
            .end = exchange.has_reply ? span.offset + span.length : 0,
            .with_reply = false,
            .exchange = exchange,
            .finding = {}};
  told.exchange.query = told.exchange.response = nullptr;
  Keep(std::move(told));
}

void Talker::OnFinding(const analysis::ConversationFacts&, const Finding& finding) {
  Keep({.kind = Told::Kind::kFinding, .end = 0, .with_reply = reading_, .exchange = {}, .finding = finding});
}

void Talker::Keep(Told told) {
  if (told_.size() >= TalkerLimits::kTold) told_.pop_front();
  told_.push_back(std::move(told));
}

// A finding that the server's words brought is shown with the reply that it came with.
std::uint64_t Talker::EndOf(const Told& told) const {
  if (!told.with_reply) return told.end;
  const auto reply = std::ranges::find(told_, Told::Kind::kExchange, &Told::kind);
  return reply != told_.end() ? reply->end : kAll;
}

void Talker::Drain(std::uint64_t position) {
  while (!told_.empty() && EndOf(told_.front()) <= position) {
    const Told told = std::move(told_.front());
    told_.pop_front();
    Handle(told);
  }
}

void Talker::Handle(const Told& told) {
  const bool tls = state_.tls();
  switch (told.kind) {
    case Told::Kind::kFinding:
      return view_.Found(told.finding, state_.protocol());
    case Told::Kind::kRequest: {
      state_.OnRequest(told.exchange);
      literal_due_ = false;
      return view_.Asked(told.exchange, tls);
    }
    case Told::Kind::kExchange:
      break;
  }
  LeaveOut();
  if (told.exchange.has_request) literal_due_ = false;  // refused before it came
  state_.OnExchange(told.exchange);
  if (told.exchange.has_reply) {
    login_unanswered_ = false;
    if (replies_.size() >= TalkerLimits::kReplies) replies_.pop_front();
    replies_.push_back({told.exchange, std::exchange(heard_, {})});
  }
  view_.Answered(told.exchange, tls);
}

// Remembers what is secret in the line, so that a server that says it again does not show it; gives the line without it.
std::string Talker::Masked(Octets line, bool answer, bool secret) {
  if (options_.show_secrets) return std::string(line);
  std::size_t at = answer ? 0 : sasl::FindSlip(line, state_.secret_words());
  if (at == Octets::npos && secret) at = std::min(line.find(' ') + 1, line.size());
  if (at >= line.size()) return secrets_.Redacted(line);
  return sasl::HideFrom(line, at, line.size(), secrets_);
}

// As the observer tells a request, so it is shown; what it does not tell yet (it waits for a reply to know what it is) is shown
// as it was typed.
void Talker::ShowSent(const Order& order, std::size_t requests) {
  if (order.kind == Order::Kind::kOctets) return;
  const bool data = order.kind == Order::Kind::kDataLine;
  Octets rest = order.octets;
  auto told = told_.begin();
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find("\r\n"), rest.size());
    const Octets line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 2, rest.size()));
    if (data) {
      view_.Sent(line, state_.tls(), order.typed);
      continue;
    }
    told = std::find_if(told, told_.end(), [](const Told& t) { return t.kind == Told::Kind::kRequest; });
    if (requests == 0 || told == told_.end()) {
      const bool answer = last_answer_ && !state_.asks_for_user();
      view_.Sent(Masked(line, answer || login_unanswered_, false), state_.tls(), order.typed);
      login_unanswered_ |= last_answer_ || StartsWithNoCase(line, "AUTH");
      continue;
    }
    const Request& r = told++->exchange.request;
    std::string shown = r.tag.empty() ? "" : r.tag + " ";
    shown += r.verb == "*" ? r.argument : std::string(r.VerbAsWritten()) + (r.argument.empty() ? "" : " " + r.argument);
    login_unanswered_ |= r.verb == "*" || StartsWithNoCase(r.verb, "AUTH");
    const bool masked = shown.find("***") != std::string::npos;
    if (masked) Masked(line, r.verb == "*", true);
    view_.Sent(masked ? Octets(shown) : line, state_.tls(), order.typed);
  }
}

Answer Talker::TakeAnswer() {
  Answer answer;
  if (replies_.empty()) return answer;
  answer.came = true;
  Exchange& e = replies_.front().exchange;
  answer.reply = std::move(e.more_replies.empty() ? e.reply : e.more_replies.back());
  answer.heard = std::move(replies_.front().heard);
  replies_.pop_front();
  return answer;
}

void Talker::TellLate() {
  view_.Tell(View::Event::kLate, std::to_string(std::chrono::duration_cast<std::chrono::seconds>(options_.wait).count()));
}

Answer Talker::WaitAnswer() {
  const bool in_time = Run([this] { return !replies_.empty(); }, options_.wait);
  Answer answer = TakeAnswer();
  if (!answer.came && !in_time && !over_ && !abandoned_) {
    answer.late = true;
    TellLate();
  }
  return answer;
}

Answer Talker::NextAnswer() { return WaitAnswer(); }
Answer Talker::Greeting() { return WaitAnswer(); }

}  // namespace glasspost::agent::talk
