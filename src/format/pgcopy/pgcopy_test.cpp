// COPY binary: rows in any cut of the stream, and every kind of broken stream.
#include "format/pgcopy/pgcopy.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "format/wire_bytes_test.hpp"

namespace leat::pgcopy {
namespace {

using Row = std::vector<std::optional<std::string>>;

const std::string signature("PGCOPY\n\377\r\n\0", 11);

auto header(std::uint32_t flags = 0, std::string_view extension = "") -> std::string {
    return WireBytes{}.raw(signature).big(flags).sized(extension).bytes;
}

auto encode(const Row& row) -> std::string {
    WireBytes out;
    out.big(static_cast<std::int16_t>(row.size()));
    for (const auto& field : row) {
        if (field) out.sized(*field);
        else out.big(-1);
    }
    return out.bytes;
}

auto trailer() -> std::string {
    return WireBytes{}.big(std::int16_t{-1}).bytes;
}

// All rows of one piece; false after an error.
auto take(Decoder& decoder, std::string_view piece, std::vector<Row>& rows) -> bool {
    decoder.feed(piece);
    while (true) {
        auto next = decoder.next();
        if (!next) return false;
        if (!*next) return true;
        auto& row = rows.emplace_back();
        for (std::size_t i = 0; i < (**next).size(); ++i) {
            const auto field = (**next).next();
            row.push_back(field.null ? std::nullopt : std::optional(std::string(field.bytes)));
        }
    }
}

auto example() -> std::string {
    return header(0, "ext") + encode({"one", std::nullopt}) + encode({"", std::string(300, 'x')}) +
           trailer();
}

TEST(Pgcopy, whole_stream) {
    Decoder decoder(2);
    std::vector<Row> rows;
    ASSERT_TRUE(take(decoder, example(), rows));
    EXPECT_TRUE(decoder.finished());
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0], (Row{"one", std::nullopt}));
    EXPECT_EQ(rows[1], (Row{"", std::string(300, 'x')}));
}

TEST(Pgcopy, cut_anywhere_is_not_finished) {
    const auto whole = example();
    for (std::size_t size = 0; size < whole.size(); ++size) {
        Decoder decoder(2);
        std::vector<Row> rows;
        EXPECT_TRUE(take(decoder, std::string_view(whole).substr(0, size), rows));
        EXPECT_FALSE(decoder.finished()) << size;
    }
}

// Pieces live no longer than until the next one: each is a copy of its own, wiped after use.
RC_GTEST_PROP(Pgcopy, any_cut_gives_the_same_rows,
              (const std::vector<std::tuple<bool, std::string, std::string>>& values,
               const std::vector<std::uint8_t>& cuts)) {
    std::string stream = header();
    std::vector<Row> expected;
    for (const auto& [null, first, second] : values) {
        expected.push_back({null ? std::nullopt : std::optional(first), second});
        stream += encode(expected.back());
    }
    stream += trailer();
    Decoder decoder(2);
    std::vector<Row> rows;
    std::size_t at = 0;
    for (std::size_t i = 0; at < stream.size(); ++i) {
        auto piece = stream.substr(at, i < cuts.size() ? cuts[i] % 16 : stream.size());
        RC_ASSERT(take(decoder, piece, rows));
        at += piece.size();
        piece.assign(piece.size(), '!');
    }
    RC_ASSERT(decoder.finished());
    RC_ASSERT(rows == expected);
}

auto fails(const std::string& stream, std::string_view reason) -> void {
    for (const std::size_t step : {std::size_t{1}, stream.size()}) {
        Decoder decoder(2);
        std::vector<Row> rows;
        bool good = true;
        std::string why;
        for (std::size_t at = 0; good && at < stream.size(); at += step) {
            decoder.feed(std::string_view(stream).substr(at, step));
            while (true) {
                auto next = decoder.next();
                good = next.has_value();
                if (!good) why = next.error().what;
                if (!good || !*next) break;
            }
        }
        EXPECT_FALSE(good) << reason;
        EXPECT_NE(why.find(reason), std::string::npos) << why;
        EXPECT_FALSE(decoder.finished());
        EXPECT_FALSE(decoder.next());
    }
}

TEST(Pgcopy, broken_streams) {
    fails("PGCOPX", "signature");
    fails("id,name\n1,a\n", "signature");
    fails(header(1U << 16), "flags");
    fails(WireBytes{}.raw(signature).big(0U).big(-1).bytes, "extension");
    fails(header() + encode({"a"}), "1 columns instead of 2");
    fails(header() + WireBytes{}.big(std::int16_t{-2}).bytes, "columns");
    fails(header() + WireBytes{}.big(std::int16_t{2}).big(-2).bytes, "length");
    fails(header() + trailer() + "x", "after the trailer");
}

}  // namespace
}  // namespace leat::pgcopy
