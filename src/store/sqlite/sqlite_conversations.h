// Conversations in conversations.db (synchronous=OFF), with a thread of their own: they never wait for mail, nor mail for them.
// What is to be written gathers for some milliseconds, unless somebody asks. A file that a power cut has spoiled is begun anew.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "store/conversations.h"
#include "store/sqlite/database.h"
#include "store/sqlite/free_space.h"

namespace glasspost::store {

class SqliteConversations final : public Conversations {
 public:
  // Numbers begin above `last_number` and above all that the file has. `free_space` outlives it.
  static Result<std::unique_ptr<SqliteConversations>> Open(const std::string& path, const std::string& vfs,
                                                           ConversationBounds bounds, std::uint64_t last_number,
                                                           const FreeSpace* free_space);
  ~SqliteConversations() override;  // writes what waits

  std::uint64_t NextNumber() override { return ++last_number_; }
  void Append(std::uint64_t number, std::string part) override;
  void Finish(ConversationHead head) override;
  void List(ConversationSelection selection, Done<std::vector<ConversationHead>> done) override;
  void Find(std::uint64_t number, Done<ConversationHead> done) override;
  void Read(std::uint64_t number, std::uint64_t offset, std::size_t length, Done<std::string> done) override;
  std::uint64_t dropped_octets() const override { return dropped_; }
  void Drain();  // Store::Drain

 private:
  struct Task {
    std::move_only_function<void(Database&)> run;
    std::size_t octets = 0;
    bool may_drop = false;
  };

  SqliteConversations(std::string path, std::string vfs, ConversationBounds bounds, const FreeSpace* free_space);
  Result<void> OpenFile();
  void BeginAnew();
  bool Post(Task task, bool may_drop);
  void Loop();
  void RunAll(std::vector<Task>& tasks);
  void KeepWithinBounds();
  void WriteHead(Database& db, const ConversationHead& head);

  const std::string path_, vfs_;
  const ConversationBounds bounds_;
  const FreeSpace* const free_space_;
  Database db_;  // the thread's, as are the next three
  std::uint64_t count_ = 0;
  std::uint64_t octets_ = 0;
  Timestamp latest_ = 0;  // end of the conversation that ended last
  std::atomic<std::uint64_t> last_number_ = 0;
  std::atomic<std::uint64_t> dropped_ = 0;

  std::mutex mutex_;
  std::condition_variable posted_, idle_;
  std::vector<Task> waiting_;
  std::size_t waiting_octets_ = 0;
  bool awaited_ = false;  // somebody waits for what was posted
  bool busy_ = false;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace glasspost::store
