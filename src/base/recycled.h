// Memory of objects that come and go by the thousand: a class that derives from Recycled<itself> keeps the memory of those that
// were deleted on a thread for the next ones of that thread. Not under the sanitizers, which must see each use after its end.
#pragma once

#include <cstddef>
#include <new>

namespace glasspost {

template <class T>
class Recycled {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
 public:
  static constexpr std::size_t kKept = 256;  // objects' memory; stops a peak from being held for ever

  static void* operator new(std::size_t size) {
    Kept& kept = OfThread();
    if (size != sizeof(T) || kept.first == nullptr) return ::operator new(size);
    --kept.count;
    Node* const node = kept.first;
    kept.first = node->next;
    return node;
  }
  static void operator delete(void* memory, std::size_t size) {
    Kept& kept = OfThread();
    if (size != sizeof(T) || kept.count == kKept) return ::operator delete(memory, size);
    kept.first = new (memory) Node{kept.first};
    ++kept.count;
  }

 private:
  struct Node {
    Node* next;
  };
  struct Kept {
    Node* first = nullptr;
    std::size_t count = 0;
    ~Kept() {
      while (first != nullptr) {
        Node* const node = first;
        first = node->next;
        ::operator delete(node, sizeof(T));
      }
      count = kKept;  // what is deleted later by the thread is not kept
    }
  };
  static Kept& OfThread() {
    thread_local Kept kept;
    return kept;
  }
#endif
};

}  // namespace glasspost
