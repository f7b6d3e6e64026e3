// Any bytes as a COPY binary stream. The first byte is the number of columns, the second the size
// of the pieces; however the stream is cut, the same rows and the same end must come out.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "format/pgcopy/pgcopy.hpp"

namespace {

struct Outcome {
    std::string rows;
    bool failed = false;
    bool finished = false;

    friend auto operator==(const Outcome&, const Outcome&) -> bool = default;
};

auto read(std::string_view stream, std::uint16_t columns, std::size_t piece_bytes) -> Outcome {
    leat::pgcopy::Decoder decoder(columns);
    Outcome outcome;
    for (std::size_t at = 0; at < stream.size() && !outcome.failed; at += piece_bytes) {
        const std::string piece(stream.substr(at, piece_bytes));  // gone after its turn
        decoder.feed(piece);
        while (true) {
            auto next = decoder.next();
            if (!next) outcome.failed = true;
            if (!next || !*next) break;
            for (std::size_t i = 0; i < (**next).size(); ++i) {
                const auto field = (**next).next();
                outcome.rows += field.null ? "-" : std::to_string(field.bytes.size());
                outcome.rows += field.bytes;
            }
            outcome.rows += ';';
        }
    }
    outcome.finished = decoder.finished();
    return outcome;
}

}  // namespace

extern "C" auto LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) -> int {
    if (size < 2) return 0;
    const std::string_view stream(reinterpret_cast<const char*>(data) + 2, size - 2);
    const std::uint16_t columns = data[0];
    const auto whole = read(stream, columns, stream.size() + 1);
    const auto pieces = read(stream, columns, std::size_t{data[1]} % 32 + 1);
    if (!(whole == pieces)) std::abort();
    return 0;
}
