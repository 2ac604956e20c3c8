#include "server/message_intake.h"

#include <algorithm>

#include "base/ascii.h"
#include "wire/mime/header.h"

namespace glasspost::server {
namespace {

mime::ScanOptions Options(bool journey) {
  return {.digest = false, .journey = journey, .limits = {.header_octets = MessageIntake::kHeaderOctets}};
}

bool BeginsWithField(Octets header) {
  mime::FieldReader reader(header);
  mime::RawField field;
  if (header.empty() || header.starts_with("From ") || header.starts_with(">From ")) return true;  // a line of an mbox
  return reader.Next(field) && reader.malformed_lines() == 0;
}

}  // namespace

MessageIntake::MessageIntake(net::Waiter& waiter) : scan_(Options(true)), waiter_(waiter) {}

void MessageIntake::Begin(std::unique_ptr<store::Receiver> receiver, const std::string& trace, Missing missing) {
  scan_.Reset();
  receiver_ = std::move(receiver);
  missing_ = std::move(missing);
  waiting_.clear();
  failure_.reset();
  owed_ = false;
  asked_ = missing_.date.empty() && missing_.message_id.empty() ? nullptr : std::make_unique<mime::MessageScan>(Options(false));
  Emit(trace);
}

void MessageIntake::Take(Octets octets) {
  if (!asked_) return Emit(octets);
  asked_->OnOctets(octets);
  if (!asked_->header_ended()) return;  // it is kept there; what is beyond its limit will be refused
  const std::uint64_t body = asked_->size() - asked_->body_offset();
  EmitHeader();
  Emit("\r\n");
  Emit(octets.substr(octets.size() - static_cast<std::size_t>(std::min<std::uint64_t>(body, octets.size()))));
}

// What is added comes first: the sender's own lines stay together, as a signature over them may want.
void MessageIntake::EmitHeader() {
  const auto asked = std::exchange(asked_, nullptr);
  if (!asked->has_message_id()) Emit(missing_.message_id);
  if (!asked->has_date()) Emit(missing_.date);
  // A message that begins with no field has no header: what it begins with is body, and must not become one.
  if (!BeginsWithField(asked->header())) Emit("\r\n");
  Emit(asked->header());
}

void MessageIntake::Finish() {
  if (asked_ && !asked_->header_cut()) EmitHeader();
}

void MessageIntake::Emit(Octets octets) {
  if (octets.empty() || failure_ || !receiver_) return;
  scan_.OnOctets(octets);
  if (owed_ || octets.size() > store::MessageLimits::kChunk) {
    waiting_ += octets;
    return Drain();
  }
  Append(octets);
}

void MessageIntake::Append(Octets octets) {
  answer_.emplace(waiter_);
  owed_ = !receiver_->Append(octets, answer_->Callback());
}

void MessageIntake::Drain() {
  while (!owed_ && !waiting_.empty() && receiver_) {
    const std::size_t n = std::min(waiting_.size(), store::MessageLimits::kChunk);
    Append(Octets(waiting_).substr(0, n));
    waiting_.erase(0, n);
  }
  if (waiting_.empty()) std::string().swap(waiting_);
}

net::Task<void> MessageIntake::Settle() {
  while (owed_) {
    co_await waiter_.Wait();
    owed_ = false;
    const auto result = answer_->value();
    if (!result || !*result) {
      failure_ = result ? result->error() : store::Failure{store::Fault::kClosed, "the store is being closed"};
      std::string().swap(waiting_);
    }
    Drain();
  }
}

void MessageIntake::Abandon() {
  receiver_.reset();
  Release();
}

void MessageIntake::Release() {
  scan_ = mime::MessageScan(Options(true));
  std::string().swap(waiting_);
  missing_ = {};
  asked_.reset();
  answer_.reset();
  owed_ = false;
}

std::string MessageIntake::journey_id() {
  const mime::Digest digest = scan_.FinishJourneyId();
  if (std::ranges::all_of(digest, [](std::uint8_t octet) { return octet == 0; })) return {};
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string MessageIntake::message_id() const {
  mime::FieldReader reader(scan_.header());
  mime::RawField field;
  while (reader.Next(field)) {
    if (EqualsNoCase(field.name, "Message-ID")) {
      std::string value;
      mime::AppendUnfolded(value, field.value);
      return std::string(Trim(value));
    }
  }
  return {};
}

}  // namespace glasspost::server
