#include "cublaslt-library.h"

#include <dlfcn.h>
#include <glob.h>

#include <algorithm>
#include <climits>
#include <cstdlib>

#include "emulated-library.h"

namespace vitrail::cuda {

namespace {

constexpr int kMajors[] = {13, 12};

// The variable's value; empty if it is not set. ~/ at its start is replaced by the home folder, because a
// shell does not do this in a quoted value.
std::string variable(const char* name) {
  const char* value = getenv(name);
  if (value == nullptr) return "";
  const char* home = getenv("HOME");
  return home != nullptr && std::string(value).rfind("~/", 0) == 0 ? home + std::string(value + 1) : value;
}

void addNew(const std::string& path, std::vector<std::string>& to) {
  if (std::find(to.begin(), to.end(), path) == to.end()) to.push_back(path);
}

// The paths that match the pattern, the highest version of Python first.
void addMatches(const std::string& pattern, std::vector<std::string>& to) {
  glob_t found = {};
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    for (size_t i = found.gl_pathc; i > 0; i--) addNew(found.gl_pathv[i - 1], to);
  }
  globfree(&found);
}

// The prefix of <prefix>/bin/python3.
std::string prefixOf(const std::string& program) {
  const size_t folder = program.find_last_of('/');
  if (folder == std::string::npos || folder == 0) return "";
  const size_t prefix = program.find_last_of('/', folder - 1);
  return prefix == std::string::npos ? "" : program.substr(0, prefix);
}

// Folders in which Pythons are installed: chosen environments, that of the PATH's python3, the system's.
std::vector<std::string> pythonPrefixes() {
  std::vector<std::string> prefixes;
  for (const char* name : {"VIRTUAL_ENV", "CONDA_PREFIX"}) {
    if (!variable(name).empty()) prefixes.push_back(variable(name));
  }
  const std::string path = variable("PATH");
  for (size_t start = 0; start < path.size();) {
    const size_t end = std::min(path.find(':', start), path.size());
    const std::string program = path.substr(start, end - start) + "/python3";
    char real[PATH_MAX];
    if (realpath(program.c_str(), real) != nullptr) {
      // Also the folder of the link itself, because in a virtual environment the link points to the system's
      // Python.
      prefixes.push_back(prefixOf(program));
      prefixes.push_back(prefixOf(real));
      break;
    }
    start = end + 1;
  }
  for (const char* prefix : {"/usr", "/usr/local", "/opt/conda"}) prefixes.push_back(prefix);
  if (!variable("HOME").empty()) prefixes.push_back(variable("HOME") + "/.local");
  return prefixes;
}

void addOfMajor(int major, std::vector<std::string>& to) {
  const std::string number = std::to_string(major), file = "libcublasLt.so." + number;
  to.push_back(file);
  for (const std::string& home : {variable("CUDA_HOME"), std::string("/usr/local/cuda")}) {
    if (!home.empty()) addNew(home + "/lib64/" + file, to);
  }
  for (const std::string& folder : pythonPrefixes()) {
    addMatches(folder + "/lib/" + file, to);
    for (const char* packages : {"site", "dist"}) {
      const std::string below = folder + "/lib/python3*/" + packages + "-packages/nvidia/";
      addMatches(below + "cu" + number + "/lib/" + file, to);
      addMatches(below + "cublas/lib/" + file, to);
    }
  }
}

template <typename Function> void find(void* library, const char* name, Function& function, const std::string& path) {
  const std::string symbol = std::string("cublasLt") + name;
  void* address = dlsym(library, symbol.c_str());
  if (address == nullptr) throw DeviceError(path + " has no " + symbol + ": not a cuBLASLt of CUDA 12 or 13");
  function = reinterpret_cast<Function>(address);
}

// The library stays open, because it holds threads and memory of the driver.
cublaslt::Api functionsOf(void* library, const std::string& path) {
  cublaslt::Api api;
#define VITRAIL_FIND(name) find(library, #name, api.name, path)
  VITRAIL_FIND(GetVersion);
  VITRAIL_FIND(Create);
  VITRAIL_FIND(Destroy);
  VITRAIL_FIND(MatmulDescCreate);
  VITRAIL_FIND(MatmulDescDestroy);
  VITRAIL_FIND(MatmulDescSetAttribute);
  VITRAIL_FIND(MatrixLayoutCreate);
  VITRAIL_FIND(MatrixLayoutDestroy);
  VITRAIL_FIND(MatrixLayoutSetAttribute);
  VITRAIL_FIND(MatmulPreferenceCreate);
  VITRAIL_FIND(MatmulPreferenceDestroy);
  VITRAIL_FIND(MatmulPreferenceSetAttribute);
  VITRAIL_FIND(MatmulAlgoGetHeuristic);
  VITRAIL_FIND(MatmulAlgoCheck);
  VITRAIL_FIND(LibraryGemm);
#undef VITRAIL_FIND
  return api;
}

std::string nameOfOpened(void* library, const std::string& asked) {
  Dl_info info;
  void* function = dlsym(library, "cublasLtCreate");
  return function != nullptr && dladdr(function, &info) != 0 && info.dli_fname != nullptr ? info.dli_fname : asked;
}

}  // namespace

std::vector<std::string> libraryCandidates(const std::vector<int>& majors) {
  std::vector<std::string> candidates;
  if (!variable("VITRAIL_CUBLASLT").empty()) return {variable("VITRAIL_CUBLASLT")};
  for (int major : majors) addOfMajor(major, candidates);
  return candidates;
}

GemmLibrary openCublasLt(int builtWith) {
  std::vector<int> majors;
  for (int major : kMajors) {
    if (major == builtWith) majors.insert(majors.begin(), major);
    else majors.push_back(major);
  }
  std::string tried;
  for (const std::string& path : libraryCandidates(majors)) {
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      const char* why = dlerror();
      tried += std::string("\n  ") + (why == nullptr ? path.c_str() : why);
      continue;
    }
    static cublaslt::Api api;
    api = functionsOf(library, path);
    return {&api, "cublaslt", nameOfOpened(library, path), api.GetVersion()};
  }
  throw DeviceError(
      "cuBLASLt was not found (libcublasLt.so.13 or .12). Install CUDA's libraries or Python's nvidia-cublas package, "
      "or set VITRAIL_CUBLASLT to the file. Looked for it in VITRAIL_CUBLASLT, the loader's paths (LD_LIBRARY_PATH), "
      "CUDA_HOME, /usr/local/cuda, and nvidia/*/lib of Python's site-packages (VIRTUAL_ENV, CONDA_PREFIX, the PATH's "
      "python3, /usr, /usr/local, ~/.local):" +
      tried);
}

const GemmLibrary& gemmLibrary() {
  // This is thread-safe, and is tried again after a failure.
  static const GemmLibrary library =
      emulatedGemmLibrary != nullptr ? emulatedGemmLibrary() : openCublasLt(listDevices().runtime / 1000);
  return library;
}

}  // namespace vitrail::cuda
