// What the tests of net share: an io_context that runs until a coroutine is done, connected streams, a tap that writes down what
// it hears, a certificate made once.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/use_future.hpp>
#include <memory>
#include <string>

#include "net/deadlines.h"
#include "net/endpoint.h"
#include "net/self_signed.h"
#include "net/stream.h"
#include "net/system_clock.h"
#include "support/temporary_folder.h"

namespace glasspost::net::test {

using namespace std::chrono_literals;

// Time that passes only when it is told to.
class ManualClock final : public Clock {
 public:
  Timestamp Now() const override { return now; }
  std::int64_t Steady() const override { return now; }
  std::int64_t now = 1'700'000'000'000'000'000;
};

class RecordingTap final : public Tap {
 public:
  explicit RecordingTap(std::string& told) : told_(told) {}
  void OnConnect(const Endpoint& client, const Endpoint& server, Timestamp) override {
    told_ += "connect " + client.address.Text() + " " + server.address.Text() + "\n";
  }
  void OnOctets(Direction direction, Octets octets, Timestamp) override {
    told_.append(direction == Direction::kToServer ? "C " : "S ").append(octets) += "\n";
  }
  void OnTlsStart(Timestamp) override { told_ += "tls\n"; }
  void OnRecords(Direction direction, Octets octets, Timestamp) override { records[Index(direction)].append(octets); }
  void OnTlsSecrets(Octets line) override { secrets.append(line) += "\n"; }
  void OnTlsEstablished(Timestamp) override { told_ += "established\n"; }
  void OnClose(Closing how, Timestamp) override {
    static constexpr const char* kHow[] = {"by us", "by peer", "reset", "timed out"};
    told_ += std::string("close ") + kHow[static_cast<int>(how)] + "\n";
  }
  std::string records[2];
  std::string secrets;

 private:
  std::string& told_;
};

inline KeyPairFiles MakePair(const TemporaryFolder& folder, const std::string& name) {
  const KeyPairFiles files{.certificate = folder / (name + ".crt"), .key = folder / (name + ".key")};
  const auto made = EnsureSelfSigned(files, {.names = {name, "127.0.0.1"}}, SystemClock());
  EXPECT_TRUE(made) << (made ? "" : made.error().Text());
  return files;
}

struct Net {
  asio::io_context context{1};
  Deadlines deadlines{context, SystemClock(), 10ms};

  // Runs until the coroutine is done; what else was spawned goes on meanwhile.
  template <class T>
  T Run(Task<T> task) {
    auto result = asio::co_spawn(context.get_executor(), std::move(task), asio::use_future);
    context.restart();
    while (result.wait_for(0s) != std::future_status::ready && context.run_one() > 0) {
    }
    return result.get();
  }
  // Both until both are done.
  void Both(Task<void> a, Task<void> b) {
    auto first = asio::co_spawn(context.get_executor(), std::move(a), asio::use_future);
    auto second = asio::co_spawn(context.get_executor(), std::move(b), asio::use_future);
    context.restart();
    const auto ready = [](auto& f) { return f.wait_for(0s) == std::future_status::ready; };
    while (!(ready(first) && ready(second)) && context.run_one() > 0) {
    }
    ASSERT_TRUE(ready(first) && ready(second));
    first.get(), second.get();
  }
};

struct Pair {
  std::unique_ptr<Stream> server;
  std::unique_ptr<Stream> client;
};

// Connected over loopback.
inline Pair Connected(Net& net, std::unique_ptr<Tap> server_tap = nullptr, std::unique_ptr<Tap> client_tap = nullptr) {
  Acceptor acceptor(net.context, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  Socket client(net.context);
  client.connect(acceptor.local_endpoint());
  Socket server = acceptor.accept();
  return {std::make_unique<Stream>(std::move(server), Side::kServer, net.deadlines, std::move(server_tap)),
          std::make_unique<Stream>(std::move(client), Side::kClient, net.deadlines, std::move(client_tap))};
}

// Reads until `octets` have come, or the stream ends.
inline Task<std::string> ReadAll(Stream& stream, std::size_t octets, IoStatus* status = nullptr) {
  std::string all;
  while (all.size() < octets) {
    const ReadResult r = co_await stream.Read(5s);
    if (status) *status = r.status;
    if (r.status != IoStatus::kOk) break;
    all.append(r.octets);
  }
  co_return all;
}

}  // namespace glasspost::net::test
