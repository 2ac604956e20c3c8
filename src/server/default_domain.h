// The domain of addresses that are written without one: <Postmaster>, user names, what local programs send.
#pragma once

#include <functional>
#include <string>

#include "server/config.h"
#include "store/directory.h"

namespace glasspost::server {

// Made at the first start, unless [server] domain names another one.
inline constexpr const char* kFirstDomain = "localhost.test";

// [server] domain; or else, of those that are here, the one that the host's name is or lies in ("mx.example.org" in
// "example.org"); or else the first that is not kFirstDomain; or else that; or else, where there is none at all, the host's name.
// `done` may be called before this returns, on any thread; what the store cannot tell counts as not there. The directory outlives
// the call.
void FindDefaultDomain(const Config& config, store::Directory& directory, std::move_only_function<void(std::string)> done);

}  // namespace glasspost::server
