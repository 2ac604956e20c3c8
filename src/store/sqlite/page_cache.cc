#include "store/sqlite/page_cache.h"

#include <algorithm>
#include <new>

namespace glasspost::store {
namespace {

sqlite3_pcache_methods2 g_own;  // SQLite's; not changed after UseSparingPageCache

// Pages beyond max(highest, lent) are not in it.
struct Cache {
  sqlite3_pcache* own;
  unsigned highest = 0;
  unsigned lent = 0;  // a number beyond `highest` that a page has between two calls of Rekey; 0: none
};

Cache& Of(sqlite3_pcache* cache) { return *reinterpret_cast<Cache*>(cache); }

int Init(void*) { return g_own.xInit(g_own.pArg); }
void Shutdown(void*) { g_own.xShutdown(g_own.pArg); }

sqlite3_pcache* Create(int page_octets, int extra_octets, int purgeable) {
  sqlite3_pcache* const own = g_own.xCreate(page_octets, extra_octets, purgeable);
  if (own == nullptr) return nullptr;
  auto* const cache = new (std::nothrow) Cache{own};
  if (cache == nullptr) g_own.xDestroy(own);
  return reinterpret_cast<sqlite3_pcache*>(cache);
}

void Destroy(sqlite3_pcache* cache) {
  g_own.xDestroy(Of(cache).own);
  delete &Of(cache);
}

void SetSize(sqlite3_pcache* cache, int pages) { g_own.xCachesize(Of(cache).own, pages); }
int Count(sqlite3_pcache* cache) { return g_own.xPagecount(Of(cache).own); }
void Shrink(sqlite3_pcache* cache) { g_own.xShrink(Of(cache).own); }

sqlite3_pcache_page* Fetch(sqlite3_pcache* cache, unsigned key, int create) {
  Cache& c = Of(cache);
  if (create != 0 && key > c.highest) c.highest = key;
  return g_own.xFetch(c.own, key, create);
}

void Unpin(sqlite3_pcache* cache, sqlite3_pcache_page* page, int discard) { g_own.xUnpin(Of(cache).own, page, discard); }

void Rekey(sqlite3_pcache* cache, sqlite3_pcache_page* page, unsigned from, unsigned to) {
  Cache& c = Of(cache);
  if (from == c.lent) c.lent = 0;
  if (to > c.highest) {
    c.highest = std::max(c.highest, c.lent);  // two at once: then it is not lent
    c.lent = to;
  }
  g_own.xRekey(c.own, page, from, to);
}

void Truncate(sqlite3_pcache* cache, unsigned limit) {
  Cache& c = Of(cache);
  if (c.highest < limit && c.lent < limit) return;
  g_own.xTruncate(c.own, limit);
  if (c.highest >= limit) c.highest = limit > 0 ? limit - 1 : 0;
  if (c.lent >= limit) c.lent = 0;
}

}  // namespace

const sqlite3_pcache_methods2 kSparingPageCache = {1,     nullptr, Init,  Shutdown, Create,  SetSize, Count,
                                                   Fetch, Unpin,   Rekey, Truncate, Destroy, Shrink};

void UseSparingPageCache() {
  if (sqlite3_config(SQLITE_CONFIG_GETPCACHE2, &g_own) != SQLITE_OK || g_own.iVersion != 1) return;
  sqlite3_config(SQLITE_CONFIG_PCACHE2, &kSparingPageCache);
}

}  // namespace glasspost::store
