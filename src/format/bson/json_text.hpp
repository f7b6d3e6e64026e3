// JsonText: JSON's tokens onto the end of a string, through a pointer into room made ahead; what
// append_json writes with. Lives for one append, on one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace leat::bson {

class JsonText {
public:
    // `expected_bytes`: a guess, so that the string need not grow again and again.
    JsonText(std::string& out, std::size_t expected_bytes);
    // Cuts the string to what was written.
    ~JsonText() { out_.resize(written()); }
    JsonText(const JsonText&) = delete;
    auto operator=(const JsonText&) -> JsonText& = delete;

    auto put(char character) -> void {
        room(1);
        *at_++ = character;
    }
    template <std::size_t size>
    auto put(const char (&literal)[size]) -> void {
        room(size);
        std::memcpy(at_, literal, size - 1);
        at_ += size - 1;
    }
    auto number(std::int64_t value) -> void;
    // Also NaN and the infinities, as the objects they need.
    auto number(double value) -> void;
    auto quoted(std::string_view text) -> void;
    auto hex(std::string_view bytes) -> void;
    auto base64(std::string_view bytes) -> void;
    auto decimal(std::string_view decimal128) -> void;
    // "2012-12-24T12:15:30.501Z"; from 1970 to 9999.
    auto moment(std::int64_t time_ms) -> void;

    // Whether any byte of a text was not UTF-8.
    [[nodiscard]] auto replaced() const -> bool { return replaced_; }
    // As if nothing had been written.
    auto discard() -> void { at_ = out_.data() + begin_; }

private:
    [[nodiscard]] auto written() const -> std::size_t {
        return static_cast<std::size_t>(at_ - out_.data());
    }
    auto room(std::size_t bytes) -> void {
        if (static_cast<std::size_t>(end_ - at_) < bytes) [[unlikely]]
            grow(bytes);
    }
    auto grow(std::size_t bytes) -> void;
    auto escape(unsigned char character) -> void;
    auto beyond_ascii(const char* from, const char* end) -> const char*;

    std::string& out_;
    std::size_t begin_;  // size of the string before
    char* at_ = nullptr;
    char* end_ = nullptr;
    bool replaced_ = false;
};

}  // namespace leat::bson
