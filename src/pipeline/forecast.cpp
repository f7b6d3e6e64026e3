// The rate of a minute, carried forward.
#include "pipeline/forecast.hpp"

namespace leat {

namespace {

constexpr Duration window = std::chrono::seconds(60);
constexpr Duration enough = std::chrono::seconds(10);
constexpr auto near = std::chrono::hours(1);
constexpr auto again = std::chrono::minutes(10);

}  // namespace

auto Forecast::add(Duration now, const QueueRoom& room) -> std::optional<std::chrono::seconds> {
    samples_.push_back({now, room.held_bytes});
    while (now - samples_.front().at > window) samples_.pop_front();
    const auto& first = samples_.front();
    if (now - first.at < enough || room.held_bytes <= first.held_bytes) return std::nullopt;
    if (room.held_bytes >= room.bytes_max) return std::chrono::seconds(0);
    const auto seconds = std::chrono::duration<double>(now - first.at).count();
    const auto rate = static_cast<double>(room.held_bytes - first.held_bytes) / seconds;
    const auto left = static_cast<double>(room.bytes_max - room.held_bytes) / rate;
    return std::chrono::seconds(static_cast<std::int64_t>(left));
}

auto Forecast::deserves_warning(Duration now, const QueueRoom& room,
                                const std::optional<std::chrono::seconds>& left) -> bool {
    if (!left || *left > near || room.held_bytes < room.bytes_max / 10) {
        if (!left && warned_ && now - *warned_ > window) warned_.reset();
        return false;
    }
    if (warned_ && now - *warned_ < again) return false;
    warned_ = now;
    return true;
}

}  // namespace leat
