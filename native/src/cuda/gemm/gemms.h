// Computes the gemms of one GPU in one JavaScript environment: with cuBLASLt and the algorithms that were
// chosen for each shape, or with our own kernel.
#pragma once
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "cublaslt-library.h"
#include "way.h"

namespace vitrail::cuda {

// How one kind of gemm is computed.
struct GemmChoice {
  // keyOf(task)
  std::string key;
  // kOwn, or a text that parseWay() takes.
  std::string algorithm;
  // Time of the whole gemm when it was chosen; 0 if nothing was timed.
  double microseconds = 0;
};

constexpr char kOwn[] = "own";

class Gemms {
 public:
  enum class By { own, library };
  struct Settings {
    By by = By::library;
    // For gemms without a choice, times the library's proposals and keeps the fastest.
    bool tune = false;
    // fp32 gemms may round their operands to the 10 bits of TF32.
    bool tf32 = false;
  };

  explicit Gemms(Device& device);
  ~Gemms();
  Gemms(const Gemms&) = delete;
  Gemms& operator=(const Gemms&) = delete;

  Settings settings;

  // Throws a DeviceError if there is no library, or if a choice does not fit it.
  void compute(const vitrail::Context& context, const GemmTask& task);

  // In the order of their keys.
  std::vector<GemmChoice> choices() const;
  // Replaces all choices. A choice is checked when its gemm is first computed.
  void setChoices(const std::vector<GemmChoice>& choices);
  // A digest of the library and of all choices that were timed or set. Two GPUs of the same kind with equal
  // digests compute the same bits.
  std::string digest() const;

 private:
  struct Entry {
    GemmChoice choice;
    // Whether it was timed or set, and is not just the first that worked.
    bool isPinned = false;
    // Null before its first use, and for our own kernel.
    std::unique_ptr<Way> way;
  };

  void openLibrary(const vitrail::Context& context);
  // Computes a gemm without a choice, by the first way that works.
  Entry tryInTurn(const vitrail::Context& context, const GemmTask& task);
  // Times all ways, which write to memory of their own.
  Entry timeAll(const vitrail::Context& context, const GemmTask& task);
  std::unique_ptr<Way> chosenWay(const vitrail::Context& context, const GemmTask& task, const GemmChoice& choice);
  // Whether the way can compute the task with this algorithm or, if there is none, with one that the library
  // proposes.
  bool settle(const vitrail::Context& context, const GemmTask& task, Way& way,
              const std::optional<cublaslt::Algorithm>& algorithm);

  Device& device_;
  const cublaslt::Api* api_ = nullptr;
  cublaslt::Context* handle_ = nullptr;
  GemmWorkspace workspace_;
  std::unordered_map<std::string, Entry> entries_;
};

// The gemms of a device, created when they are first asked for.
Gemms& gemmsOf(Device& device);

}  // namespace vitrail::cuda
