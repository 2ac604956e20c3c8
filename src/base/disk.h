// Files that must be there after a power cut. Errors name the path and, where something can be done, what.
#pragma once

#include <string>

#include "base/error.h"
#include "base/octets.h"

namespace glasspost {

// What errno says, of `path`.
std::unexpected<Error> SystemError(const std::string& what, const std::string& path);
// All of it.
Expected<void> WriteAll(int fd, Octets octets, const std::string& path);
// The file's octets are on the disk.
Expected<void> SyncFile(int fd, const std::string& path);
// All that was written to the file system that the file lies on: for many files one wait, where fsync of each is one each.
// Errors are told since Linux 5.8.
Expected<void> SyncFileSystem(int fd, const std::string& path);
// Is it one of the file systems of which that is true? Of those that a program or another machine serves it may not be.
bool SyncsWhole(int fd);
// A name in a folder is on the disk when the folder is.
Expected<void> SyncFolder(const std::string& path);
// A file for its owner alone, `path` with ".new", holds the octets, on the disk: its descriptor, the caller's, to read and to
// append to. Where it returns an error there is no such file.
Expected<int> WriteBeside(const std::string& path, Octets octets);
// What was written beside `path` takes its name, on the disk too; or is taken away.
Expected<void> PutInPlace(const std::string& path);
// A file for its owner alone, written beside its place first (".new") and on the disk with its name: there whole, or not at all.
Expected<void> WriteWhole(const std::string& path, Octets octets);
// A file without a name in $TMPDIR, else /tmp, to write and to read: its descriptor, the caller's, with which it goes.
Expected<int> MakeUnnamedFile();
// With those above it, for its owner alone.
Expected<void> MakeFolder(const std::string& path);

}  // namespace glasspost
