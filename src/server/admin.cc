#include "server/admin.h"

#include "server/admin_call.h"

namespace glasspost::server {

const AdminCall::Operation AdminCall::kOperations[] = {
    {"ping", &AdminCall::Ping, true},
    {"status", &AdminCall::Status},
    {"domain.add", &AdminCall::DomainAdd, false, true},
    {"domain.remove", &AdminCall::DomainRemove, false, true},
    {"domain.list", &AdminCall::DomainList},
    {"user.add", &AdminCall::UserAdd, false, true},
    {"user.remove", &AdminCall::UserRemove, false, true},
    {"user.password", &AdminCall::UserPassword, false, true},
    {"user.quota", &AdminCall::UserQuota, false, true},
    {"user.list", &AdminCall::UserList},
    {"alias.add", &AdminCall::AliasAdd, false, true},
    {"alias.remove", &AdminCall::AliasRemove, false, true},
    {"alias.list", &AdminCall::AliasList},
    {"queue.list", &AdminCall::QueueList},
    {"queue.count", &AdminCall::QueueCount},
    {"queue.show", &AdminCall::QueueShow},
    {"queue.act", &AdminCall::QueueAct, false, true},
    {"conversations", &AdminCall::Conversations},
    {"conversation", &AdminCall::Conversation},
    {"journey", &AdminCall::Journey},
    {"recipient", &AdminCall::Recipient, true},
    {"submit", &AdminCall::Submit, true},
};

std::string_view Name(store::Fault fault) {
  static constexpr std::string_view kNames[] = {"not-found", "exists",  "not-empty", "in-use", "lease-lost", "over-quota",
                                                "too-large", "invalid", "full",      "broken", "failed",     "closed"};
  return kNames[static_cast<std::size_t>(fault)];
}

json::object AdminCall::No(std::string_view fault, Octets error) {
  return {{"ok", false}, {"fault", JsonText(fault)}, {"error", JsonText(error)}};
}

json::object AdminCall::No(const store::Failure& failure) { return No(Name(failure.fault), failure.text); }

net::Task<json::object> AdminCall::Run() {
  const std::string name = Text("do");
  for (const Operation& operation : kOperations) {
    if (operation.name != name) continue;
    if (!operation.for_everyone && !peer_.owner())
      co_return No("not-permitted", "only the server's own user and root may do that");
    json::object answer = co_await (this->*operation.run)();
    if (operation.changes && context_.events != nullptr) {
      const std::string uid = std::to_string(peer_.uid());
      const std::string about = Text("address") + Text("domain");
      const std::string outcome = FlagIn(answer, "ok") ? "done" : TextIn(answer, "error");
      context_.events->Note(Event::kAdmin, 0, {{"do", name}, {"about", about}, {"uid", uid}, {"outcome", outcome}});
    }
    co_return answer;
  }
  co_return No("unknown-request", "there is no such request: " + name);
}

net::Task<json::object> AnswerAdmin(AdminContext& context, const json::object& request, AdminPeer& peer) {
  AdminCall call(context, request, peer);
  auto result = co_await call.Run();
  co_return result;
}

AdminCall::Reply AdminCall::Ping() {
  json::object answer = Yes();
  answer["version"] = JsonText(context_.version);
  answer["pid"] = ::getpid();
  answer["owner"] = peer_.owner();
  const auto settings = context_.settings();
  answer["host"] = JsonText(settings->host);
  answer["domain"] = JsonText(settings->default_domain.empty() ? settings->host : settings->default_domain);
  co_return answer;
}

AdminCall::Reply AdminCall::Status() {
  json::object answer = co_await QueueCount();
  const store::StoreState state = context_.store.state();
  answer["version"] = JsonText(context_.version);
  answer["pid"] = ::getpid();
  answer["broken"] = state.broken;
  answer["full"] = state.full;
  answer["commits"] = state.commits;
  answer["changes"] = state.changes;
  co_return answer;
}

}  // namespace glasspost::server
