// Waits for the completion of a call of the store: Await<T>([&](auto done) { store.queue().Count(std::move(done)); })
#pragma once

#include <future>
#include <utility>

#include "store/result.h"

namespace glasspost::store {

template <class T, class F>
Result<T> Await(F call) {
  std::promise<Result<T>> promise;
  auto future = promise.get_future();
  call(Done<T>([&promise](Result<T> result) { promise.set_value(std::move(result)); }));
  return future.get();
}

}  // namespace glasspost::store
