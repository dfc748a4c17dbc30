// The products of one GPU in one JavaScript environment: by cuBLASLt, with the algorithms that were chosen for each
// shape, or by our own kernel.
#pragma once
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "cublaslt-library.h"
#include "way.h"

namespace vitrail::cuda {

// How one kind of product is computed.
struct GemmChoice {
  // keyOf(task)
  std::string key;
  // kOwn, or what parseWay() takes.
  std::string algorithm;
  // Of the whole product when it was chosen; 0 where nothing was timed.
  double microseconds = 0;
};

constexpr char kOwn[] = "own";

class Gemms {
 public:
  enum class By { own, library };
  struct Settings {
    By by = By::library;
    // Times what the library proposes for products that nothing is chosen for yet, and keeps the fastest.
    bool tune = false;
    // fp32 products may round their operands to the 10 bits of TF32.
    bool tf32 = false;
  };

  explicit Gemms(Device& device);
  ~Gemms();
  Gemms(const Gemms&) = delete;
  Gemms& operator=(const Gemms&) = delete;

  Settings settings;

  // Throws a DeviceError where there is no library, or a choice does not fit it.
  void compute(const vitrail::Context& context, const GemmTask& task);

  // In the order of their keys.
  std::vector<GemmChoice> choices() const;
  // Replaces all. Each is looked at when its product is first computed.
  void setChoices(const std::vector<GemmChoice>& choices);
  // Of what computes products here, and of all choices that were timed or set: with equal digests, two GPUs of a kind
  // compute the same bits.
  std::string digest() const;

 private:
  struct Entry {
    GemmChoice choice;
    // Timed or set, not just the first that worked.
    bool isPinned = false;
    // Null before its first use, and for our own kernel.
    std::unique_ptr<Way> way;
  };

  void openLibrary(const vitrail::Context& context);
  // Computes a product that nothing is chosen for, by the first way that works.
  Entry tryInTurn(const vitrail::Context& context, const GemmTask& task);
  // Times all ways, on results of their own.
  Entry timeAll(const vitrail::Context& context, const GemmTask& task);
  std::unique_ptr<Way> chosenWay(const vitrail::Context& context, const GemmTask& task, const GemmChoice& choice);
  // Whether the way fits the task by this algorithm, or, where there is none, by one that the library proposes.
  bool settle(const vitrail::Context& context, const GemmTask& task, Way& way,
              const std::optional<cublaslt::Algorithm>& algorithm);

  Device& device_;
  const cublaslt::Api* api_ = nullptr;
  cublaslt::Context* handle_ = nullptr;
  GemmWorkspace workspace_;
  std::unordered_map<std::string, Entry> entries_;
};

// Those of a device; made when they are first asked for.
Gemms& gemmsOf(Device& device);

}  // namespace vitrail::cuda
