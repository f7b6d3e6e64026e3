// KeyTable: numbers the distinct keys of a run in order of first touch. Internal to collapse.cpp.
// A key of one integer column is hashed as it stands; every other goes by its canonical bytes.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "change/net_effect_code.hpp"
#include "change/net_effect_run.hpp"

namespace leat::net_effect {

// Copies of short byte strings that stay where they are.
class ByteArena {
public:
    auto keep(std::string_view bytes) -> std::string_view {
        if (bytes.size() > room_) grow(bytes.size());
        char* copy = next_;
        if (!bytes.empty()) std::memcpy(copy, bytes.data(), bytes.size());
        next_ += bytes.size();
        room_ -= bytes.size();
        return {copy, bytes.size()};
    }

private:
    auto grow(std::size_t least) -> void;

    std::vector<std::unique_ptr<char[]>> blocks_;
    char* next_ = nullptr;
    std::size_t room_ = 0;
};

// Numbers codes: the same number for the same bytes, counted from 0.
class CodeTable {
public:
    auto number(std::string_view code) -> std::uint32_t {
        const auto next = static_cast<std::uint32_t>(numbers_.size());
        const auto found = numbers_.find(code);
        if (found != numbers_.end()) return found->second;
        numbers_.emplace(arena_.keep(code), next);
        return next;
    }
    auto reserve(std::size_t count) -> void { numbers_.reserve(count); }

private:
    ByteArena arena_;
    boost::unordered_flat_map<std::string_view, std::uint32_t> numbers_;
};

// Keys of one integer column without NULLs.
class IntegerKeys {
public:
    // False where this run's key is of another kind.
    static auto fits(const RunView& run) -> bool;

    explicit IntegerKeys(const RunView& run);

    auto number(RowRef ref) -> std::uint32_t {
        const auto* values = ref.image == Image::after ? after_ : before_;
        const auto next = static_cast<std::uint32_t>(numbers_.size());
        return numbers_.emplace(value(values, ref.row), next).first->second;
    }

private:
    [[nodiscard]] auto value(const std::uint8_t* values, std::int32_t row) const -> std::uint64_t {
        std::uint64_t bits = 0;
        const auto width = static_cast<std::size_t>(width_);
        std::memcpy(&bits, values + static_cast<std::size_t>(row) * width, width);
        return bits;
    }

    std::int32_t width_ = 0;
    const std::uint8_t* after_ = nullptr;
    const std::uint8_t* before_ = nullptr;
    boost::unordered_flat_map<std::uint64_t, std::uint32_t> numbers_;
};

// Any key, or the whole row where the table has none.
class CodedRows {
public:
    static auto make(const RunView& run, const std::vector<int>& columns, ZeroSign zero_sign)
        -> Result<CodedRows>;

    auto number(RowRef ref) -> std::uint32_t {
        scratch_.clear();
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            const auto& code =
                run_->image_of(ref, columns_[i]) == Image::after ? after_[i] : before_[i];
            code.append(ref.row, scratch_);
        }
        return numbers_.number(scratch_);
    }

private:
    CodedRows() = default;

    const RunView* run_ = nullptr;
    std::vector<int> columns_;
    std::vector<ColumnCode> after_;
    std::vector<ColumnCode> before_;  // empty where the run has no before images
    std::string scratch_;
    CodeTable numbers_;
};

}  // namespace leat::net_effect
