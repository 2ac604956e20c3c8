// A message on its way into mail.db, and the transaction that accepts it.
#pragma once

#include "store/receiver.h"
#include "store/sqlite/engine.h"

namespace glasspost::store {

class SqliteReceiver final : public Receiver {
 public:
  SqliteReceiver(Engine& engine, MessageId id) : engine_(engine), id_(id) {}
  ~SqliteReceiver() override;

  MessageId id() const override { return id_; }
  bool Append(Octets octets, Done<void> done) override;
  std::uint64_t size() const override { return written_ + held_.size(); }
  void Commit(Plan plan, Done<Accepted> done) override;

 private:
  static void Discard(Engine& engine, MessageId id);

  Engine& engine_;
  const MessageId id_;
  std::string held_;           // not yet handed to the writer
  std::uint64_t written_ = 0;  // octets before them
  bool finished_ = false;
};

}  // namespace glasspost::store
