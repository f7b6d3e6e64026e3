// The video site: views begin and go on while they are watched, old ones are removed; videos gain
// views. A view is a nested document with fields that are not in every one.
#include <fmt/core.h>

#include "simulate/data_set.hpp"

namespace leat::simulate {

namespace {

constexpr std::size_t videos = 0;
constexpr std::array categories = {"cooking", "milling", "music", "news", "travel"};
constexpr std::array systems = {"android", "ios", "linux", "macos", "windows"};
constexpr std::array browsers = {"chrome", "firefox", "safari"};
constexpr std::array countries = {"BR", "DE", "FR", "GB", "IN", "JP", "US"};
constexpr std::array qualities = {"360p", "720p", "1080p", "2160p"};

auto number(std::int64_t held) -> Value {
    return value(static_cast<std::int32_t>(held));
}

auto video_row(std::int64_t id, Draw& draw) -> Document {
    auto& random = draw.random;
    Document row = {{"title", text(fmt::format("Video {}: {}", id, random.hex(12)))},
                    {"category", text(random.pick(categories))},
                    {"duration_s", number(random.between(10, 7200))},
                    {"uploaded", value(Time{draw.now_us})},
                    {"views", value(random.below(1'000'000))}};
    if (random.chance(0.7)) row.push_back({"rating", value(random.share() * 5)});
    return row;
}

auto video_change(Draw& draw) -> Document {
    return {{"views", value(draw.random.below(1'000'000))},
            {"rating", value(draw.random.share() * 5)}};
}

auto stalls(Random& random) -> Value {
    Array list;
    for (auto left = random.below(4); left > 0; --left)
        list.push_back(value(Document{{"at_s", number(random.below(7200))},
                                      {"ms", number(random.between(40, 9000))}}));
    return value(std::move(list));
}

auto view_row(std::int64_t, Draw& draw) -> Document {
    auto& random = draw.random;
    Document device = {{"system", text(random.pick(systems))},
                       {"screen", value(Document{{"width", number(random.between(320, 3840))},
                                                 {"height", number(random.between(240, 2160))}})}};
    if (random.chance(0.6)) device.push_back({"browser", text(random.pick(browsers))});
    Document row = {{"video", value(draw.reference(videos))},
                    {"viewer", text(random.hex(16))},
                    {"country", text(random.pick(countries))},
                    {"device", value(std::move(device))},
                    {"quality", text(random.pick(qualities))},
                    {"watched_s", number(0)},
                    {"stalls", stalls(random)},
                    {"finished", value(false)},
                    {"started", value(Time{draw.now_us})},
                    {"seen", value(Time{draw.now_us})}};
    if (random.chance(0.3))
        row.push_back({"referrer", text("https://example.org/" + random.hex(8))});
    return row;
}

auto view_change(Draw& draw) -> Document {
    auto& random = draw.random;
    Document change = {{"watched_s", number(random.between(1, 7200))},
                       {"finished", value(random.chance(0.2))},
                       {"seen", value(Time{draw.now_us})}};
    if (random.chance(0.2)) change.push_back({"stalls", stalls(random)});
    if (random.chance(0.2)) change.push_back({"quality", text(random.pick(qualities))});
    return change;
}

}  // namespace

auto video() -> DataSet {
    using enum ColumnType;
    return {"video",
            "videos and the log of who watched what",
            {{"videos",
              {{"id", bigint},
               {"title", text},
               {"category", text},
               {"duration_s", integer},
               {"uploaded", timestamp},
               {"views", bigint},
               {"rating", double_precision}},
              {.insert = 1, .update = 5, .remove = 0},
              0.02,
              video_row,
              video_change},
             {"views",
              {{"id", bigint},
               {"video", bigint},
               {"viewer", text},
               {"country", text},
               {"device", json},
               {"quality", text},
               {"watched_s", integer},
               {"stalls", json},
               {"finished", boolean},
               {"started", timestamp},
               {"seen", timestamp},
               {"referrer", text}},
              {.insert = 49, .update = 45, .remove = 1},
              1,
              view_row,
              view_change}}};
}

}  // namespace leat::simulate
