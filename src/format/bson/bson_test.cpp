// Scanning: every type, and what is wrong with a document in every place.
#include "format/bson/bson.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "format/bson/built_test.hpp"

namespace leat::bson {
namespace {

constexpr auto int32_min = std::numeric_limits<std::int32_t>::min();
constexpr auto int32_max = std::numeric_limits<std::int32_t>::max();

// Elements read before the end or the fault. The bytes are copied to an allocation of their own
// size, where a sanitizer sees a read past the end.
struct Scanned {
    std::vector<std::pair<Type, std::string>> values;
    std::vector<std::string> names;
    bool ok = false;
};

auto scan(std::string_view bytes) -> Scanned {
    const std::vector<char> copy(bytes.begin(), bytes.end());
    Reader reader({copy.data(), copy.size()});
    Scanned scanned;
    Element element;
    while (reader.next(element)) {
        EXPECT_TRUE(reader.ok());
        scanned.values.emplace_back(element.type, element.value);
        scanned.names.emplace_back(element.name);
    }
    EXPECT_FALSE(reader.next(element));
    scanned.ok = reader.ok();
    return scanned;
}

auto malformed(std::string_view bytes) -> bool {
    return !scan(bytes).ok;
}

auto of_every_type() -> std::string {
    std::string elements;
    for (const auto& [type, value] : every_type()) elements += element_of(type, "name", value);
    return elements;
}

TEST(BsonReader, yields_each_type_with_its_bytes) {
    const auto scanned = scan(document_of(of_every_type()));
    EXPECT_TRUE(scanned.ok);
    EXPECT_EQ(scanned.values, every_type());
    EXPECT_EQ(scanned.names, std::vector<std::string>(every_type().size(), "name"));
}

TEST(BsonReader, names_of_every_length_and_place) {
    for (std::size_t size = 0; size < 40; ++size) {
        const std::string name(size, '\x80');
        const auto scanned =
            scan(document_of(element_of(Type::null, name, "") + element_of(Type::null, name, "")));
        EXPECT_TRUE(scanned.ok);
        EXPECT_EQ(scanned.names, (std::vector<std::string>{name, name}));
    }
}

TEST(BsonReader, empty_document) {
    EXPECT_TRUE(scan(document_of("")).ok);
    EXPECT_TRUE(scan(document_of("")).values.empty());
}

TEST(BsonReader, bytes_behind_the_document_are_not_looked_at) {
    const auto scanned = scan(document_with(Type::null, "") + "\x01tail");
    EXPECT_TRUE(scanned.ok);
    EXPECT_EQ(scanned.values.size(), 1U);
}

TEST(BsonReader, a_document_cut_anywhere_is_malformed) {
    const auto whole = document_of(of_every_type());
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_EQ(document_length(whole.substr(0, size)), 0U);
        EXPECT_TRUE(malformed(whole.substr(0, size))) << size;
        EXPECT_TRUE(scan(whole.substr(0, size)).values.empty()) << size;
    }
    EXPECT_EQ(document_length(whole), whole.size());
    EXPECT_EQ(document_length(whole + "more"), whole.size());
}

TEST(BsonReader, a_value_cut_anywhere_is_malformed) {
    for (const auto& [type, value] : every_type())
        for (std::size_t size = 0; size < value.size(); ++size)
            EXPECT_TRUE(malformed(document_with(type, value.substr(0, size))))
                << static_cast<int>(type) << " " << size;
}

TEST(BsonReader, a_value_with_a_byte_too_many_is_malformed) {
    for (const auto& [type, value] : every_type()) {
        const auto scanned = scan(document_with(type, value + '\0'));
        EXPECT_FALSE(scanned.ok) << static_cast<int>(type);
        EXPECT_EQ(scanned.values.size(), 1U) << static_cast<int>(type);
    }
}

TEST(BsonReader, elements_cut_anywhere_are_malformed_or_fewer) {
    const auto elements = of_every_type();
    const auto all = every_type();
    for (std::size_t size = 0; size < elements.size(); ++size) {
        const auto scanned = scan(document_of(elements.substr(0, size)));
        ASSERT_LT(scanned.values.size(), all.size());
        for (std::size_t i = 0; i < scanned.values.size(); ++i)
            ASSERT_EQ(scanned.values[i], all[i]);
    }
}

TEST(BsonReader, document_length_that_is_wrong) {
    const auto whole = document_with(Type::int32, bytes_of(std::int32_t{0x01010101}));
    const auto size = static_cast<std::int32_t>(whole.size());
    for (const auto wrong : {int32_min, -size, -1, 0, 1, 4, size - 1, size + 1, int32_max})
        EXPECT_TRUE(malformed(bytes_of(wrong) + whole.substr(4))) << wrong;
    EXPECT_TRUE(malformed(length(4)));
}

TEST(BsonReader, document_without_its_last_nul) {
    auto document = document_with(Type::null, "");
    document.back() = 'x';
    EXPECT_TRUE(malformed(document));
    EXPECT_EQ(document_length(document), 0U);
}

TEST(BsonReader, name_without_end) {
    EXPECT_TRUE(malformed(document_of("\x0Aname")));
    EXPECT_TRUE(malformed(document_of("\x0A")));
    EXPECT_TRUE(malformed(document_of("\x0Along enough for several words")));
}

TEST(BsonReader, unknown_types) {
    std::string known;
    for (const auto& [type, value] : every_type()) known += static_cast<char>(type);
    for (int type = 0; type < 256; ++type) {
        if (known.find(static_cast<char>(type)) != std::string::npos) continue;
        EXPECT_TRUE(malformed(document_with(static_cast<Type>(type), ""))) << type;
        EXPECT_TRUE(malformed(document_with(static_cast<Type>(type), "12345678"))) << type;
    }
}

TEST(BsonReader, boolean_of_another_byte) {
    EXPECT_FALSE(malformed(document_with(Type::boolean, std::string(1, '\0'))));
    for (int byte = 2; byte < 256; ++byte)
        EXPECT_TRUE(
            malformed(document_with(Type::boolean, std::string(1, static_cast<char>(byte)))));
}

// The lengths that values begin with, each made wrong in the same ways.
TEST(BsonReader, lengths_of_values_that_are_wrong) {
    const auto inside = document_with(Type::null, "");
    const std::vector<std::pair<Type, std::string>> values{
        {Type::string, text_value("abc")},
        {Type::code, text_value("abc")},
        {Type::symbol, text_value("abc")},
        {Type::document, inside},
        {Type::array, inside},
        {Type::code_with_scope, scoped_code("f", inside)},
        {Type::binary, binary_value(0, "a")},
        {Type::db_pointer, text_value("a.b") + "0123456789ab"},
    };
    for (const auto& [type, value] : values) {
        std::int32_t right = 0;
        std::memcpy(&right, value.data(), sizeof right);
        ASSERT_FALSE(malformed(document_with(type, value)));
        for (const auto wrong : {int32_min, int32_min + 4, -right, -5, -4, -1, 0, right - 1,
                                 right + 1, right + 4, right + 1000, int32_max - 4, int32_max})
            EXPECT_TRUE(malformed(document_with(type, bytes_of(wrong) + value.substr(4))))
                << static_cast<int>(type) << " " << wrong;
    }
}

// Where believing the length would read what lies behind the document.
TEST(BsonReader, lengths_too_small_for_what_they_count) {
    for (const auto type : {Type::string, Type::code, Type::symbol, Type::code_with_scope})
        for (std::size_t size = 0; size < 4; ++size) {
            if (size == 1 && type != Type::code_with_scope) continue;
            EXPECT_TRUE(malformed(document_with(type, length(size)))) << size;
        }
    for (const auto type : {Type::string, Type::code, Type::symbol})
        EXPECT_TRUE(malformed(
            document_of(element_of(type, "", length(0)) + element_of(Type::null, "next", ""))));
    for (const std::int32_t size : {-1, -4, -5})
        EXPECT_TRUE(malformed(document_with(Type::binary, bytes_of(size) + '\0'))) << size;
}

// A size that says malformed must not be added to as if it were one.
TEST(BsonReader, malformed_parts_of_values) {
    EXPECT_TRUE(malformed(document_with(Type::db_pointer, length(9) + "abcdefg")));
    auto overlapping = length(259) + '\1' + '\0' + '\0' + '\x7f';
    overlapping.resize(259);
    EXPECT_TRUE(malformed(document_with(Type::code_with_scope, overlapping)));
}

TEST(BsonReader, string_without_its_nul) {
    for (const auto type : {Type::string, Type::code, Type::symbol})
        EXPECT_TRUE(malformed(document_with(type, length(3) + "abc")));
    EXPECT_TRUE(malformed(document_with(Type::db_pointer, length(3) + "abc" + "0123456789ab")));
}

TEST(BsonReader, code_with_scope_whose_parts_do_not_fit) {
    const auto scope = document_of("");
    const auto with = [](std::string_view inside) {
        return malformed(
            document_with(Type::code_with_scope, length(inside.size() + 4).append(inside)));
    };
    EXPECT_FALSE(with(text_value("f") + scope));
    EXPECT_TRUE(with(text_value("f") + scope + '\0'));        // something behind the scope
    EXPECT_TRUE(with(text_value("f") + scope.substr(0, 4)));  // a cut scope
    EXPECT_TRUE(with(text_value("f") + length(6) + '\0'));    // a scope longer than all
    EXPECT_TRUE(with(text_value("f")));                       // none
    EXPECT_TRUE(with(length(100) + 'f' + '\0' + scope));      // code longer than all
    EXPECT_TRUE(with(""));
}

TEST(BsonReader, duplicate_and_empty_names_and_nul_in_a_text) {
    const std::string text("a\0b", 3);
    const auto document = document_of(element_of(Type::string, "", text_value(text)) +
                                      element_of(Type::int32, "", bytes_of(std::int32_t{2})));
    Reader reader(document);
    Element element;
    ASSERT_TRUE(reader.next(element));
    EXPECT_EQ(element.name, "");
    EXPECT_EQ(as_text(element), text);
    ASSERT_TRUE(reader.next(element));
    EXPECT_EQ(as_int32(element), 2);
    EXPECT_FALSE(reader.next(element));
    EXPECT_TRUE(reader.ok());
}

TEST(BsonReader, what_is_wrong_inside_a_document_is_the_inner_readers_matter) {
    const auto inside = document_of("\x01");
    const auto scanned = scan(document_with(Type::document, inside));
    EXPECT_TRUE(scanned.ok);
    ASSERT_EQ(scanned.values.size(), 1U);
    EXPECT_TRUE(malformed(scanned.values[0].second));
}

TEST(BsonFind, the_first_of_that_name) {
    const auto document =
        document_of(element_of(Type::int32, "aa", bytes_of(std::int32_t{1})) +
                    element_of(Type::int32, "a", bytes_of(std::int32_t{2})) +
                    element_of(Type::int32, "a", bytes_of(std::int32_t{3})) +
                    element_of(Type::document, "d", document_with(Type::null, "")));
    ASSERT_TRUE(find(document, "a"));
    EXPECT_EQ(as_int32(*find(document, "a")), 2);
    EXPECT_EQ(find(document, "d")->type, Type::document);
    EXPECT_FALSE(find(document, "k"));  // only deeper
    EXPECT_FALSE(find(document, ""));
    EXPECT_FALSE(find("", "a"));
}

TEST(BsonFind, not_behind_something_malformed) {
    const auto good = element_of(Type::null, "a", "");
    const auto bad = element_of(Type::boolean, "b", "\x02");
    EXPECT_TRUE(find(document_of(good + bad), "a"));
    EXPECT_FALSE(find(document_of(bad + good), "a"));
}

}  // namespace
}  // namespace leat::bson
