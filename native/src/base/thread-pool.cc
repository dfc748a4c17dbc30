#include "thread-pool.h"

#include <system_error>

namespace vitrail {

namespace {

// About 20 microseconds, the gap between two kernels of a step. In longer gaps the threads sleep.
constexpr int kSpins = 2000;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

}  // namespace

ThreadPool::ThreadPool(int threads) {
  // Reserves first, because running threads must not be lost when the vector cannot grow.
  workers_.reserve(threads - 1);
  try {
    for (int thread = 1; thread < threads; thread++) workers_.emplace_back([this, thread] { serve(thread); });
  } catch (const std::system_error&) {
    // The system's limit of threads is reached. The threads that could be started do all the work, with the
    // same bits.
  }
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    ending_ = true;
    round_.fetch_add(1, std::memory_order_release);
  }
  wake_.notify_all();
  for (auto& worker : workers_) worker.join();
}

void ThreadPool::run(int chunks, Work work) {
  if (chunks <= 1 || workers_.empty()) {
    for (int chunk = 0; chunk < chunks; chunk++) work(chunk, 0);
    return;
  }
  {
    // Under the lock, so that a worker that is about to sleep cannot miss the round.
    std::lock_guard<std::mutex> lock(mutex_);
    work_ = &work;
    chunks_ = chunks;
    next_.store(0, std::memory_order_relaxed);
    busy_.store(static_cast<int>(workers_.size()), std::memory_order_relaxed);
    round_.fetch_add(1, std::memory_order_release);
  }
  wake_.notify_all();
  takeChunks(work, chunks, 0);
  for (int spins = 0; busy_.load(std::memory_order_acquire) > 0; spins++) {
    // A worker may have lost its core, so this thread gives up its own.
    if (spins < kSpins) pause();
    else std::this_thread::yield();
  }
}

void ThreadPool::takeChunks(const Work& work, int chunks, int thread) {
  for (int chunk = next_.fetch_add(1, std::memory_order_relaxed); chunk < chunks;
       chunk = next_.fetch_add(1, std::memory_order_relaxed)) {
    work(chunk, thread);
  }
}

void ThreadPool::serve(int thread) {
  uint64_t seen = 0;
  for (;;) {
    for (int spins = 0; spins < kSpins && round_.load(std::memory_order_acquire) == seen; spins++) pause();
    if (round_.load(std::memory_order_acquire) == seen) {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [&] { return round_.load(std::memory_order_relaxed) != seen; });
    }
    seen = round_.load(std::memory_order_acquire);
    if (ending_) return;
    takeChunks(*work_, chunks_, thread);
    busy_.fetch_sub(1, std::memory_order_release);
  }
}

}  // namespace vitrail
