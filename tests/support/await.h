// Waits for the completion of a call of the store: Await<T>([&](auto done) { store.queue().Count(std::move(done)); })
// and for all of a message to be taken: AwaitAppend(receiver, octets).
#pragma once

#include <algorithm>
#include <future>
#include <memory>
#include <utility>

#include "store/receiver.h"

namespace glasspost::store {

template <class T, class F>
Result<T> Await(F call) {
  std::promise<Result<T>> promise;
  auto future = promise.get_future();
  call(Done<T>([&promise](Result<T> result) { promise.set_value(std::move(result)); }));
  return future.get();
}

// In pieces of `piece` octets.
inline Result<void> AwaitAppend(Receiver& receiver, Octets octets, std::size_t piece = MessageLimits::kChunk) {
  for (; !octets.empty(); octets.remove_prefix(std::min(octets.size(), piece))) {
    auto taken = Await<void>([&](Done<void> done) {
      // Called by whom: by the store later, or here if it will not.
      auto shared = std::make_shared<Done<void>>(std::move(done));
      if (receiver.Append(octets.substr(0, piece), [shared](Result<void> r) { (*shared)(std::move(r)); })) (*shared)({});
    });
    if (!taken) return taken;
  }
  return {};
}

}  // namespace glasspost::store
