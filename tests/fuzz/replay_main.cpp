// Runs a fuzz target over stored inputs, as an ordinary test: replay <folder>...
// Fails when a folder cannot be read or no file was found.

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

bool replay(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) return false;
    const std::vector<char> bytes{std::istreambuf_iterator<char>(stream), {}};
    const std::vector<uint8_t> exact(bytes.begin(), bytes.end());
    LLVMFuzzerTestOneInput(exact.data(), exact.size());
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    size_t files = 0;
    for (int index = 1; index < argc; ++index) {
        std::error_code error;
        for (const auto& entry : std::filesystem::directory_iterator(argv[index], error)) {
            if (!entry.is_regular_file()) continue;
            if (!replay(entry.path())) {
                std::fprintf(stderr, "cannot read %s\n", entry.path().c_str());
                return 1;
            }
            ++files;
        }
        if (error) {
            std::fprintf(stderr, "cannot open %s: %s\n", argv[index], error.message().c_str());
            return 1;
        }
    }
    std::printf("%zu inputs replayed\n", files);
    return files ? 0 : 1;
}
