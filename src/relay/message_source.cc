#include "relay/message_source.h"

#include "relay/store_call.h"

namespace glasspost::relay {

StoredMessage::StoredMessage(net::asio::io_context& context, store::Mailboxes& mailboxes, store::MessageId message,
                             std::uint64_t size, std::shared_ptr<const std::string> octets)
    : context_(context), mailboxes_(mailboxes), message_(message), size_(size), octets_(std::move(octets)) {}

smtp::MessageSource::Piece StoredMessage::Read() {
  if (failed_) return {Piece::Kind::kFailed, {}};
  if (offset_ >= size_) return {Piece::Kind::kEnd, {}};
  if (octets_) {
    offset_ = size_;
    return {Piece::Kind::kOctets, *octets_};
  }
  if (!fresh_) return {Piece::Kind::kLater, {}};
  fresh_ = false;
  offset_ += piece_.size();
  return {Piece::Kind::kOctets, piece_};
}

net::Task<void> StoredMessage::Fetch() {
  if (octets_ || fresh_ || failed_ || offset_ >= size_) co_return;
  store::Result<std::string> piece = co_await Ask<std::string>(
      context_, [this](store::Done<std::string> done) { mailboxes_.ReadMessage(message_, offset_, kPiece, std::move(done)); });
  // An answer without octets before the end: they are gone. Half a message is never passed off as a whole one.
  failed_ = !piece || piece->empty();
  if (failed_) co_return;
  piece_ = std::move(*piece);
  fresh_ = true;
}

void StoredMessage::Rewind() {
  offset_ = 0;
  fresh_ = false;
}

}  // namespace glasspost::relay
