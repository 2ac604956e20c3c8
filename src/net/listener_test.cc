#include "net/listener.h"

#include <gtest/gtest.h>

#include <thread>

#include "net/test_support.h"

namespace glasspost::net {
namespace {

using namespace test;

const std::uint8_t kLoopback4[4] = {127, 0, 0, 1};
const std::uint8_t kLoopback6[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

Address V6(std::initializer_list<std::uint8_t> first) {
  std::uint8_t octets[16] = {};
  std::copy(first.begin(), first.end(), octets);
  return Address::V6(octets);
}

TEST(Admissions, CountInAllAndByAddress) {
  const auto admissions = Admissions::Make({.all = 3, .per_address = 2});
  const std::uint8_t other[4] = {192, 0, 2, 1};
  auto a = admissions->Admit(Address::V4(kLoopback4));
  auto b = admissions->Admit(Address::V4(kLoopback4));
  EXPECT_TRUE(a && b);
  EXPECT_FALSE(admissions->Admit(Address::V4(kLoopback4))) << "one past the limit of an address";
  auto c = admissions->Admit(Address::V4(other));
  EXPECT_TRUE(c);
  b.GiveBack();
  b.GiveBack();
  EXPECT_EQ(admissions->count(), 2u);
  b = admissions->Admit(V6({0x20, 1, 0xd, 0xb8}));
  EXPECT_TRUE(b);
  EXPECT_FALSE(admissions->Admit(V6({0x20, 2}))) << "one past the limit in all";
}

TEST(Admissions, AnIpv6SubnetIsOne) {
  const auto admissions = Admissions::Make({.all = 10, .per_address = 1});
  const auto a = admissions->Admit(V6({0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 5}));
  EXPECT_TRUE(a);
  EXPECT_FALSE(admissions->Admit(V6({0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 6})));
  EXPECT_TRUE(admissions->Admit(V6({0x20, 1, 0xd, 0xb8, 0, 0, 0, 2, 5})));
}

TEST(Listener, TakesBothFamiliesOnOnePort) {
  Net net;
  const auto admissions = Admissions::Make({});
  auto v4 = Listener::Open({Address::V4(kLoopback4), 0}, {&net.context}, admissions);
  ASSERT_TRUE(v4) << v4.error().Text();
  const std::uint16_t port = (*v4)->endpoint().port;
  auto v6 = Listener::Open({Address::V6(kLoopback6), port}, {&net.context}, admissions);
  if (!v6) GTEST_SKIP() << "no IPv6 here: " << v6.error().Text();
  std::vector<std::string> peers;
  std::vector<std::unique_ptr<Stream>> streams;
  std::vector<Admissions::Place> places;
  for (auto* listener : {v4->get(), v6->get()})
    listener->Start([&](asio::io_context&, Socket socket, Admissions::Place place) {
      streams.push_back(std::make_unique<Stream>(std::move(socket), Side::kServer, net.deadlines));
      places.push_back(std::move(place));
      peers.push_back(streams.back()->peer().address.Text());
    });
  auto a = net.Run(Connect(net.context, net.deadlines, {Address::V4(kLoopback4), port}, 1s));
  auto b = net.Run(Connect(net.context, net.deadlines, {Address::V6(kLoopback6), port}, 1s));
  ASSERT_TRUE(a && b);
  for (int i = 0; i < 100 && peers.size() < 2; ++i) net.context.run_for(10ms);
  EXPECT_EQ(peers, (std::vector<std::string>{"127.0.0.1", "::1"}));
  EXPECT_EQ(admissions->count(), 2u);
  const auto again = Listener::Open({Address::V4(kLoopback4), port}, {&net.context}, admissions);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().what, "another program listens there");
  (*v4)->Stop();
  (*v6)->Stop();
}

TEST(Listener, RefusesPastTheLimitWithItsWords) {
  Net net;
  const auto admissions = Admissions::Make({.all = 10, .per_address = 1});
  auto listener =
      Listener::Open({Address::V4(kLoopback4), 0}, {&net.context}, admissions, {.backlog = 5, .refusal = "-ERR later\r\n"});
  ASSERT_TRUE(listener);
  int taken = 0;
  std::vector<Socket> sockets;
  Admissions::Place held;
  (*listener)->Start([&](asio::io_context&, Socket socket, Admissions::Place place) {
    ++taken;
    sockets.push_back(std::move(socket));
    held = std::move(place);
  });
  auto first = net.Run(Connect(net.context, net.deadlines, (*listener)->endpoint(), 1s));
  auto second = net.Run(Connect(net.context, net.deadlines, (*listener)->endpoint(), 1s));
  ASSERT_TRUE(first && second);
  EXPECT_EQ(net.Run(ReadAll(**second, 100)), "-ERR later\r\n");
  EXPECT_EQ(taken, 1);
  held.GiveBack();
  auto third = net.Run(Connect(net.context, net.deadlines, (*listener)->endpoint(), 1s));
  for (int i = 0; i < 100 && taken < 2; ++i) net.context.run_for(10ms);
  EXPECT_EQ(taken, 2) << "a place that was given back is there again";
}

// Connections are spread over the workers, each served by its own thread; some come while others go.
TEST(Listener, ServesFromManyThreads) {
  asio::io_context first{1};
  asio::io_context second{1};
  Deadlines deadlines_first(first, SystemClock(), 10ms);
  Deadlines deadlines_second(second, SystemClock(), 10ms);
  const auto admissions = Admissions::Make({});
  auto listener = Listener::Open({Address::V4(kLoopback4), 0}, {&first, &second}, admissions);
  ASSERT_TRUE(listener);
  std::atomic<int> served[2] = {0, 0};
  (*listener)->Start([&](asio::io_context& to, Socket socket, Admissions::Place place) {
    const int worker = &to == &first ? 0 : 1;
    Deadlines& deadlines = worker == 0 ? deadlines_first : deadlines_second;
    asio::co_spawn(
        to.get_executor(),
        [](Socket s, Admissions::Place p, Deadlines& d, std::atomic<int>& count) -> Task<void> {
          const Admissions::Place here = std::move(p);
          Stream stream(std::move(s), Side::kServer, d);
          while (true) {
            const ReadResult in = co_await stream.Read(5s);
            if (in.status != IoStatus::kOk) break;
            const std::string back(in.octets);
            co_await stream.Write(back, 5s);
          }
          ++count;
          co_await stream.Close(1s);
        }(std::move(socket), std::move(place), deadlines, served[worker]),
        asio::detached);
  });
  std::jthread one([&] { first.run(); });
  auto keep = asio::make_work_guard(second);
  std::jthread two([&] { second.run(); });
  Net net;
  for (int i = 0; i < 20; ++i) {
    auto client = net.Run(Connect(net.context, net.deadlines, (*listener)->endpoint(), 2s));
    ASSERT_TRUE(client);
    net.Run([](Stream& s) -> Task<void> {
      co_await s.Write("ping", 1s);
      EXPECT_EQ(co_await ReadAll(s, 4), "ping");
      co_await s.Close(1s);
    }(**client));
  }
  for (int i = 0; i < 200 && served[0] + served[1] < 20; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(served[0], 10);
  EXPECT_EQ(served[1], 10);
  asio::post(first, [&] { (*listener)->Stop(); });
  keep.reset();
  one.join();
  two.join();
  EXPECT_EQ(admissions->count(), 0u);
}

}  // namespace
}  // namespace glasspost::net
