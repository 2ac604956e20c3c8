// What a recipient's address resolves to: aliases, accounts, tags, catch-alls.
#pragma once

#include "store/directory.h"
#include "store/sqlite/database.h"

namespace glasspost::store {

// Both parts with A-Z as a-z.
AddressName Lowered(AddressName name);

Resolution ResolveRecipient(Database& db, const AddressName& recipient);

}  // namespace glasspost::store
