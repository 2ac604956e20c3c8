// Fetched mail as a Maildir or as one file each (agent/mail_writer.h): written beside, named when it is whole.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/mail_file.h"
#include "agent/mail_writer.h"

namespace glasspost::agent {

class FolderWriter final : public MailWriter {
 public:
  // kMaildir or kEml. What is passed in outlives it.
  FolderWriter(MailFormat format, std::string path, const Clock& clock, Randomness& randomness);
  ~FolderWriter() override;

  // Makes the folders.
  Expected<void> Prepare();
  Expected<void> Begin() override;
  Expected<void> Write(Octets octets) override;
  Expected<void> End() override;
  Expected<std::vector<std::string>> Commit() override;
  void Abandon() override;
  std::size_t most_waiting() const override { return MailWriterLimits::kWaiting; }

 private:
  struct Waiting {
    MailFile file;
    std::string name;  // that it gets
  };

  std::string Folder() const { return maildir_ ? path_ + "/new" : path_; }
  Expected<void> Put(Octets octets);
  Expected<void> Settle(std::vector<std::string>& names);
  Expected<void> TellPlace(std::size_t nth);
  void Drop();

  const bool maildir_;
  const std::string path_;
  const std::string host_;
  const Clock& clock_;
  Randomness& randomness_;
  MailFile file_;
  std::vector<Waiting> waiting_;
  LineEnds ends_;
  std::string path_word_;
  std::string name_;
  std::string text_;
  std::uint64_t size_ = 0;
  unsigned count_ = 0;
};

}  // namespace glasspost::agent
