// Tells systemd how far the service is (sd_notify(3)): "READY=1", "RELOADING=1", "STOPPING=1". Nothing happens where it was not
// started by it.
#pragma once

#include <string_view>

namespace glasspost::server {

void NotifySystemd(std::string_view state);

}  // namespace glasspost::server
