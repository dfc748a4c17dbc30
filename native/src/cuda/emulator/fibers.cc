// Fibers with setjmp and longjmp. ucontext gives each its stack once; after that, switches need no system
// call.
#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include <ucontext.h>

#include "language.h"

namespace vitrail::emulator {

thread_local Position position;

namespace {

constexpr size_t kStackBytes = 256 * 1024;
constexpr unsigned kLanes = 32;
constexpr unsigned kMostThreads = 1024;
constexpr size_t kMostSharedBytes = 227 * 1024;

// On a GPU warps run in any order, and one may be far ahead of the others. So here each runs as far as it can
// alone. A missing barrier then gives wrong results in this order or in the other one
// (VITRAIL_EMULATED_ORDER).
const bool descending =
    getenv("VITRAIL_EMULATED_ORDER") != nullptr && strcmp(getenv("VITRAIL_EMULATED_ORDER"), "descending") == 0;

unsigned inTurn(unsigned i, unsigned count) { return descending ? count - 1 - i : i; }

struct Barrier {
  unsigned arrived = 0;
  unsigned waiting = 0;
  uint64_t generation = 0;
};

struct Warp {
  Barrier barrier;
  unsigned live = 0;
  LaneWords words[2][kLanes] = {};
};

struct Fiber {
  jmp_buf at;
  ucontext_t start;
  std::unique_ptr<unsigned char[]> stack;
  bool started = false;
  bool done = true;
  // The one of a warp's two sets of words that the next exchange uses.
  unsigned phase = 0;
  Position position;
};

// A running block. Each thread of the process that emulates has one.
struct Machine {
  std::vector<std::unique_ptr<Fiber>> fibers;
  std::vector<Warp> warps;
  Barrier barrier;
  unsigned live = 0;
  unsigned current = 0;
  // Rises whenever a thread that waited can go on.
  uint64_t progress = 0;
  jmp_buf scheduler;
  ucontext_t home;
  const FunctionRef<void()>* body = nullptr;
  alignas(128) unsigned char shared[kMostSharedBytes];
};

Machine& machine() {
  static thread_local std::unique_ptr<Machine> instance = std::make_unique<Machine>();
  return *instance;
}

[[noreturn]] void stop(const char* why) {
  fprintf(stderr, "emulated kernel: %s (block %u, %u, %u)\n", why, position.block.x, position.block.y,
          position.block.z);
  abort();
}

void yield(Machine& m) {
  Fiber& fiber = *m.fibers[m.current];
  if (_setjmp(fiber.at) == 0) _longjmp(m.scheduler, 1);
  position = fiber.position;
}

void release(Machine& m, Barrier& barrier) {
  barrier.arrived = 0;
  barrier.generation++;
  m.progress++;
}

void wait(Machine& m, Barrier& barrier, unsigned live) {
  if (++barrier.arrived == live) return release(m, barrier);
  const uint64_t generation = barrier.generation;
  while (barrier.generation == generation) yield(m);
}

// Nobody waits for a thread that has ended.
void finish(Machine& m, Fiber& fiber) {
  Warp& warp = m.warps[fiber.position.index / kLanes];
  fiber.done = true;
  m.progress++;
  if (--m.live > 0 && m.barrier.arrived == m.live) release(m, m.barrier);
  if (--warp.live > 0 && warp.barrier.arrived == warp.live) release(m, warp.barrier);
}

void serve() {
  Machine& m = machine();
  for (;;) {
    Fiber& fiber = *m.fibers[m.current];
    position = fiber.position;
    (*m.body)();
    finish(m, fiber);
    if (_setjmp(fiber.at) == 0) _longjmp(m.scheduler, 1);
  }
}

void resume(Machine& m, unsigned index) {
  m.current = index;
  Fiber& fiber = *m.fibers[index];
  if (_setjmp(m.scheduler) != 0) return;
  if (fiber.started) _longjmp(fiber.at, 1);
  fiber.started = true;
  fiber.stack.reset(new unsigned char[kStackBytes]);
  getcontext(&fiber.start);
  fiber.start.uc_stack.ss_sp = fiber.stack.get();
  fiber.start.uc_stack.ss_size = kStackBytes;
  fiber.start.uc_link = nullptr;
  makecontext(&fiber.start, serve, 0);
  swapcontext(&m.home, &fiber.start);
}

// Runs a warp until all its threads have ended or wait for others.
void runWarp(Machine& m, unsigned first, unsigned count) {
  uint64_t before;
  do {
    before = m.progress;
    for (unsigned i = 0; i < count; i++) {
      const unsigned index = first + inTurn(i, count);
      if (!m.fibers[index]->done) resume(m, index);
    }
  } while (m.progress != before);
}

void runThreads(Machine& m, unsigned threads) {
  const auto warps = static_cast<unsigned>(m.warps.size());
  while (m.live > 0) {
    const uint64_t before = m.progress;
    for (unsigned i = 0; i < warps; i++) {
      const unsigned first = inTurn(i, warps) * kLanes;
      runWarp(m, first, std::min(kLanes, threads - first));
    }
    if (m.progress == before) stop("some threads wait at a barrier that the others never reach");
  }
}

void runBlock(Machine& m, dim3 block, dim3 threads, dim3 blocks, size_t sharedBytes) {
  const unsigned count = threads.x * threads.y * threads.z;
  // Memory that a kernel does not write must not look like zeros.
  memset(m.shared, 0xff, sharedBytes);
  m.barrier = {};
  m.live = count;
  m.warps.assign((count + kLanes - 1) / kLanes, {});
  for (unsigned i = 0; i < count; i++) {
    Fiber& fiber = *m.fibers[i];
    fiber.done = false;
    fiber.phase = 0;
    fiber.position = {dim3(i % threads.x, i / threads.x % threads.y, i / (threads.x * threads.y)), block, threads,
                      blocks, i};
    m.warps[i / kLanes].live++;
  }
  runThreads(m, count);
}

}  // namespace

unsigned char* blockMemory() { return machine().shared; }

void blockBarrier() {
  Machine& m = machine();
  wait(m, m.barrier, m.live);
}

void warpBarrier() {
  Machine& m = machine();
  Warp& warp = m.warps[position.index / kLanes];
  wait(m, warp.barrier, warp.live);
}

const LaneWords* exchangeAll(const LaneWords& mine) {
  Machine& m = machine();
  Warp& warp = m.warps[position.index / kLanes];
  LaneWords* words = warp.words[m.fibers[m.current]->phase++ % 2];
  words[position.index % kLanes] = mine;
  wait(m, warp.barrier, warp.live);
  return words;
}

uint64_t exchange(uint64_t word, unsigned source) { return exchangeAll({{word}})[source].of[0]; }

void runGrid(dim3 blocks, dim3 threads, size_t sharedBytes, FunctionRef<void()> thread) {
  Machine& m = machine();
  const unsigned count = threads.x * threads.y * threads.z;
  if (count == 0 || count > kMostThreads) stop("a block has 1 to 1024 threads");
  if (sharedBytes > kMostSharedBytes) stop("more shared memory than a block can have");
  while (m.fibers.size() < count) m.fibers.push_back(std::make_unique<Fiber>());
  m.body = &thread;
  for (unsigned z = 0; z < blocks.z; z++) {
    for (unsigned y = 0; y < blocks.y; y++) {
      for (unsigned x = 0; x < blocks.x; x++) {
        const dim3 block(inTurn(x, blocks.x), inTurn(y, blocks.y), inTurn(z, blocks.z));
        runBlock(m, block, threads, blocks, sharedBytes);
      }
    }
  }
  m.body = nullptr;
}

}  // namespace vitrail::emulator
