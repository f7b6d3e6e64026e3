// For tests: a lane as the engine has it, with its image, changes and rebuilds, that checks what the
// log gives it: images whole or given up, every commit once and in order.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "queue/log/log_fixture.hpp"

namespace leat::log_queue::fixture {

// Not thread-safe. What it was given counts as applied at once; `follow` may fail and go on later.
class CheckedLane {
public:
    // `image_frames`: of every image that was not given up.
    CheckedLane(std::string name, std::size_t image_frames)
        : name_(std::move(name)), image_frames_(image_frames) {}

    // Goes on where a sink is. Nothing is known of the images that it has begun.
    auto restore(Offsets offsets, std::uint64_t commit) -> void {
        sink_ = std::move(offsets);
        main_ = {std::nullopt, commit};
        fills_.clear();
        for (const auto& rebuild : sink_->rebuilds) fills_[rebuild.generation] = {std::nullopt, std::nullopt};
    }

    // Reads all there is.
    auto follow(LogQueue& log) -> Result<void> {
        if (!sink_ && !start(log)) return {};
        TRY(log.retain(name_, *sink_));
        while (TRY(follow_changes(log))) continue;
        auto rebuilds = std::exchange(sink_->rebuilds, {});
        for (auto rebuild = rebuilds.begin(); rebuild != rebuilds.end(); ++rebuild) {
            auto outcome = fill(log, *rebuild);
            if (!outcome) {
                sink_->rebuilds.insert(sink_->rebuilds.end(), rebuild, rebuilds.end());
                return std::move(outcome).error();
            }
            if (*outcome) sink_->rebuilds.push_back(std::move(*rebuild));
        }
        return {};
    }

    [[nodiscard]] auto offsets() const -> const std::optional<Offsets>& { return sink_; }
    // The last commit of the stream; of the image if there is none. 0: nothing.
    [[nodiscard]] auto seen() const -> std::uint64_t { return main_.seen.value_or(0); }
    // Images that were filled to their end and caught up with.
    [[nodiscard]] auto filled() const -> std::size_t { return filled_; }

    // Called for every frame of rows, and for positions: of a rebuild, or of what the lane feeds.
    std::function<Result<void>(const Frame& frame, Generation generation)> on_frame;

private:
    // Nothing: it is not known, because the lane was restored in the middle.
    struct Image {
        std::optional<std::size_t> frames = 0;
        std::optional<std::uint64_t> seen;
    };

    static auto violated(std::string what) -> Error {
        return Error{Fault::fatal, std::move(what), "", ""};
    }

    auto start(LogQueue& log) -> bool {
        for (const auto& each : log.generations())
            if (each.is_all && log.holds(each.start)) sink_ = offsets_at(each.start);
        return sink_.has_value();
    }

    // True: the stream begins anew.
    auto follow_changes(LogQueue& log) -> Result<bool> {
        const auto reader = TRY(log.reader(name_, *sink_));
        while (auto delivery = TRY(reader->next({}, Duration::zero()))) {
            const auto& frame = delivery->frame;
            TRY(take(frame, delivery->after, main_));
            static_cast<Place&>(*sink_) = delivery->after;
            if (!frame.marker || frame.marker->kind != MarkerKind::begin) continue;
            Rebuild next;
            next.generation = frame.marker->generation;
            next.snapshot_offset = frame.marker->snapshot_offset;
            next.change_offset = delivery->after.change_offset;
            next.tables = {frame.marker->tables.begin(), frame.marker->tables.end()};
            fills_[next.generation] = {0, std::nullopt};
            if (frame.marker->purpose != Purpose::anew) {
                sink_->rebuilds.push_back(std::move(next));
                continue;
            }
            sink_ = offsets_at(next);
            main_ = {};
            return true;
        }
        return false;
    }

    // False: it is there, or given up.
    auto fill(LogQueue& log, Rebuild& rebuild) -> Result<bool> {
        auto& image = fills_[rebuild.generation];
        const auto reader = TRY(log.reader(name_, rebuild));
        while (!rebuild.image_complete || rebuild.change_offset < sink_->change_offset) {
            const auto delivery = TRY(reader->next({}, Duration::zero()));
            if (!delivery) break;
            const auto& frame = delivery->frame;
            TRY(take(frame, delivery->after, image));
            static_cast<Place&>(rebuild) = delivery->after;
            if (frame.marker && frame.marker->kind == MarkerKind::end &&
                !frame.marker->tables.empty())
                return false;
        }
        if (!rebuild.image_complete) return true;
        if (rebuild.change_offset < sink_->change_offset)
            return violated("changes end before a rebuild has caught up");
        if (image.seen && *image.seen != seen())
            return violated("rebuild ends at commit " + std::to_string(*image.seen) +
                            ", the lane at " + std::to_string(seen()));
        ++filled_;
        return false;
    }

    auto take(const Frame& frame, const Place& after, Image& image) -> Result<void> {
        if (frame.marker) return take_marker(*frame.marker, image);
        if (frame.kind == FrameKind::snapshot) {
            if (frame.generation != after.generation || after.image_complete)
                return violated("a frame of image " + std::to_string(frame.generation) +
                                " in image " + std::to_string(after.generation));
            if (image.frames) ++*image.frames;
        } else if (frame.last <= after.consistent_point) {
            if (frame.rows() == 0) return {};
            return violated("rows of " + to_string(frame.last) + " are in the image already");
        } else if (frame.ends_transaction) {
            if (image.seen && frame.last.commit != *image.seen + 1)
                return violated("commit " + std::to_string(frame.last.commit) + " after " +
                                std::to_string(*image.seen));
            image.seen = frame.last.commit;
        }
        return on_frame ? on_frame(frame, after.generation) : Result<void>();
    }

    auto take_marker(const Marker& marker, Image& image) const -> Result<void> {
        if (marker.kind == MarkerKind::point) image.seen = marker.position.commit;
        if (marker.kind != MarkerKind::end || !marker.tables.empty()) return {};
        if (!image.frames || *image.frames == image_frames_) return {};
        return violated("image " + std::to_string(marker.generation) + " has " +
                        std::to_string(*image.frames) + " frames");
    }

    const std::string name_;
    const std::size_t image_frames_;
    std::optional<Offsets> sink_;
    Image main_;
    std::map<Generation, Image> fills_;
    std::size_t filled_ = 0;
};

}  // namespace leat::log_queue::fixture
