#include "server/default_domain.h"

#include <gtest/gtest.h>

#include <future>

#include "store/sqlite/sqlite_store.h"
#include "support/temporary_folder.h"

namespace glasspost::server {
namespace {

class DefaultDomain : public testing::Test {
 protected:
  std::string Of(const std::string& host, const std::string& domain = {}) {
    Config config;
    config.server.host = host;
    config.server.domain = domain;
    std::promise<std::string> found;
    FindDefaultDomain(config, store_->directory(), [&](std::string d) { found.set_value(std::move(d)); });
    return found.get_future().get();
  }
  void Add(const std::string& domain) {
    std::promise<bool> added;
    store_->directory().AddDomain(domain, {}, 1, [&](store::Result<void> done) { added.set_value(done.has_value()); });
    ASSERT_TRUE(added.get_future().get());
  }

  TemporaryFolder folder_;
  std::unique_ptr<store::Store> store_ = std::move(*store::OpenSqliteStore(folder_.path()));
};

TEST_F(DefaultDomain, IsTheOneTheHostLiesIn) {
  EXPECT_EQ(Of("mx.example.org"), "mx.example.org") << "there is none";
  Add(kFirstDomain);
  EXPECT_EQ(Of("mx.example.org"), kFirstDomain) << "the only one";
  Add("other.test");
  Add("zebra.test");
  EXPECT_EQ(Of("mx.example.org"), "other.test") << "rather than the one it began with";
  Add("example.org");
  EXPECT_EQ(Of("MX.Example.org"), "example.org");
  EXPECT_EQ(Of("a.b.zebra.test"), "zebra.test");
  EXPECT_EQ(Of("notexample.org"), "example.org") << "the first, not by its letters";
  Add("mx.example.org");
  EXPECT_EQ(Of("mx.example.org"), "mx.example.org");
  EXPECT_EQ(Of("mx.example.org", "other.test"), "other.test") << "what the operator says";
}

}  // namespace
}  // namespace glasspost::server
