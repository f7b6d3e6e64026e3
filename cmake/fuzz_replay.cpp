// Feeds the files of a corpus folder through a fuzz entry point, so that every ordinary test run
// covers the named cases without libFuzzer. Linked into fuzz targets outside the fuzz preset.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" auto LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) -> int;

auto main(int argc, char** argv) -> int {
    std::vector<std::filesystem::path> cases;
    for (int i = 1; i < argc; ++i) {
        std::error_code failed;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i], failed)) {
            if (entry.is_regular_file()) cases.push_back(entry.path());
        }
        if (failed) {
            std::fprintf(stderr, "cannot read corpus: %s\n", argv[i]);
            return 1;
        }
    }
    std::sort(cases.begin(), cases.end());
    for (const auto& path : cases) {
        std::ifstream file(path, std::ios::binary);
        const std::string bytes{std::istreambuf_iterator<char>(file), {}};
        std::printf("%s\n", path.c_str());
        std::fflush(stdout);
        LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    }
    std::printf("%zu cases\n", cases.size());
    return cases.empty() ? 1 : 0;
}
