// Memory in pages of 2 MiB.
#pragma once

namespace glasspost::cli {

// Asks for them, for all memory that the program takes from now on and for what it has. At the start of a command that will fill
// tens of MiB: with pages of 4 KiB each of some ten thousand is a fault of its own. A server, which should lie small, does
// without. Where the system or the allocator has none, nothing changes.
void UseLargePages();

}  // namespace glasspost::cli
