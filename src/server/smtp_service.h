// What the SMTP sessions of a listener share.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/randomness.h"
#include "net/tls_context.h"
#include "server/authenticator.h"
#include "server/events.h"
#include "server/policy.h"
#include "server/recipient_cache.h"
#include "store/store.h"
#include "wire/smtp/server_session.h"

namespace glasspost::server {

// RFC 5321 §4.5.3.2.
struct SmtpTimes {
  std::chrono::seconds command = std::chrono::minutes(5);   // a whole command line, however slowly it comes
  std::chrono::seconds data = std::chrono::minutes(3);      // between two pieces of a message
  std::chrono::seconds message = std::chrono::minutes(60);  // a whole message
  std::chrono::seconds session = std::chrono::hours(4);     // the whole of it, however busy
  std::chrono::seconds write = std::chrono::minutes(5);     // the client takes nothing of a reply
  std::chrono::seconds handshake = std::chrono::minutes(1);
  std::chrono::seconds close = std::chrono::seconds(5);
};

// Of one listener. A reload makes another; sessions that stand keep theirs.
struct SmtpService {
  smtp::ServerOptions session;  // its role says whether this is submission
  bool implicit_tls = false;
  std::shared_ptr<const net::TlsContext> tls;  // null: neither STARTTLS nor implicit
  std::string default_domain;                  // of <Postmaster>, and of address literals that name ourselves
  std::function<bool(const Address&)> may_relay = [](const Address&) { return false; };
  std::size_t received_limit = 50;  // hosts passed; more is a loop (RFC 5321 §6.3: at least 100 where nothing better is known)
  bool quota_permanent = false;     // 552 5.2.2 instead of 452 4.2.2
  bool check_sender = true;         // who is logged in may only use his own addresses
  Policies policies;
  bool Asks(PolicyStep step) const {
    return std::ranges::any_of(policies, [&](const auto& policy) { return policy->Asks(step); });
  }
  SmtpTimes times;
};

// Of the process. All of it outlives the sessions; any thread.
struct SmtpContext {
  store::Store& store;
  RecipientCache& recipients;
  Authenticator& authenticator;
  Events& events;
  Randomness& randomness;
  std::function<void()> queued;  // entries were committed to the queue
};

}  // namespace glasspost::server
