// Makes the observer of a protocol; the only place that knows them all.
#pragma once

#include <memory>

#include "wire/exchange.h"

namespace glasspost::analysis {

// `sink` outlives the observer. Null for protocols that have none of their own (TLS).
std::unique_ptr<Observer> NewObserver(Protocol protocol, bool datagrams, ObserverSink& sink, const ObserverOptions& options);

}  // namespace glasspost::analysis
