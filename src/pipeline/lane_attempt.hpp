// LaneAttempt: one attempt of a lane, from opening the sink to the first failure. Where the sink
// stands decides where it begins; markers in the stream decide which tables it feeds and which it
// fills beside them; where both meet, one commit without rows swaps them in.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

#include "pipeline/lane.hpp"

namespace leat {

// For the log; the first few by name.
auto list_of(const std::set<TableName>& tables) -> std::string;

class LaneAttempt {
public:
    LaneAttempt(Lane& lane, Sink& sink, Shaper& shaper)
        : lane_(lane), sink_(sink), shaper_(shaper), epoch_(lane.options_.epoch) {}

    // Until stop is asked for, or something fails.
    auto run(const std::stop_token& stop) -> Result<void>;

private:
    // What reads for one rebuild. Without a reader its image is gone, and another was asked for.
    struct Filling {
        std::unique_ptr<LaneReader> reader;
        std::unique_ptr<Shaper> shaper;
    };

    // Beginning (lane_start.cpp).
    auto begin(const std::stop_token& stop) -> Result<bool>;
    [[nodiscard]] auto is_cut_off() const -> bool;
    auto resume_from(const Progress& progress) -> void;
    auto go_on() -> Result<void>;
    auto begin_with_image(const std::stop_token& stop) -> Result<bool>;
    auto start_at(const Place& place, const std::set<TableName>& tables) -> Result<void>;
    auto set_changed_aside() -> Result<void>;
    auto open_filling(const Rebuild& rebuild) -> Result<Filling>;
    auto ask(const std::set<TableName>& tables) -> Result<void>;
    [[nodiscard]] auto is_coming(const std::set<TableName>& tables) const -> bool;

    // Generations (lane_rebuilds.cpp).
    auto meet(const Marker& marker) -> Result<void>;
    auto begin_anew(const Marker& marker, const std::set<TableName>& tables) -> Result<void>;
    auto add_rebuild(const Marker& marker) -> Result<void>;
    auto leave(const std::set<TableName>& tables) -> void;
    auto forget_rebuild(std::size_t index) -> void;
    auto forget_rebuilds_without_tables() -> void;
    auto feed_rebuilds() -> Result<bool>;
    auto feed_rebuild(std::size_t index) -> Result<bool>;
    auto swap_in() -> Result<void>;
    auto swap_in_rebuild(std::size_t index) -> Result<void>;

    // The flow.
    auto step(const std::stop_token& stop) -> Result<void>;
    auto take(Delivery delivery) -> Result<void>;
    auto shape(const Batch& batch, Generation generation, Shaper& shaper, std::uint32_t lineage)
        -> Result<std::int64_t>;
    auto write(const Batch& batch) -> Result<Rejects>;
    auto commit() -> Result<void>;
    auto end_shaping(Shaper& shaper, std::map<std::string, FlowCounts>& flows) -> Result<void>;
    auto commit_rows() -> Result<void>;
    auto idle() -> Result<void>;
    auto finish() -> Result<void>;
    auto settle(Rest rest) -> Result<void>;
    auto publish_reached() -> void;
    [[nodiscard]] auto still_missing() const -> std::set<TableName>;
    auto stamped(const SchemaPtr& schema, Generation generation) -> SchemaPtr;
    [[nodiscard]] auto seconds_since(std::int64_t wall_us) const -> double;
    [[nodiscard]] auto name() const -> const std::string& { return lane_.options_.identity.lane; }
    [[nodiscard]] auto incarnation() const { return lane_.options_.identity.incarnation; }

    Lane& lane_;
    Sink& sink_;
    Shaper& shaper_;
    const Shaper::Put put_ = [this](const Batch& batch) { return write(batch); };
    Epoch epoch_;
    Progress pending_;
    std::unique_ptr<LaneReader> reader_;
    std::vector<Filling> fillings_;  // one for each of pending_.offsets.rebuilds
    bool at_boundary_ = true;
    bool at_end_ = false;
    bool bare_progress_ = false;
    Duration last_bare_commit_{};
    std::optional<Offsets> released_;
    // By table and generation: the version that the sink knows.
    std::map<std::pair<TableName, Generation>, std::uint64_t> known_;
    std::map<std::pair<SchemaPtr, Generation>, SchemaPtr> stamps_;
    std::map<TableName, TableCounts> counts_;
    std::map<TableName, ReasonCounts> passed_over_;  // since the last commit, before any flow
    std::vector<std::int64_t> sent_us_;  // commit times of the epoch's frames
};

}  // namespace leat
