// The observer of a protocol, for those who learn only at run time which one is spoken.
#pragma once

#include <memory>

#include "wire/exchange.h"

namespace glasspost {

// Nothing for protocols that are no dialogue of lines (DNS, TLS) or unknown. `sink` and what it needs outlive the observer.
std::unique_ptr<Observer> MakeObserver(Protocol protocol, ObserverSink& sink, const ObserverOptions& options);

}  // namespace glasspost
