// Exchanges that conversations are done with: the memory of their texts serves those that come after, since most conversations
// are short and would ask for it anew. One thread at a time.
#pragma once

#include <utility>
#include <vector>

#include "wire/exchange.h"

namespace glasspost {

class ExchangeStock {
 public:
  static constexpr std::size_t kExchanges = 512;     // kept; stops a peak from being held for ever
  static constexpr std::size_t kTextOctets = 4'096;  // an exchange with a longer text is not kept

  // An empty one.
  Exchange Take() {
    if (stock_.empty()) return {};
    Exchange exchange = std::move(stock_.back());
    stock_.pop_back();
    return exchange;
  }
  void Give(Exchange&& exchange) {
    const bool large = exchange.request.argument.capacity() > kTextOctets || exchange.reply.text.capacity() > kTextOctets ||
                       exchange.request.decoded.capacity() > kTextOctets || exchange.reply.decoded.capacity() > kTextOctets ||
                       exchange.request.verb.capacity() > kTextOctets || exchange.request.tag.capacity() > kTextOctets ||
                       exchange.request.span.frames.memory() > kTextOctets || exchange.reply.span.frames.memory() > kTextOctets;
    if (large || stock_.size() >= kExchanges) return;
    exchange.Clear();
    exchange.more_replies = {};
    stock_.push_back(std::move(exchange));
  }

 private:
  std::vector<Exchange> stock_;
};

}  // namespace glasspost
