// A maildrop in memory behind the server session's questions, for its tests. Answers at once, or when the test says so.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "wire/pop3/server_session.h"

namespace glasspost::pop3::test {

// As much as a message takes on the wire before dots are doubled: that is what sizes are told of.
class TestHandler final : public ServerHandler, public MaildropView {
 public:
  struct Message {
    std::string octets;
    std::string id;
    bool utf8 = false;
  };
  ServerSession* session = nullptr;
  std::vector<Message> messages;
  std::string user = "alice";
  std::string password = "wonderland";
  std::vector<std::string> verifiers;
  MaildropOutcome maildrop = MaildropOutcome::kOpened;
  LoginOutcome refusal = LoginOutcome::kRefused;
  bool commit = true;
  bool later = false;
  std::size_t piece = 100'000;                              // most that a read gives
  std::uint64_t fails_at = static_cast<std::uint64_t>(-1);  // reading fails from this octet on
  std::vector<std::string> told;
  std::vector<std::function<void()>> due;

  // Gives the answers that are due, those too that come of them.
  void Answer() {
    while (!due.empty()) {
      const auto all = std::move(due);
      due.clear();
      for (const auto& one : all) one();
    }
  }

  void CheckPassword(Octets name, Octets word) override {
    told.push_back("password " + std::string(name) + " " + std::string(word));
    const bool good = name == user && word == password;
    Do([this, good] { session->LoginDecided(good ? LoginOutcome::kAccepted : refusal); });
  }
  void FindVerifiers(Octets name) override {
    told.push_back("verifiers " + std::string(name));
    Do([this, known = name == user] { session->VerifiersFound(known ? verifiers : std::vector<std::string>{}); });
  }
  void Proven(Octets name, bool good) override {
    told.push_back("proven " + std::string(name) + (good ? " good" : " bad"));
    Do([this] { session->LoginDecided(LoginOutcome::kAccepted); });  // the session does not believe it if it is bad
  }
  void OpenMaildrop() override {
    Do([this] { session->MaildropOpened(maildrop, this); });
  }
  void ReadMessage(std::uint32_t index, std::uint64_t offset, std::size_t most) override {
    ++reads;
    Do([this, index, offset, most] {
      if (offset >= fails_at) return session->MessageFailed(ReadFailure::kTemporary);
      // Memory of its own, which is gone after the call.
      const std::string octets = messages[index].octets.substr(offset, std::min(most, piece));
      session->MessageRead(octets, offset + octets.size() == messages[index].octets.size());
    });
  }
  void Commit(std::span<const std::uint32_t> deleted) override {
    std::string all = "commit";
    for (const std::uint32_t i : deleted) all += " " + std::to_string(i);
    told.push_back(all);
    Do([this] { session->Committed(commit); });
  }

  std::uint32_t count() const override { return static_cast<std::uint32_t>(messages.size()); }
  std::uint64_t OctetsOf(std::uint32_t index) const override { return messages[index].octets.size(); }
  void AppendUniqueId(std::uint32_t index, std::string& out) const override { out += messages[index].id; }
  bool NeedsUtf8(std::uint32_t index) const override { return messages[index].utf8; }
  int reads = 0;

 private:
  void Do(std::function<void()> answer) {
    if (!later) return answer();
    due.push_back(std::move(answer));
  }
};

}  // namespace glasspost::pop3::test
