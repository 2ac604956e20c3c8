// Envelopes as they come into being: MAIL and RCPT as the client sends them, and what the server said to them, which with
// pipelining comes when the client is at the next transaction already.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wire/exchange.h"
#include "wire/smtp/grammar.h"

namespace glasspost::smtp {

class Transactions {
 public:
  Transactions(std::size_t recipient_limit, std::size_t octet_limit)
      : recipient_limit_(recipient_limit), octet_limit_(octet_limit) {}

  // The client sent MAIL; gives the transaction's number.
  std::uint64_t Mail(const Command& command);
  // The client sent RCPT; gives its place in the envelope.
  std::size_t Recipient(const Command& command);
  void OnMailReply(std::uint64_t transaction, bool accepted);
  void OnRecipientReply(std::uint64_t transaction, std::size_t recipient, bool accepted);
  // The transaction is over: content sent, RSET, EHLO.
  void Close();

  std::uint64_t current() const { return current_.number; }
  bool open() const { return current_.open; }
  bool mail_known() const { return current_.open && current_.mail_known; }
  // BODY=8BITMIME, BODY=BINARYMIME or SMTPUTF8 was said.
  bool eight_bit() const { return current_.eight_bit; }
  bool binary() const { return current_.binary; }
  // Recipients that were not refused: how many replies an LMTP server owes for the content.
  std::size_t ReplyCount(std::uint64_t transaction) const;
  void Fill(Envelope& envelope) const;
  bool any_accepted() const { return CountOf(current_.number).accepted > 0; }
  bool all_refused() const;
  // Octets of memory that the envelopes take.
  std::size_t Held() const { return current_.recipients.Held() + fallback_.recipients.Held(); }

 private:
  enum class Status : std::uint8_t { kUnanswered, kAccepted, kRefused };
  struct Recipients {
    std::vector<std::string> paths;
    std::vector<Status> statuses;
    std::size_t octets = 0;  // of the paths
    std::size_t Held() const { return paths.size() * (sizeof(std::string) + sizeof(Status)) + octets; }
  };
  struct Transaction {
    std::uint64_t number = 0;
    bool open = false;
    bool mail_known = false;
    bool mail_accepted = false;
    bool eight_bit = false;
    bool binary = false;
    std::string reverse_path;
    Recipients recipients;
  };
  struct Count {
    std::uint64_t transaction = 0;
    std::size_t sent = 0;
    std::size_t accepted = 0;
    std::size_t refused = 0;
  };
  const Count& CountOf(std::uint64_t transaction) const;
  Count& CountOf(std::uint64_t transaction);
  void Begin();

  static constexpr std::size_t kRemembered = 16;  // transactions whose replies may still come
  std::size_t recipient_limit_;
  std::size_t octet_limit_;
  std::uint64_t numbers_ = 0;
  Transaction current_;
  Transaction fallback_;  // the one before a nested MAIL, which stands if that is refused
  Count counts_[kRemembered];
};

}  // namespace glasspost::smtp
