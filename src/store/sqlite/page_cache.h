// SQLite's own page cache, spared a search of it with each commit.
//
// A commit tells the cache to forget what lies beyond the end of the file. SQLite's cache looks first whether a page of such a
// number was ever in it; but where a balanced b-tree exchanges two pages, one of them has the number of the locking page (at
// 1 GiB) for a moment, and from then on each commit walks through all the cache: a third of a millisecond at 64 MiB. This one
// knows which number was lent only, and passes the search on when there can be something to find.
#pragma once

#include <sqlite3.h>

namespace glasspost::store {

// Before SQLite is initialised, once; later it does nothing. Connections use it from then on.
void UseSparingPageCache();
// What SQLite calls of it. Good after UseSparingPageCache.
extern const sqlite3_pcache_methods2 kSparingPageCache;

}  // namespace glasspost::store
