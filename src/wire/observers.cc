#include "wire/observers.h"

namespace glasspost {

std::unique_ptr<Observer> MakeObserver(Protocol /*protocol*/, ObserverSink& /*sink*/, const ObserverOptions& /*options*/) {
  return nullptr;
}

}  // namespace glasspost
