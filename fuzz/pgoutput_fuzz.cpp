// Any bytes as a replication frame, as a pgoutput message in and out of a stream block, and as a
// WAL position; every view that comes out is walked to its end.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <variant>

#include "format/pgoutput/message.hpp"
#include "format/pgoutput/replication.hpp"

namespace {

using namespace leat::pgoutput;  // NOLINT: the subject

const char* message_begin = nullptr;
const char* message_end = nullptr;

auto require(bool holds) -> void {
    if (!holds) std::abort();
}

auto inside(std::string_view view) -> void {
    require(view.empty() ||
            (view.data() >= message_begin && view.data() + view.size() <= message_end));
}

auto walk(const TupleView& tuple) -> void {
    std::size_t count = 0;
    for (const auto& value : tuple) {
        inside(value.bytes);
        ++count;
    }
    require(count == tuple.size());
}

struct Walk {
    auto operator()(const Relation& relation) const -> void {
        std::size_t count = 0;
        for (const auto& column : relation.columns) {
            inside(column.name);
            ++count;
        }
        require(count == relation.columns.size());
    }
    auto operator()(const Insert& insert) const -> void { walk(insert.after); }
    auto operator()(const Update& update) const -> void {
        walk(update.before);
        walk(update.after);
    }
    auto operator()(const Delete& removal) const -> void { walk(removal.before); }
    auto operator()(const Truncate& truncate) const -> void {
        inside(truncate.oids);
        for (std::uint32_t i = 0; i < truncate.count; ++i) static_cast<void>(truncate.oid(i));
    }
    auto operator()(const LogicalMessage& message) const -> void {
        inside(message.prefix);
        inside(message.content);
    }
    template <class Other>
    auto operator()(const Other&) const -> void {}
};

auto read(std::string_view payload) -> void {
    message_begin = payload.data();
    message_end = payload.data() + payload.size();
    for (const bool in_stream : {false, true}) {
        const auto message = decode(payload, in_stream);
        if (message) std::visit(Walk{}, *message);
    }
}

}  // namespace

extern "C" auto LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) -> int {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    read(bytes);
    const auto frame = decode_frame(bytes);
    if (frame && std::holds_alternative<XLogData>(*frame)) read(std::get<XLogData>(*frame).payload);
    const auto lsn = parse_lsn(bytes);
    if (lsn) require(*parse_lsn(to_string(*lsn)) == *lsn);
    return 0;
}
