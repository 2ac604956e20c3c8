// A stored message's octets on their way to a next hop: small ones as a whole, of larger ones a piece at a time.
#pragma once

#include <memory>
#include <string>

#include "net/asio.h"
#include "store/mailboxes.h"
#include "wire/smtp/client_session.h"

namespace glasspost::relay {

class StoredMessage final : public smtp::MessageSource {
 public:
  // Octets of a message that are in memory at once; the rows of the store are as long.
  static constexpr std::size_t kPiece = std::size_t{64} << 10;

  // `octets`: all of them, where they are in memory already; else null. `context` and `mailboxes` outlive it.
  StoredMessage(net::asio::io_context& context, store::Mailboxes& mailboxes, store::MessageId message, std::uint64_t size,
                std::shared_ptr<const std::string> octets);

  Piece Read() override;
  // Reads the next piece if it is due: before the first Read, and whenever Read said kLater.
  net::Task<void> Fetch();
  // From the first octet again.
  void Rewind();

 private:
  net::asio::io_context& context_;
  store::Mailboxes& mailboxes_;
  store::MessageId message_;
  std::uint64_t size_;
  std::uint64_t offset_ = 0;  // octets given
  std::shared_ptr<const std::string> octets_;
  std::string piece_;
  bool fresh_ = false;  // piece_ was not given yet
  bool failed_ = false;
};

}  // namespace glasspost::relay
