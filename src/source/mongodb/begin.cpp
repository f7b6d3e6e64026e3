// MongoSource as Snapshots, and as far as they are needed, Lookups and Describable.
#include <utility>

#include "base/check.hpp"
#include "source/mongodb/event.hpp"
#include "source/mongodb/mongodb_source.hpp"
#include "source/mongodb/note_file.hpp"

namespace leat::mongodb {

namespace {

constexpr std::int64_t us_per_s = 1'000'000;
constexpr std::string_view plan_prefix = "image-";

auto settled_file(const std::filesystem::path& plan) -> std::filesystem::path {
    return plan.string() + ".settled";
}

// The newest cluster time, of an answer that was asked for now.
auto time_now(Connection& connection) -> Result<bson::Timestamp> {
    TRY(connection.command("admin", Document().add("ping", 1)));
    return connection.operation_time();
}

}  // namespace

// Documents are read after the point and may be newer than it: until the last one is read, inserts
// may meet rows that are there already.
auto MongoSource::begin(const SnapshotRequest& request) -> Result<Position> {
    if (decoder_) decoder_->write_whole_until(for_ever);
    auto connection = TRY(Connection::connect(options("image")));
    const auto point = TRY(time_now(connection));
    if (request.is_anew) lineage_ = request.lineage;
    point_ = position_at(to_commit(point), {});
    for (const auto& table : request.tables) {
        if (request.is_anew) shapes_->begin_table(table);
        shapes_->begin_image(table, request.generation);
    }

    forget_plans();
    auto imaging = image_options(request);
    imaging.point = point_.commit;
    imaging.time_us = static_cast<std::int64_t>(point.seconds) * us_per_s;
    images_ = TRY(CollectionImages::make(std::move(imaging), *shapes_));
    if (request.is_anew) {
        TRY(start({point_, {}, request.tables}, TRY(Connection::connect(options("capture")))));
        decoder_->write_whole_until(for_ever);
    }
    return point_;
}

auto MongoSource::image_options(const SnapshotRequest& request) const -> ImageOptions {
    ImageOptions imaging;
    imaging.connect = options("image");
    for (const auto& table : request.tables) imaging.collections.push_back(named(table));
    imaging.batch_bytes = config_.frame_bytes.count;
    imaging.range_bytes = static_cast<std::int64_t>(config_.range_bytes.count);
    imaging.rules = row_rules();
    imaging.plan = plan_file(request.generation);
    return imaging;
}

auto MongoSource::plan_file(Generation generation) const -> std::filesystem::path {
    return context_.work_dir / (std::string(plan_prefix) + std::to_string(generation));
}

// An image that was given up for another.
auto MongoSource::forget_plans() const -> void {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(context_.work_dir, ignored))
        if (entry.path().filename().string().starts_with(plan_prefix))
            std::filesystem::remove(entry.path(), ignored);
}

// Whether an image is there of which documents may still be read.
auto MongoSource::has_open_plan() const -> bool {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(context_.work_dir, ignored)) {
        const auto& file = entry.path();
        if (file.filename().string().starts_with(plan_prefix) && file.extension().empty() &&
            !std::filesystem::exists(settled_file(file), ignored))
            return true;
    }
    return false;
}

auto MongoSource::is_kept(Generation generation) const -> bool {
    std::error_code ignored;
    return std::filesystem::exists(plan_file(generation), ignored);
}

auto MongoSource::go_on(const SnapshotRequest& request) -> Result<void> {
    decoder_->write_whole_until(for_ever);
    images_ = TRY(CollectionImages::resume(image_options(request), *shapes_));
    return {};
}

auto MongoSource::chunks() -> Result<std::vector<Chunk>> {
    CHECK(images_ != nullptr);
    return images_->chunks();
}

auto MongoSource::read_chunk(const Chunk& chunk, std::size_t worker, const BatchReceiver& receive,
                             const std::stop_token& stop) -> Result<void> {
    return images_->read(chunk, worker, receive, stop);
}

auto MongoSource::note_appended(const Chunk& chunk) -> Result<void> {
    CHECK(images_ != nullptr);
    return images_->note_appended(chunk);
}

// The settled point: nothing that was read is newer.
auto MongoSource::end() -> Result<Position> {
    const auto images = std::exchange(images_, nullptr);
    CHECK(images != nullptr);
    auto connection = TRY(Connection::connect(options("image")));
    const auto settled = to_commit(TRY(time_now(connection)));
    // The plan stays, should the end of this image not reach the queue.
    TRY(write_note(settled_file(images->plan()), Document()));
    decoder_->write_whole_until(settled);
    wait_for(settled);
    return position_at(settled, {});
}

// Its updates come without their documents.
auto MongoSource::may_be_partial(const TableName& name) const -> bool {
    return without_images_.contains(name);
}

// Whatever was not changed, under update_mode: delta.
auto MongoSource::may_lack(const Column& /*column*/) const -> bool {
    return true;
}

auto MongoSource::must_be_whole(const TableName& name) const -> bool {
    return config_.update_mode == UpdateMode::document && without_images_.contains(name);
}

// Rows are whole when they leave read(), but for those that were asked for in part.
auto MongoSource::complete(const Batch& batch, const std::stop_token& /*stop*/)
    -> Result<Completed> {
    return delta_refusal(batch.schema->name);
}

auto MongoSource::delta_refusal(const TableName& name) -> Error {
    return {Fault::config,
            "updates of " + to_string(name) +
                " come as the fields that they change (update_mode: delta), and a transform or "
                "run.unchanged_columns needs others",
            "Remove source.update_mode, switch post images on for the collection, or let the "
            "transform take columns as they are.",
            "mongodb", Code::mongo_delta};
}

}  // namespace leat::mongodb
