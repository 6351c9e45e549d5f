#include "base/process.hpp"

#include <unistd.h>

#include <cstdio>

namespace comqtt {

int64_t resident_bytes() {
    std::FILE* file = std::fopen("/proc/self/statm", "re");
    if (!file) return 0;
    long long total = 0, resident = 0;
    const int fields = std::fscanf(file, "%lld %lld", &total, &resident);
    std::fclose(file);
    return fields == 2 ? resident * sysconf(_SC_PAGESIZE) : 0;
}

}  // namespace comqtt
