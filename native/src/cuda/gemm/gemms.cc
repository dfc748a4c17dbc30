#include "gemms.h"

#include <algorithm>
#include <cstdio>
#include <new>

#include "../../base/system-memory.h"
#include "own-gemm.h"

namespace vitrail::cuda {

namespace {

using namespace cublaslt;

constexpr size_t kMebibyte = size_t{1} << 20;
// The size that NVIDIA recommends for cublasSetWorkspace.
size_t workspaceBytesFor(int capability) { return (capability >= 90 ? 32 : 4) * kMebibyte; }

// On the emulator, gemms are planned as on Hopper.
int plannedCapability(const Device& device) { return device.capability() == 0 ? 90 : device.capability(); }

// How many proposals are tried if the first refuses to run, and how many are timed.
constexpr int kTried = 4, kTimed = 16;
constexpr int kRepeats = 5;
// A way that once took this much longer than the best so far is not timed again.
constexpr double kHopeless = 1.5;

// The gemm was refused before it started. Other statuses are failures of the GPU.
bool isRefusal(Status status) { return status == kNotSupported || status == kInvalidValue; }

[[noreturn]] void fail(const std::string& key, Status status) {
  throw DeviceError("cuBLASLt: status " + std::to_string(status) + " for the product " + key);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// The memory that a timed gemm writes to, in place of the task's.
class TrialResults {
 public:
  TrialResults(const vitrail::Context& context, const GemmTask& task)
      : task_(task),
        c_(context.memory, bytesLikeC(task)),
        preActivation_(context.memory, task.preActivation ? bytesLikeC(task) : 0),
        sums_(context.memory, sizeof(float) * static_cast<size_t>(task.m)) {
    if (task.residual.data == task.c.data) task_.residual.data = c_.as<void>();
    task_.c.data = c_.as<void>();
    if (task.preActivation) task_.preActivation.data = preActivation_.as<void>();
    if (task.rowSumsOfA != nullptr) task_.rowSumsOfA = sums_.as<float>();
  }
  const GemmTask& task() const { return task_; }

 private:
  static size_t bytesLikeC(const GemmTask& task) {
    const int64_t length = (task.batch - 1) * task.strideC + (task.m - 1) * task.ldc + task.n;
    return static_cast<size_t>(length) * vitrail::bytesOf(task.c.storage);
  }

  GemmTask task_;
  Scratch c_, preActivation_, sums_;
};

}  // namespace

Gemms::Gemms(Device& device) : device_(device) {
  // The emulator uses our own gemm unless a test asks for the library.
  if (device.capability() == 0) settings.by = By::own;
}

Gemms::~Gemms() {
  entries_.clear();
  if (handle_ != nullptr) api_->Destroy(handle_);
  if (workspace_.data != nullptr) returnToSystem(workspace_.data);
}

void Gemms::openLibrary(const vitrail::Context& context) {
  if (handle_ != nullptr) return;
  api_ = gemmLibrary().api;
  const size_t bytes = workspaceBytesFor(device_.capability());
  if (workspace_.data == nullptr) workspace_ = {takeFromSystem(bytes), bytes};
  if (workspace_.data == nullptr) {
    context.memory.trim();
    workspace_ = {takeFromSystem(bytes), bytes};
  }
  if (workspace_.data == nullptr) throw std::bad_alloc();
  const Status status = api_->Create(&handle_);
  if (status != kSuccess) throw DeviceError("cuBLASLt does not start: status " + std::to_string(status));
}

bool Gemms::settle(const vitrail::Context& context, const GemmTask& task, Way& way,
                   const std::optional<Algorithm>& algorithm) {
  if (algorithm.has_value()) {
    way.choose(*algorithm);
    return way.accepts(task, *algorithm, workspace_.bytes);
  }
  const TrialResults trial(context, task);
  for (const Algorithm& proposal : way.proposals(task, workspace_.bytes, kTried)) {
    way.choose(proposal);
    if (way.run(context, trial.task(), workspace_) == kSuccess) return true;
  }
  return false;
}

std::unique_ptr<Way> Gemms::chosenWay(const vitrail::Context& context, const GemmTask& task, const GemmChoice& choice) {
  Fusion fusion;
  std::optional<Algorithm> algorithm;
  if (parseWay(choice.algorithm, fusion, algorithm)) {
    const GemmPlan plan = planGemm(task, fusion, settings.tf32);
    auto way = std::make_unique<Way>(*api_, handle_, plan);
    if (plan.fusion.bits() == fusion.bits() && settle(context, task, *way, algorithm)) return way;
  }
  throw DeviceError("the algorithm chosen for the product " + choice.key + " does not fit this GPU or cuBLASLt " +
                    std::to_string(api_->GetVersion()) + ": choose anew on a machine like this one");
}

Gemms::Entry Gemms::tryInTurn(const vitrail::Context& context, const GemmTask& task) {
  Entry entry;
  for (const GemmPlan& plan : candidatePlans(task, plannedCapability(device_), settings.tf32)) {
    auto way = std::make_unique<Way>(*api_, handle_, plan);
    for (const Algorithm& algorithm : way->proposals(task, workspace_.bytes, kTried)) {
      way->choose(algorithm);
      const Status status = way->run(context, task, workspace_);
      if (status == kSuccess) {
        entry.choice.algorithm = textOf(plan.fusion, algorithm);
        entry.way = std::move(way);
        return entry;
      }
      if (!isRefusal(status)) fail(keyOf(task, settings.tf32), status);
    }
  }
  ownGemm(context, task);
  entry.choice.algorithm = kOwn;
  return entry;
}

Gemms::Entry Gemms::timeAll(const vitrail::Context& context, const GemmTask& task) {
  Entry best;
  best.choice.algorithm = kOwn;
  best.isPinned = true;
  const TrialResults trial(context, task);
  for (const GemmPlan& plan : candidatePlans(task, plannedCapability(device_), settings.tf32)) {
    auto way = std::make_unique<Way>(*api_, handle_, plan);
    bool isBest = false;
    Algorithm fastest = {};
    for (const Algorithm& algorithm : way->proposals(task, workspace_.bytes, kTimed)) {
      way->choose(algorithm);
      Status status = way->run(context, trial.task(), workspace_);
      if (isRefusal(status)) continue;
      if (status != kSuccess) fail(keyOf(task, settings.tf32), status);
      const double limit = best.choice.microseconds;
      std::vector<double> times;
      for (int i = 0; i < kRepeats && (i == 0 || limit == 0 || times[0] < limit * kHopeless); i++) {
        times.push_back(device_.microseconds([&] { status = way->run(context, trial.task(), workspace_); }));
      }
      const double time = median(times);
      if (limit > 0 && (times.size() < kRepeats || time >= limit)) continue;
      best.choice.algorithm = textOf(plan.fusion, algorithm);
      best.choice.microseconds = time;
      fastest = algorithm;
      isBest = true;
    }
    if (isBest) {
      way->choose(fastest);
      best.way = std::move(way);
    }
  }
  return best;
}

void Gemms::compute(const vitrail::Context& context, const GemmTask& task) {
  if (settings.by == By::own || !suitsLibrary(task)) return ownGemm(context, task);
  openLibrary(context);
  const std::string key = keyOf(task, settings.tf32);
  auto found = entries_.find(key);
  if (found == entries_.end()) {
    Entry entry = settings.tune ? timeAll(context, task) : tryInTurn(context, task);
    entry.choice.key = key;
    found = entries_.emplace(key, std::move(entry)).first;
    // Trying a way computes the gemm.
    if (!found->second.isPinned) return;
  }
  Entry& entry = found->second;
  if (entry.choice.algorithm == kOwn) return ownGemm(context, task);
  if (entry.way == nullptr) entry.way = chosenWay(context, task, entry.choice);
  const Status status = entry.way->run(context, task, workspace_);
  if (status != kSuccess) fail(key, status);
}

std::vector<GemmChoice> Gemms::choices() const {
  std::vector<GemmChoice> result;
  for (const auto& [key, entry] : entries_) result.push_back(entry.choice);
  std::sort(result.begin(), result.end(), [](const auto& x, const auto& y) { return x.key < y.key; });
  return result;
}

void Gemms::setChoices(const std::vector<GemmChoice>& choices) {
  entries_.clear();
  for (const GemmChoice& choice : choices) {
    Entry entry;
    entry.choice = choice;
    entry.isPinned = true;
    entries_[choice.key] = std::move(entry);
  }
}

std::string Gemms::digest() const {
  std::string text = kOwn;
  if (settings.by == By::library) {
    const GemmLibrary& library = gemmLibrary();
    text = library.name + " " + std::to_string(library.version) + (settings.tf32 ? " tf32" : "");
    for (const GemmChoice& choice : choices()) {
      if (entries_.at(choice.key).isPinned) text += "\n" + choice.key + "=" + choice.algorithm;
    }
  }
  text += " " + device_.kind();
  // FNV-1a, which is enough to tell tables apart.
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  char digits[17];
  snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash));
  return digits;
}

Gemms& gemmsOf(Device& device) {
  if (device.gemms == nullptr) device.gemms = std::make_shared<Gemms>(device);
  return *device.gemms;
}

}  // namespace vitrail::cuda
