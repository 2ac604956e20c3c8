#include "net/unbound_resolver.h"

#include <unbound.h>
#include <unistd.h>

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <cerrno>
#include <cstring>
#include <set>

#include "base/ascii.h"
#include "wire/dns/constants.h"
#include "wire/dns/message.h"

namespace glasspost::net {
namespace {

// Where there is no resolv.conf, a name server on this machine is meant (resolv.conf(5)).
constexpr const char* kWithoutFile = "127.0.0.1";

struct Free {
  void operator()(ub_ctx* context) const { ub_ctx_delete(context); }
  void operator()(ub_result* result) const { ub_resolve_free(result); }
};

// "192.0.2.53:5353" as libunbound has it: "192.0.2.53@5353".
Expected<std::string> ForUnbound(const std::string& server) {
  std::string host = server;
  std::string port;
  const std::size_t close = server.find(']');
  if (server.starts_with('[') && close != std::string::npos) {
    host = server.substr(1, close - 1);
    if (close + 1 < server.size()) port = server.substr(close + 1);
  } else if (const std::size_t colon = server.find(':');
             colon != std::string::npos && server.find(':', colon + 1) == std::string::npos) {
    host = server.substr(0, colon);
    port = server.substr(colon);
  }
  if (port.empty()) return host;
  const auto number = port.front() == ':' ? ParsePort(Octets(port).substr(1)) : std::nullopt;
  if (!number) return Fail("\"" + server + "\" is no address of a name server");
  return host + "@" + std::to_string(*number);
}

DnsAnswer FromResult(const ub_result& result, bool validated) {
  DnsAnswer answer;
  if (result.answer_packet && result.answer_len > 0)
    answer.message.assign(static_cast<const char*>(result.answer_packet), static_cast<std::size_t>(result.answer_len));
  answer.rcode = static_cast<std::uint16_t>(result.rcode);
  if (result.bogus) {
    answer.security = DnsAnswer::Security::kBogus;
    if (result.why_bogus) answer.why_bogus = result.why_bogus;
  } else if (result.secure) {
    answer.security = DnsAnswer::Security::kSecure;
  }
  if (answer.message.empty() || (answer.rcode == dns::kRcodeServFail && !result.bogus)) {
    answer.failure = "no name server gave an answer";
    answer.rcode = dns::kRcodeServFail;
  } else if (validated && answer.security == DnsAnswer::Security::kIndeterminate) {
    answer.security = DnsAnswer::Security::kInsecure;
  }
  return answer;
}

}  // namespace

struct UnboundResolver::State : std::enable_shared_from_this<State> {
  // A question that is open. Lives in the coroutine that asked.
  struct Open {
    Open(State& s, const Executor& executor) : state(s), done(executor) {}
    ~Open() {  // without an answer: the io_context ends with the question open
      if (state.open.erase(this) != 0) ub_cancel(state.context.get(), id);
    }
    State& state;
    Timer done;  // cancelled when the answer is there
    DnsAnswer answer;
    int id = 0;
    bool answered = false;
  };

  State(asio::io_context& io, std::unique_ptr<ub_ctx, Free> made, const UnboundOptions& options)
      : patience(options.patience),
        validates(!options.trust_anchor.empty()),
        context(std::move(made)),
        ready(io.get_executor(), ub_fd(context.get())),
        executor(io.get_executor()) {}
  ~State() { ready.release(); }  // the descriptor is libunbound's

  static void OnResult(void* open, int error, ub_result* result) {
    const std::unique_ptr<ub_result, Free> owned(result);
    Open& o = *static_cast<Open*>(open);
    if (error != 0 || !result) {
      o.answer.failure = ub_strerror(error);
      o.answer.rcode = dns::kRcodeServFail;
    } else {
      o.answer = FromResult(*result, o.state.validates);
    }
    o.state.Finish(o);
  }
  void Finish(Open& o) {
    o.answered = true;
    open.erase(&o);
    o.done.cancel();
  }
  // Looks for answers as long as a question is open.
  void Watch() {
    if (watching || open.empty()) return;
    watching = true;
    ready.async_wait(decltype(ready)::wait_read, [self = shared_from_this()](const boost::system::error_code& error) {
      self->watching = false;
      if (error || self->closed) return;
      ub_process(self->context.get());
      self->Watch();
    });
  }

  const std::chrono::milliseconds patience;
  const bool validates;
  std::unique_ptr<ub_ctx, Free> context;
  asio::posix::basic_stream_descriptor<Executor> ready;
  Executor executor;
  std::set<Open*> open;
  bool watching = false;
  bool closed = false;
};

UnboundResolver::UnboundResolver(std::shared_ptr<State> state) : state_(std::move(state)) {}

Expected<std::unique_ptr<UnboundResolver>> UnboundResolver::Make(asio::io_context& context, const UnboundOptions& options) {
  std::unique_ptr<ub_ctx, Free> made(ub_ctx_create());
  if (!made) return Fail("the resolver cannot be set up");
  ub_ctx* const ub = made.get();
  ub_ctx_debugout(ub, nullptr);     // what it would log on standard error is said by the errors here
  int error = ub_ctx_async(ub, 1);  // a thread, no process
  const auto set = [&](const char* option, const char* value) {
    if (error == 0) error = ub_ctx_set_option(ub, option, value);
  };
  set("do-not-query-localhost:", "no");
  set("domain-insecure:", "test");
  set("rrset-roundrobin:", "no");
  for (const std::string& server : options.name_servers) {
    const Expected<std::string> address = ForUnbound(server);
    if (!address) return std::unexpected(address.error());
    if (error == 0) error = ub_ctx_set_fwd(ub, address->c_str());
    if (error != 0) return Fail("\"" + server + "\" is no address of a name server: " + ub_strerror(error));
  }
  if (error == 0 && options.name_servers.empty() && !options.recursive && ub_ctx_resolvconf(ub, nullptr) != 0)
    error = ub_ctx_set_fwd(ub, kWithoutFile);
  if (error == 0 && options.hosts) ub_ctx_hosts(ub, nullptr);  // a machine without that file has no such names
  if (!options.trust_anchor.empty() && error == 0) {
    // It is read when the context is first used, and then only the log would say why it cannot be.
    if (::access(options.trust_anchor.c_str(), R_OK) != 0)
      return Fail(std::string("the trust anchor cannot be read: ") + std::strerror(errno), options.trust_anchor);
    error = ub_ctx_add_ta_file(ub, options.trust_anchor.c_str());
  }
  if (error == 0) error = ub_ctx_zone_add(ub, "test.", "transparent");  // the last: no option can be set after it
  if (error != 0) {
    return Fail(std::string("the resolver cannot be set up: ") + ub_strerror(error), options.trust_anchor,
                options.trust_anchor.empty() ? "" : "does this file hold a trust anchor, a DS or DNSKEY record of the root?");
  }
  return std::unique_ptr<UnboundResolver>(new UnboundResolver(std::make_shared<State>(context, std::move(made), options)));
}

UnboundResolver::~UnboundResolver() {
  state_->closed = true;
  while (!state_->open.empty()) {
    State::Open& o = **state_->open.begin();
    ub_cancel(state_->context.get(), o.id);
    o.answer.failure = "the resolver was closed";
    o.answer.rcode = dns::kRcodeServFail;
    state_->Finish(o);
  }
  boost::system::error_code ignored;
  state_->ready.cancel(ignored);
}

Task<DnsAnswer> UnboundResolver::Query(std::string name, std::uint16_t type) {
  const std::shared_ptr<State> state = state_;
  State::Open open(*state, state->executor);
  std::string octets;
  if (!dns::ParseName(name, octets)) {
    open.answer.failure = "no domain name";
    open.answer.rcode = dns::kRcodeServFail;
    co_return std::move(open.answer);
  }
  if (state->patience.count() > 0)
    open.done.expires_after(state->patience);
  else
    open.done.expires_at(Timer::time_point::max());
  const int error = ub_resolve_async(state->context.get(), name.c_str(), type, dns::kClassIn, &open, &State::OnResult, &open.id);
  if (error != 0) {
    open.answer.failure = ub_strerror(error);
    open.answer.rcode = dns::kRcodeServFail;
    co_return std::move(open.answer);
  }
  if (!open.answered) state->open.insert(&open);
  state->Watch();
  while (!open.answered) {
    const auto [interrupted] = co_await open.done.async_wait(kAwait);
    if (interrupted || open.answered) continue;
    open.answer.failure = "no name server answered in time";  // ~Open takes the question back
    open.answer.rcode = dns::kRcodeServFail;
    break;
  }
  co_return std::move(open.answer);
}

}  // namespace glasspost::net
