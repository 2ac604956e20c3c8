#include "net/tls_engine.h"

#include <gtest/gtest.h>

#include "net/test_support.h"

namespace glasspost::net {
namespace {

using namespace test;

// Carries what `from` has to send to `to`, `piece` octets at a time, each in memory of its own.
template <class Use>
void Carry(TlsEngine& from, TlsEngine& to, std::size_t piece, Use use) {
  const std::string records(from.output());
  from.ClearOutput();
  for (std::size_t at = 0; at < records.size(); at += piece) {
    const auto one = std::make_unique<std::string>(records.substr(at, piece));
    to.Feed(*one);
    use(to);
    to.Keep();
  }
}

class Engines : public ::testing::TestWithParam<std::size_t> {
 protected:
  Engines() {
    const KeyPairFiles files = MakePair(folder_, "mx.test");
    server_ = std::make_unique<TlsEngine>(*TlsContext::ForServer({.pairs = {files}, .alpn = {}}), "", nullptr);
    client_ = std::make_unique<TlsEngine>(*TlsContext::ForClient({.verify = true, .authorities = files.certificate, .alpn = {}}),
                                          "mx.test", nullptr);
  }
  void Handshake() {
    const auto shake = [](TlsEngine& e) { EXPECT_NE(e.Handshake(), TlsEngine::Result::kFailed) << e.error(); };
    shake(*client_);
    for (int i = 0; i < 4; ++i) {
      Carry(*client_, *server_, GetParam(), shake);
      Carry(*server_, *client_, GetParam(), shake);
    }
    ASSERT_EQ(server_->Handshake(), TlsEngine::Result::kDone);
    ASSERT_EQ(client_->Handshake(), TlsEngine::Result::kDone);
  }
  TemporaryFolder folder_;
  std::unique_ptr<TlsEngine> server_;
  std::unique_ptr<TlsEngine> client_;
};

TEST_P(Engines, AnyPiecesOfRecordsGiveTheSameOctets) {
  Handshake();
  std::string sent;
  for (int i = 0; i < 5000; ++i) sent += std::to_string(i) + "\r\n";
  ASSERT_EQ(client_->Write(Octets(sent).substr(0, 3)), TlsEngine::Result::kDone);
  ASSERT_EQ(client_->Write(Octets(sent).substr(3)), TlsEngine::Result::kDone);
  std::string got;
  Carry(*client_, *server_, GetParam(), [&](TlsEngine& e) {
    char room[64];
    for (std::size_t n = 0;; got.append(room, n)) {
      const auto result = e.Read(room, sizeof room, n);
      ASSERT_NE(result, TlsEngine::Result::kFailed);
      if (n == 0) break;
    }
  });
  EXPECT_EQ(got, sent);
  client_->CloseNotify();
  Carry(*client_, *server_, 1000, [&](TlsEngine& e) {
    char c = 0;
    std::size_t n = 0;
    EXPECT_EQ(e.Read(&c, 1, n), TlsEngine::Result::kEnd);
  });
}

TEST_P(Engines, ADamagedRecordFails) {
  Handshake();
  ASSERT_EQ(client_->Write("hello"), TlsEngine::Result::kDone);
  std::string records(client_->output());
  records[records.size() - 3] = static_cast<char>(records[records.size() - 3] ^ 1);
  server_->Feed(records);
  char room[16];
  std::size_t n = 0;
  EXPECT_EQ(server_->Read(room, sizeof room, n), TlsEngine::Result::kFailed);
  EXPECT_EQ(n, 0u);
  EXPECT_FALSE(server_->error().empty());
}

INSTANTIATE_TEST_SUITE_P(Pieces, Engines, ::testing::Values(1, 7, 1000, 100000));

}  // namespace
}  // namespace glasspost::net
