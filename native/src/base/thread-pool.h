// Threads that share the chunks of one kernel at a time. The caller's thread is one of them.
#pragma once
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "function-ref.h"

namespace vitrail {

// Any thread may get any chunk, in any order. A kernel gives the same bits on any number of threads if the
// result of a chunk depends only on the chunk's index.
class ThreadPool {
 public:
  using Work = FunctionRef<void(int chunk, int thread)>;

  // `threads` counts the caller's, so it is at least 1, and one fewer are started, or as many as the system's
  // limits allow.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  // Calls work(chunk, thread) for every chunk in [0, chunks) and returns when all are done; thread is in [0,
  // threads()). Must not be called by two threads at the same time, nor from within `work`.
  void run(int chunks, Work work);

 private:
  void serve(int thread);
  void takeChunks(const Work& work, int chunks, int thread);

  std::vector<std::thread> workers_;
  std::mutex mutex_;
  std::condition_variable wake_;
  // Rises with every run and at the end. Workers spin on it for a while and then sleep until it changes.
  std::atomic<uint64_t> round_{0};
  std::atomic<int> next_{0};
  std::atomic<int> busy_{0};
  const Work* work_ = nullptr;
  int chunks_ = 0;
  bool ending_ = false;
};

}  // namespace vitrail
