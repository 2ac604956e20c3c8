// Pages beyond a limit are forgotten, whatever they were called in between; the others stay.
#include "store/sqlite/page_cache.h"

#include <gtest/gtest.h>

#include <vector>

#include "store/sqlite/database.h"

namespace glasspost::store {
namespace {

constexpr unsigned kLockingPage = 262145;  // of 4096 octets, at 1 GiB

class PageCache : public testing::Test {
 protected:
  PageCache() {
    EXPECT_TRUE(initialised_.Open(":memory:", "", Database::Use::kWrite));
    cache_ = kSparingPageCache.xCreate(4096, 64, 1);
    kSparingPageCache.xCachesize(cache_, 100);
    for (unsigned key = 1; key <= 10; ++key) Make(key);
  }
  ~PageCache() override { kSparingPageCache.xDestroy(cache_); }

  sqlite3_pcache_page* Make(unsigned key) { return kSparingPageCache.xFetch(cache_, key, 2); }
  void Rekey(unsigned from, unsigned to) {
    kSparingPageCache.xRekey(cache_, kSparingPageCache.xFetch(cache_, from, 0), from, to);
  }
  void Truncate(unsigned limit) { kSparingPageCache.xTruncate(cache_, limit); }
  bool Has(unsigned key) { return kSparingPageCache.xFetch(cache_, key, 0) != nullptr; }
  int count() { return kSparingPageCache.xPagecount(cache_); }

  Database initialised_;
  sqlite3_pcache* cache_ = nullptr;
};

TEST_F(PageCache, ForgetsWhatLiesBeyond) {
  Truncate(11);
  EXPECT_EQ(count(), 10);
  Truncate(6);
  EXPECT_EQ(count(), 5);
  EXPECT_TRUE(Has(5));
  EXPECT_FALSE(Has(6));
  Make(7);
  Truncate(6);
  EXPECT_EQ(count(), 5);
  Truncate(0);
  EXPECT_EQ(count(), 0);
}

// As two pages are exchanged when a b-tree is balanced.
TEST_F(PageCache, KnowsWhoHasALentNumber) {
  Rekey(3, kLockingPage);
  Rekey(8, 3);
  Rekey(kLockingPage, 8);
  Truncate(11);
  EXPECT_EQ(count(), 10);
  Truncate(8);
  EXPECT_EQ(count(), 7);
  EXPECT_TRUE(Has(3));
}

TEST_F(PageCache, ForgetsWhatStillHasALentNumber) {
  Rekey(3, kLockingPage);
  Truncate(11);
  EXPECT_EQ(count(), 9);
  EXPECT_FALSE(Has(kLockingPage));
}

TEST_F(PageCache, ForgetsTwoWithLentNumbers) {
  Rekey(3, 500);
  Rekey(4, 400);
  Truncate(450);
  EXPECT_EQ(count(), 9);
  EXPECT_TRUE(Has(400));
  Truncate(11);
  EXPECT_EQ(count(), 8);
}

}  // namespace
}  // namespace glasspost::store
