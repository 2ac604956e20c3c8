// The one place where is decided who may do what: asked at each step of an SMTP session. Built in are access lists, greylisting
// and limits; SPF, DKIM, DMARC and milters are policies too.
//
// Policies are asked in order; the first that does not accept decides. A policy that cannot answer at once returns nothing and
// takes `later`, which it calls once, from any thread, never inside the call; what it was given lives until then. Each may be
// asked from many threads at once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/octets.h"
#include "base/origin.h"
#include "store/directory.h"
#include "wire/smtp/answer.h"
#include "wire/smtp/server_session.h"

namespace glasspost::server {

// What is known of a session when a policy is asked. Lives as long as the session.
struct SmtpFacts {
  smtp::Role role = smtp::Role::kMx;
  Endpoint client;
  Endpoint server;
  std::uint64_t conversation = 0;
  std::string hello;  // of EHLO or HELO
  bool tls = false;
  std::string user;  // logged in as this account's address; empty: not
  store::AccountId account = 0;
  bool relay_network = false;  // the client's network may relay
  // The transaction.
  std::string reverse_path;             // as the client wrote it; empty for <>
  std::string sender;                   // the address that it names, without quotes; empty for <>
  std::uint64_t size = 0;               // as the client declared it (RFC 1870); 0: it did not
  std::vector<std::string> recipients;  // accepted so far
};

struct PolicyVerdict {
  smtp::Answer answer;                    // a yes, or the refusal (5yz) or deferral (4yz)
  std::vector<std::string> header_lines;  // to be put before the message, whole fields with CRLF (Received-SPF and its kin)
};
using PolicyDecision = std::optional<PolicyVerdict>;
using PolicyLater = std::move_only_function<void(PolicyVerdict)>;

enum class PolicyStep : std::uint8_t { kConnect, kHello, kAuth, kMail, kRecipient, kEnd };

class Policy {
 public:
  virtual ~Policy() = default;
  // Steps at which no policy has anything to say cost a session nothing.
  virtual bool Asks(PolicyStep) const { return true; }
  virtual PolicyDecision AtConnect(const SmtpFacts&, PolicyLater&) { return PolicyVerdict{}; }
  virtual PolicyDecision AtHello(const SmtpFacts&, PolicyLater&) { return PolicyVerdict{}; }
  virtual PolicyDecision AtAuth(const SmtpFacts&, PolicyLater&) { return PolicyVerdict{}; }
  virtual PolicyDecision AtMail(const SmtpFacts&, PolicyLater&) { return PolicyVerdict{}; }
  // `recipient`: the address that the path names, without quotes, however the client wrote it.
  virtual PolicyDecision AtRecipient(const SmtpFacts&, const std::string& /*recipient*/, PolicyLater&) { return PolicyVerdict{}; }
  // The message's header block, as it came.
  virtual PolicyDecision AtEnd(const SmtpFacts&, Octets /*header*/, std::uint64_t /*octets*/, PolicyLater&) {
    return PolicyVerdict{};
  }
};

using Policies = std::vector<std::unique_ptr<Policy>>;

}  // namespace glasspost::server
