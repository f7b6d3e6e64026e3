// Decoder: batches of change events → frames. Knows which collections are captured, which updates
// lack their document, and where transactions end.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "source/mongodb/event.hpp"
#include "source/mongodb/frame_builder.hpp"
#include "source/mongodb/lookup.hpp"
#include "source/mongodb/stream.hpp"

namespace leat::mongodb {

// A captured collection. `from`: changes up to this cluster time are in an image that is yet to be
// taken.
struct CapturedCollection {
    TableName table;
    std::string database;
    std::string collection;
    std::uint64_t from = 0;
};

struct DecoderOptions {
    std::vector<CapturedCollection> collections;
    std::uint64_t floor = 0;  // changes up to this cluster time are known already
    UpdateMode update_mode = UpdateMode::document;
    // Documents of a collection by `_id`, as they are now.
    std::function<Result<Documents>(const LookupRequest&)> look_up;
};

// A cluster time that never comes.
inline constexpr auto for_ever = ~std::uint64_t{0};

// Called from capture's thread; write_whole_until() from any.
class Decoder {
public:
    Decoder(DecoderOptions options, FrameBuilder frames);

    // Fault::retry when a collection's rows have to be read anew (stale()).
    auto feed(const StreamReply& reply) -> Result<void>;
    auto take() -> std::optional<Frame> { return frames_.take(); }
    auto close_frame() -> Result<void> { return frames_.close(); }

    // Inserts up to this cluster time may meet rows that an image has brought already.
    auto write_whole_until(std::uint64_t commit) -> void { whole_until_ = commit; }

    [[nodiscard]] auto has_whole() const -> bool { return frames_.has_whole(); }
    [[nodiscard]] auto has_open() const -> bool { return frames_.open_commit().has_value(); }
    [[nodiscard]] auto gathered_bytes() const -> std::size_t { return frames_.bytes(); }

    // How far the server has looked, and the token to resume behind that.
    struct Told {
        std::uint64_t commit = 0;
        std::string token;
    };
    [[nodiscard]] auto told() const -> const Told& { return told_; }
    [[nodiscard]] auto stale() const -> const std::set<TableName>& { return stale_; }
    // What was counted since the last call.
    auto tell(Frame& frame) -> void;

private:
    // Some events of a batch, with what is needed to make rows of them.
    struct Window {
        std::vector<Event> events;
        std::uint64_t whole_until = 0;  // as it was when the window began
        std::map<const CapturedCollection*, Documents> documents;
    };

    auto decode(Window& window) -> Result<void>;
    auto look_up(Window& window) -> Result<void>;
    [[nodiscard]] auto is_known(const Event& event, const CapturedCollection& collection) const
        -> bool;
    auto apply(const Event& event, const Window& window) -> Result<void>;
    auto apply_row(const Event& event, const CapturedCollection& collection, const Window& window)
        -> Result<void>;
    auto apply_update(const Event& event, const CapturedCollection& collection,
                      const Window& window) -> Result<void>;
    [[nodiscard]] auto may_be_delta(const Event& event, const Window& window) const -> bool;
    auto meet_rename(const Event& event) -> Result<void>;
    auto gather_fragment(std::string_view bytes, const Event& fragment)
        -> std::optional<std::string>;
    auto note_end(const StreamReply& reply) -> void;
    [[nodiscard]] auto find(const Namespace& name) -> const CapturedCollection*;
    auto pass_over(const TableName& table, const char* reason) -> void;

    const DecoderOptions options_;
    std::map<std::pair<std::string_view, std::string_view>, const CapturedCollection*> by_name_;
    FrameBuilder frames_;
    std::atomic<std::uint64_t> whole_until_{0};
    Told told_;
    std::set<TableName> stale_;
    std::map<std::pair<TableName, std::string>, std::int64_t> passed_over_;
    std::map<TableName, std::int64_t> looked_up_;
    std::vector<std::string> fragments_;
    const CapturedCollection* last_found_ = nullptr;
    bool is_first_ = true;
};

}  // namespace leat::mongodb
