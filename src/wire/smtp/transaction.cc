#include "wire/smtp/transaction.h"

#include <algorithm>

#include "base/ascii.h"

namespace glasspost::smtp {

const Transactions::Count& Transactions::CountOf(std::uint64_t transaction) const {
  static const Count kNone;
  const Count& count = counts_[transaction % kRemembered];
  return count.transaction == transaction ? count : kNone;
}

Transactions::Count& Transactions::CountOf(std::uint64_t transaction) {
  Count& count = counts_[transaction % kRemembered];
  if (count.transaction != transaction) count = {.transaction = transaction};
  return count;
}

void Transactions::Begin() {
  current_.number = ++numbers_;
  current_.open = true;
  current_.mail_known = current_.mail_accepted = current_.eight_bit = current_.binary = false;
  current_.reverse_path.clear();
  current_.recipients.paths.clear();
  current_.recipients.statuses.clear();
  current_.recipients.octets = 0;
  counts_[numbers_ % kRemembered] = {.transaction = numbers_};
}

std::uint64_t Transactions::Mail(const Command& command) {
  fallback_.open = false;
  if (current_.open && current_.mail_accepted) std::swap(fallback_, current_);
  Begin();
  current_.mail_known = true;
  current_.reverse_path = command.path.text;
  const Parameter* body = command.Find("BODY");
  current_.binary = body != nullptr && EqualsNoCase(body->value, "BINARYMIME");
  current_.eight_bit =
      current_.binary || (body != nullptr && EqualsNoCase(body->value, "8BITMIME")) || command.Find("SMTPUTF8") != nullptr;
  return current_.number;
}

std::size_t Transactions::Recipient(const Command& command) {
  if (!current_.open) Begin();
  Count& count = CountOf(current_.number);
  Recipients& kept = current_.recipients;
  // Their places are counted, so that none is kept after one that was not.
  if (kept.paths.size() < recipient_limit_ && kept.paths.size() == count.sent &&
      kept.octets + command.path.text.size() <= octet_limit_) {
    kept.paths.emplace_back(command.path.text);
    kept.statuses.push_back(Status::kUnanswered);
    kept.octets += command.path.text.size();
  }
  return count.sent++;
}

void Transactions::OnMailReply(std::uint64_t transaction, bool accepted) {
  if (transaction != current_.number) return;
  if (accepted) {
    current_.mail_accepted = true;
    fallback_.open = false;
  } else if (fallback_.open) {
    // RFC 5321 §4.1.4: a MAIL that is refused as nested changes nothing.
    std::swap(current_, fallback_);
    fallback_.open = false;
  } else if (current_.recipients.paths.empty()) {
    current_.open = false;
  }
}

void Transactions::OnRecipientReply(std::uint64_t transaction, std::size_t recipient, bool accepted) {
  Count& count = CountOf(transaction);
  ++(accepted ? count.accepted : count.refused);
  if (transaction != current_.number || recipient >= current_.recipients.statuses.size()) return;
  current_.recipients.statuses[recipient] = accepted ? Status::kAccepted : Status::kRefused;
}

void Transactions::Close() { current_.open = fallback_.open = false; }

std::size_t Transactions::ReplyCount(std::uint64_t transaction) const {
  const Count& count = CountOf(transaction);
  return count.sent - std::min(count.sent, count.refused);
}

bool Transactions::all_refused() const {
  const Count& count = CountOf(current_.number);
  return count.sent > 0 && count.refused == count.sent;
}

void Transactions::Fill(Envelope& envelope) const {
  envelope.present = current_.open;
  envelope.reverse_path_known = current_.open && current_.mail_known;
  envelope.reverse_path.clear();
  envelope.forward_paths.clear();
  if (!current_.open) return;
  envelope.reverse_path = current_.reverse_path;
  for (std::size_t i = 0; i < current_.recipients.paths.size(); ++i)
    if (current_.recipients.statuses[i] != Status::kRefused) envelope.forward_paths.push_back(current_.recipients.paths[i]);
}

}  // namespace glasspost::smtp
