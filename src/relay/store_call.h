// A call of the store, awaited by a coroutine: its completion comes on a thread of the store, and the coroutine goes on on its
// own.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "net/asio.h"
#include "store/result.h"

namespace glasspost::relay {

// `start(Done<T>)` makes the call. `context` outlives the store's completion.
template <class T, class F>
net::Task<store::Result<T>> Ask(net::asio::io_context& context, F start) {
  using Token = net::asio::use_awaitable_t<net::Executor>;
  store::Result<T> result = co_await net::asio::async_initiate<const Token, void(store::Result<T>)>(
      [&context, &start](auto handler) {
        start(store::Done<T>([&context, handler = std::move(handler)](store::Result<T> answer) mutable {
          net::asio::post(context,
                          [handler = std::move(handler), answer = std::move(answer)]() mutable { handler(std::move(answer)); });
        }));
      },
      Token{});
  co_return result;
}

}  // namespace glasspost::relay
