// One way to compute a kind of gemm with the library: a plan, and the library's algorithm.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "library-gemm.h"

namespace vitrail::cuda {

class Way {
 public:
  // Throws a DeviceError if the library does not know what the plan says.
  Way(const cublaslt::Api& api, cublaslt::Context* handle, const GemmPlan& plan)
      : plan_(plan), matmul_(api, handle, plan) {}

  // The library's proposals, the one that is probably fastest first; none if it cannot do this.
  std::vector<cublaslt::Algorithm> proposals(const GemmTask& task, size_t workspaceBytes, int most);
  bool accepts(const GemmTask& task, const cublaslt::Algorithm& algorithm, size_t workspaceBytes);
  void choose(const cublaslt::Algorithm& algorithm) { algorithm_ = algorithm; }
  // Computes everything that the task asks for, with the chosen algorithm. If the status is not success,
  // nothing was written.
  cublaslt::Status run(const Context& context, const GemmTask& task, const GemmWorkspace& workspace);

 private:
  GemmPlan plan_;
  LibraryGemm matmul_;
  cublaslt::Algorithm algorithm_ = {};
};

// A way as text: the fusion's bits and the algorithm's bytes in hexadecimal, f:00112233...
std::string textOf(const Fusion& fusion, const cublaslt::Algorithm& algorithm);
// False if the text has another form. f:first names no algorithm and means the library's first proposal that
// runs.
bool parseWay(const std::string& text, Fusion& fusion, std::optional<cublaslt::Algorithm>& algorithm);

}  // namespace vitrail::cuda
