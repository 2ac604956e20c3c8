// The envelope of a message that comes in: who it is from, what its recipients resolve to, and the plan that the store carries
// out when the message is there.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "base/journey.h"
#include "base/octets.h"
#include "store/receiver.h"
#include "wire/smtp/grammar.h"
#include "wire/smtp/parameters.h"

namespace glasspost::server {

// The address that a path names: local part without its quotes (RFC 5321 §4.1.2), domain in lower case. <Postmaster>, and an
// address literal in `our_literal` ("[192.0.2.1]"), are of `default_domain`.
store::AddressName AddressOf(const smtp::Path& path, const std::string& default_domain, const std::string& our_literal = {});
// As it is written in a path: quoted where it must be.
std::string PathText(const store::AddressName& name);

struct EnvelopeRecipient {
  std::string path;  // as the client wrote it, without brackets
  std::string orcpt;
  std::uint8_t notify = 0;  // store::NewEntry's bits
  std::vector<store::LocalTarget> mailboxes;
  std::vector<store::AddressName> forwards;
  bool elsewhere = false;  // itself goes on
  std::string domain;
};

class SmtpEnvelope {
 public:
  void Begin(Octets reverse_path, const smtp::MailParameters& parameters);
  void Add(EnvelopeRecipient recipient) { recipients_.push_back(std::move(recipient)); }
  void Clear();

  const std::string& reverse_path() const { return reverse_path_; }
  const std::vector<EnvelopeRecipient>& recipients() const { return recipients_; }
  std::uint64_t size() const { return size_; }  // as the client said; 0: it did not
  // Mailboxes and entries so far; the store takes MessageLimits::kRecipients.
  std::size_t targets() const;

  // A message of so many octets: mailboxes that it would overfill are left to the queue, which tries again and tells the sender
  // at last, so that one full mailbox does not keep the others' mail back. False: all of them are full.
  bool MakeRoom(std::uint64_t octets);
  // `header_lines`: of policies, for the mailboxes.
  store::Plan MakePlan(Timestamp now, bool eight_bit, const std::string& header_lines) const;
  // Mailboxes of a plan for a message that came with SMTPUTF8 learn whether its header, or what stands before it, needs a client
  // that can take UTF-8 (store::kUtf8Header).
  static void MarkUtf8(store::Plan& plan, Octets header);

 private:
  // Who of the recipients it was first that leads to a mailbox.
  using FirstOf = std::unordered_map<store::MailboxId, const EnvelopeRecipient*>;
  void PlanMailboxes(const EnvelopeRecipient& recipient, const std::string& header_lines, store::Plan& plan,
                     FirstOf& first) const;
  void PlanForwards(const EnvelopeRecipient& recipient, store::Plan& plan) const;
  void Enqueue(const EnvelopeRecipient& recipient, const store::AddressName& to, store::Plan& plan) const;
  store::NewEntry MakeEntry(const EnvelopeRecipient& recipient, const store::AddressName& to, Timestamp now) const;

  std::string reverse_path_;
  std::string envid_;
  std::uint8_t ret_ = 0;
  bool smtputf8_ = false;
  std::uint64_t size_ = 0;
  std::vector<EnvelopeRecipient> recipients_;
};

}  // namespace glasspost::server
