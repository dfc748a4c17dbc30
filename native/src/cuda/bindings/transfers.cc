#include "transfers.h"

#include <algorithm>
#include <system_error>

namespace vitrail {

Transfers::Transfers(Napi::Env env, cuda::Device& device) : env_(env), device_(device) {
  const auto woken = [](napi_env alive, napi_value, void* self, void*) {
    // Null when the environment ends. Then close() has been called.
    if (alive != nullptr) static_cast<Transfers*>(self)->settleFinished();
  };
  const napi_status status = napi_create_threadsafe_function(
      env, nullptr, nullptr, Napi::String::New(env, "vitrail copies"), 0, 1, nullptr, nullptr, this, woken, &wake_);
  if (status != napi_ok) throw cuda::DeviceError("no thread-safe function for copies");
  napi_unref_threadsafe_function(env, wake_);
  // Hooks run in reverse order. Ours has to run before that of the function, which must not be called after
  // its own.
  napi_add_env_cleanup_hook(env, closeOf, this);
  try {
    for (Lane& lane : lanes_) lane.thread = std::thread([this, &lane] { serve(lane); });
  } catch (const std::system_error& error) {
    close();
    throw cuda::DeviceError(std::string("no thread for copies: ") + error.what());
  }
}

Transfers::~Transfers() { close(); }

void Transfers::closeOf(void* self) { static_cast<Transfers*>(self)->close(); }

// Runs in JavaScript's thread. Promises that are not settled yet stay so, because their environment ends.
void Transfers::close() {
  if (closed_) return;
  closed_ = true;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  for (Lane& lane : lanes_) {
    if (lane.thread.joinable()) lane.thread.join();
  }
  finished_.clear();
  for (const Registration& registration : registrations_) device_.unregisterHost(registration.data);
  registrations_.clear();
  napi_release_threadsafe_function(wake_, napi_tsfn_abort);
  napi_remove_env_cleanup_hook(env_, closeOf, this);
}

void Transfers::registerHost(void* data, size_t bytes, Napi::Object array) {
  device_.registerHost(data, bytes);
  registrations_.push_back({static_cast<uint8_t*>(data), bytes, Napi::Persistent(array)});
}

bool Transfers::unregisterHost(const void* data, size_t bytes) {
  const auto found = std::find_if(registrations_.begin(), registrations_.end(),
                                  [&](const Registration& r) { return r.data == data && r.bytes == bytes; });
  if (found == registrations_.end()) return false;
  waitForAll();
  device_.unregisterHost(found->data);
  registrations_.erase(found);
  return true;
}

bool Transfers::overlapsRegistered(const void* data, size_t bytes) const {
  const auto* start = static_cast<const uint8_t*>(data);
  return std::any_of(registrations_.begin(), registrations_.end(),
                     [&](const Registration& r) { return start < r.data + r.bytes && r.data < start + bytes; });
}

bool Transfers::isRegistered(const void* data, size_t bytes) const {
  const auto* start = static_cast<const uint8_t*>(data);
  return std::any_of(registrations_.begin(), registrations_.end(),
                     [&](const Registration& r) { return start >= r.data && start + bytes <= r.data + r.bytes; });
}

Napi::Value Transfers::start(Direction direction, void* host, void* device, size_t bytes,
                             std::function<void()> settled) {
  auto copy = std::make_unique<Copy>();
  copy->settled = std::move(settled);
  napi_value created = nullptr;
  if (napi_create_promise(env_, &copy->promise, &created) != napi_ok) throw Napi::Error::New(env_);
  const Napi::Value promise(env_, created);
  try {
    copy->transfer =
        direction == Direction::out ? device_.startOut(host, device, bytes) : device_.startIn(device, host, bytes);
  } catch (const cuda::DeviceError& error) {
    copy->problem = error.what();
    copy->settled();
    settle(env_, *copy);
    return promise;
  }
  if (pending_++ == 0) napi_ref_threadsafe_function(env_, wake_);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    lanes_[static_cast<int>(direction)].started.push_back(std::move(copy));
  }
  changed_.notify_all();
  return promise;
}

// The work of a lane's thread. A copy stays in the lane until it is finished, because waitForAll() looks
// there.
void Transfers::serve(Lane& lane) {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return closing_ || !lane.started.empty(); });
    if (lane.started.empty()) return;
    Copy& copy = *lane.started.front();
    lock.unlock();
    copy.problem = device_.finish(copy.transfer);
    lock.lock();
    finished_.push_back(std::move(lane.started.front()));
    lane.started.pop_front();
    const bool last = closing_;
    lock.unlock();
    changed_.notify_all();
    if (!last) napi_call_threadsafe_function(wake_, nullptr, napi_tsfn_nonblocking);
    lock.lock();
  }
}

void Transfers::settleFinished() {
  std::deque<std::unique_ptr<Copy>> finished;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    finished.swap(finished_);
  }
  pending_ -= finished.size();
  if (!finished.empty() && pending_ == 0) napi_unref_threadsafe_function(env_, wake_);
  for (const auto& copy : finished) {
    copy->settled();
    settle(env_, *copy);
  }
}

void Transfers::waitForAll() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [&] { return lanes_[0].started.empty() && lanes_[1].started.empty(); });
}

// Uses plain calls without looking at failures, because they fail only if the environment is ending.
void Transfers::settle(napi_env env, const Copy& copy) {
  napi_value value = nullptr, text = nullptr;
  if (copy.problem.empty()) {
    if (napi_get_undefined(env, &value) == napi_ok) napi_resolve_deferred(env, copy.promise, value);
    return;
  }
  if (napi_create_string_utf8(env, copy.problem.c_str(), copy.problem.size(), &text) != napi_ok) return;
  if (napi_create_error(env, nullptr, text, &value) == napi_ok) napi_reject_deferred(env, copy.promise, value);
}

}  // namespace vitrail
