// Writes every message as an .eml file beside whatever another report tells. Files are named by conversation and order:
// 0012-1.eml; one that is not whole 0012-1-incomplete.eml. Nothing is overwritten.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

#include "analysis/teller.h"
#include "base/error.h"

namespace glasspost::analysis {

class MessageFiles final : public Report {
 public:
  // `inner` tells as it would alone; it must outlive this. `directory` exists (see Prepare).
  MessageFiles(Report& inner, std::string directory) : inner_(inner), directory_(std::move(directory)) {}

  // What has no name by now goes.
  ~MessageFiles() override { Abandon(); }

  // Makes the directory if it is not there.
  Expected<void> Prepare() const;

  Wants wants() const override;
  std::unique_ptr<Teller> NewTeller() const override;
  void Write(std::uint64_t number, Octets note, TextStore& text) override;

  // Removes what has no name yet; from now on nothing is written. From any thread, for a program that is about to end.
  void Abandon() const;

  std::uint64_t written() const { return written_; }
  // What was not written and why, in the order in which it happened; beyond a bound only how many more there were.
  std::vector<Error> errors() const;

 private:
  class FileTeller;
  void Fail(Error error) const;
  std::string PartPath(Octets suffix) const;
  // Opens a file under a name for the time being, of which the suffix is told; -1 and errno.
  int NewPart(std::string& suffix) const;
  void Discard(Octets suffix) const;

  Report& inner_;
  std::string directory_;
  std::uint64_t written_ = 0;
  mutable std::mutex parts_mutex_;                 // of the two that follow, and held while a name comes or goes
  mutable std::unordered_set<std::string> parts_;  // suffixes of what has no name yet
  mutable bool abandoned_ = false;
  mutable std::mutex mutex_;  // of errors_
  mutable std::vector<Error> errors_;
  mutable std::uint64_t unlisted_ = 0;  // errors beyond the bound
};

}  // namespace glasspost::analysis
