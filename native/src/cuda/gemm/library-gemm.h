// One gemm of cuBLASLt, which is described once and run many times.
#pragma once
#include <optional>
#include <vector>

#include "cublaslt-api.h"
#include "plan.h"

namespace vitrail::cuda {

// The arguments that change from run to run.
struct GemmPointers {
  // The library's A and B.
  const void *a = nullptr, *b = nullptr;
  const void* c = nullptr;
  void* d = nullptr;
  // Bias, or row sums.
  const void* vector = nullptr;
  void* preActivation = nullptr;
};

struct GemmWorkspace {
  void* data = nullptr;
  size_t bytes = 0;
};

class LibraryGemm {
 public:
  // Throws a DeviceError if the library does not know what the plan says.
  LibraryGemm(const cublaslt::Api& api, cublaslt::Context* context, const GemmPlan& plan);
  ~LibraryGemm();
  LibraryGemm(const LibraryGemm&) = delete;
  LibraryGemm& operator=(const LibraryGemm&) = delete;

  // The library's proposals, the one that is probably fastest first; none if it refuses. The pointers tell it
  // the alignment.
  std::vector<cublaslt::Algorithm> proposals(const GemmPointers& pointers, size_t workspaceBytes, int most);
  // Whether the algorithm can run this gemm.
  bool accepts(const GemmPointers& pointers, const cublaslt::Algorithm& algorithm, size_t workspaceBytes);
  cublaslt::Status run(const GemmPointers& pointers, const cublaslt::Algorithm& algorithm, float alpha,
                       const GemmWorkspace& workspace, Stream stream);

 private:
  void release();
  void check(cublaslt::Status status, const char* what) const;
  cublaslt::MatrixLayout* layout(const Layout& from);
  template <typename T> void set(cublaslt::DescAttribute attribute, T value, const char* what);
  void setPointers(const GemmPointers& pointers);

  const cublaslt::Api& api_;
  cublaslt::Context* context_;
  float beta_;
  bool hasVector_, hasAux_;
  cublaslt::DataType result_;
  cublaslt::MatmulDesc* desc_ = nullptr;
  cublaslt::MatrixLayout *a_ = nullptr, *b_ = nullptr, *d_ = nullptr;
};

}  // namespace vitrail::cuda
