// A POP3 maildrop (RFC 1939) as somebody reads it: the list, the beginnings, single messages. Nothing is deleted unless told, and
// then by the server at QUIT only. Steps of one conversation, one after the other; once one has failed it is over.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agent/connect.h"
#include "agent/login_secrets.h"
#include "agent/mail_source.h"
#include "base/randomness.h"

namespace glasspost::agent {

struct MaildropMessage {
  std::uint64_t number = 0;
  std::uint64_t size = 0;  // as LIST says
  std::string id;          // of UIDL; empty: the server has none
};

class Maildrop final : public pop3::ClientHandler {
 public:
  // `options` outlives it.
  Maildrop(Connected connected, Randomness& randomness, const pop3::ClientOptions& options)
      : connected_(std::move(connected)), secrets_(SecretsOf(options.credentials)), session_(*this, options, randomness) {}

  // Logs in and asks for the list.
  net::Task<Expected<void>> Enter();
  // By number, each once.
  const std::vector<MaildropMessage>& messages() const { return messages_; }
  // Headers by TOP or, where the server has none, RETR, whose further octets are dropped; sent ahead where it takes that.
  using OnHead = std::function<void(std::size_t place, const MailHead& head)>;
  net::Task<Expected<void>> ReadHeads(std::span<const std::size_t> places, const OnHead& on_head);
  net::Task<Expected<void>> Read(std::size_t place, const MailSource::Sink& sink);
  net::Task<Expected<void>> Remove(std::span<const std::size_t> places);
  // QUIT. An error: what was to be removed may not be.
  net::Task<Expected<void>> Leave();

  // How it ended; nothing while it goes on.
  const std::optional<pop3::ClientOutcome>& closed() const { return closed_; }

 private:
  static constexpr std::size_t kAhead = 64;  // orders given at a time

  net::Task<Expected<void>> Go();
  std::unexpected<Error> Ended() const;
  std::size_t PlaceOf(std::uint64_t number) const;
  void SortMessages();

  void OnReady() override;
  void OnReply(pop3::Command command, std::uint64_t number, const pop3::StatusLine& reply) override;
  void OnListed(pop3::Command command, const pop3::ListingLine& line) override;
  void OnMessageOctets(Octets octets) override;
  void OnEnd(pop3::Command command, std::uint64_t number) override;
  void OnClosed(const pop3::ClientOutcome& outcome) override;

  Connected connected_;
  const Secrets secrets_;
  pop3::ClientSession session_;
  std::vector<MaildropMessage> messages_;
  std::optional<pop3::ClientOutcome> closed_;
  Expected<void> step_;                     // what went wrong in the step that is being done
  const OnHead* on_head_ = nullptr;         // heads are wanted
  const MailSource::Sink* sink_ = nullptr;  // or the whole
  std::string head_;
  std::uint64_t received_ = 0;
  bool top_ = false;  // the octets are TOP's
};

}  // namespace glasspost::agent
