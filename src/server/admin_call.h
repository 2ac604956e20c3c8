// One administrative request being carried out: what the files admin_*.cc share.
#pragma once

#include <utility>

#include "server/admin.h"

namespace glasspost::server {

class AdminCall {
 public:
  AdminCall(AdminContext& context, const json::object& request, AdminPeer& peer)
      : context_(context), request_(request), peer_(peer) {}
  AdminCall(const AdminCall&) = delete;
  AdminCall& operator=(const AdminCall&) = delete;

  net::Task<json::object> Run();

 private:
  using Reply = net::Task<json::object>;
  struct Operation {
    std::string_view name;
    Reply (AdminCall::*run)();
    bool for_everyone = false;
    bool changes = false;  // worth a line in the log
  };
  static const Operation kOperations[];

  // admin.cc
  Reply Ping();
  Reply Status();
  // admin_directory.cc
  Reply DomainAdd();
  Reply DomainRemove();
  Reply DomainList();
  Reply UserAdd();
  Reply UserRemove();
  Reply UserPassword();
  Reply UserQuota();
  Reply UserList();
  Reply AliasAdd();
  Reply AliasRemove();
  Reply AliasList();
  // admin_queue.cc
  Reply QueueList();
  Reply QueueCount();
  Reply QueueShow();
  Reply QueueAct();
  // admin_views.cc
  Reply Conversations();
  Reply Conversation();
  Reply Journey();
  // admin_submit.cc
  Reply Recipient();
  Reply Submit();

  static json::object Yes() { return {{"ok", true}}; }
  static json::object No(std::string_view fault, Octets error);
  static json::object No(const Error& error) { return No("invalid", error.Text()); }
  static json::object No(const store::Failure& failure);
  net::Task<void> DirectoryChanged();
  // Of "password", "generate" and "verifiers"; a password that was made is put into `answer`.
  net::Task<Expected<std::vector<std::string>>> WantedVerifiers(json::object& answer);
  net::Task<store::Result<std::optional<store::Alias>>> FindAlias(store::AddressName name);
  net::Task<std::string> LoopOf(store::Alias alias);

  template <class T, class Ask>
  net::Task<store::Result<T>> Call(Ask ask) {
    auto answer = co_await net::Await<store::Result<T>>(peer_.waiter(), std::move(ask));
    if (!answer) co_return store::Refuse(store::Fault::kClosed, "the server is shutting down");
    co_return *std::move(answer);
  }

  std::string Text(std::string_view name) const { return TextIn(request_, name); }
  bool Flag(std::string_view name) const { return FlagIn(request_, name); }
  std::uint64_t Number(std::string_view name, std::uint64_t otherwise = 0) const { return NumberIn(request_, name, otherwise); }

  friend class QueuePages;
  friend class Submission;

  AdminContext& context_;
  const json::object& request_;
  AdminPeer& peer_;
};

}  // namespace glasspost::server
