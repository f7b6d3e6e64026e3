// The options of the MongoDB source.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "config/fields.hpp"
#include "source/mongodb/kind.hpp"

namespace leat::mongodb {

enum class Mode {
    columns,   // a column for each top-level field
    document,  // `_id`, and the whole document as JSON
};
constexpr auto names_of(Mode) {
    using Name = config::EnumName<Mode>;
    return std::array{Name{Mode::columns, "columns"}, Name{Mode::document, "document"}};
}

// What a value of another type than its column's does.
enum class OnConflict {
    widen,        // the column becomes one that holds both, JSON in the end
    variant,      // the column keeps its type, the value goes into `_extra`
    dead_letter,  // the column keeps its type, the row becomes a dead letter
};
constexpr auto names_of(OnConflict) {
    using Name = config::EnumName<OnConflict>;
    return std::array{Name{OnConflict::widen, "widen"}, Name{OnConflict::variant, "variant"},
                      Name{OnConflict::dead_letter, "dead_letter"}};
}

// Named as `$type` of the server names them where there is a word.
constexpr auto names_of(Kind) {
    using Name = config::EnumName<Kind>;
    return std::array{Name{Kind::boolean, "bool"},       Name{Kind::integer, "int"},
                      Name{Kind::big_integer, "long"},   Name{Kind::float64, "double"},
                      Name{Kind::numeric, "decimal"},    Name{Kind::text, "string"},
                      Name{Kind::object_id, "objectId"}, Name{Kind::timestamp, "date"},
                      Name{Kind::uuid, "uuid"},          Name{Kind::binary, "binData"},
                      Name{Kind::json, "mixed"}};
}

// What updates become that come without their document.
enum class UpdateMode {
    document,  // the document is read again
    delta,     // the fields that changed, where the event names them plainly
};
constexpr auto names_of(UpdateMode) {
    using Name = config::EnumName<UpdateMode>;
    return std::array{Name{UpdateMode::document, "document"}, Name{UpdateMode::delta, "delta"}};
}

struct ColumnChoice {
    std::vector<std::string> exclude;
    std::map<std::string, Kind> types;

    static constexpr auto fields() {
        using config::field;
        using Self = ColumnChoice;
        return config::fields(
            field("exclude", &Self::exclude,
                  "top-level fields that are left out of all that leat writes"),
            field("types", &Self::types,
                  "columns that are there from the beginning, before any document has the field, "
                  "with their type; they widen as others do"));
    }
};

struct MongoConfig {
    config::Secret uri;
    std::vector<std::string> collections;
    std::map<std::string, ColumnChoice> columns;
    Mode mode = Mode::columns;
    OnConflict on_conflict = OnConflict::widen;
    UpdateMode update_mode = UpdateMode::document;
    std::int64_t columns_max = 500;
    bool nulls = false;
    config::Bytes frame_bytes = config::Bytes::mib(1);
    config::Bytes range_bytes = config::Bytes::mib(64);
    config::Duration linger = std::chrono::milliseconds(2);
    config::Duration connect_timeout = std::chrono::seconds(10);

    static constexpr auto fields() {
        using config::field;
        using Self = MongoConfig;
        constexpr std::int64_t most_columns = 10'000;
        return config::fields(
            field("uri", &Self::uri,
                  "connection string, mongodb:// or mongodb+srv://, with all options of libmongoc "
                  "(TLS, X.509, compressors, read preference)")
                .required()
                .not_empty(),
            field("collections", &Self::collections,
                  "collections to capture, as database.collection, or as collection of the URI's "
                  "database; `*` stands for any letters within either part, and `!` before it "
                  "leaves out what it names")
                .required()
                .not_empty(),
            field("columns", &Self::columns,
                  "per collection: which fields are captured, and as what"),
            field("mode", &Self::mode,
                  "what a document becomes: a column for each top-level field (columns), or `_id` "
                  "and the whole document as JSON (document)"),
            field("on_conflict", &Self::on_conflict,
                  "when a field's value has another type than its column: the column becomes one "
                  "that holds both (widen), or keeps its type, and the value goes into the JSON "
                  "column `_extra` (variant) or the row to the dead letters (dead_letter)"),
            field("update_mode", &Self::update_mode,
                  "for collections without post images: the document is read again after an update "
                  "(document), or only the fields that changed are taken from the event (delta), "
                  "for pipelines whose transforms need no others"),
            field("columns_max", &Self::columns_max,
                  "columns a table gets at most; further fields go into `_extra`")
                .between(2, most_columns),
            field("nulls", &Self::nulls,
                  "tell null from missing: a column `_nulls` lists the fields that are there and "
                  "null"),
            field("frame_bytes", &Self::frame_bytes, "size at which a frame of changes is closed")
                .between(config::Bytes::kib(16), config::Bytes::mib(64)),
            field(
                "range_bytes", &Self::range_bytes,
                "about how much of a collection an image reads at a time: what workers share out, "
                "and what is read again after an interruption")
                .between(config::Bytes::mib(1), config::Bytes::gib(1)),
            field("linger", &Self::linger, "how long a frame waits for more changes")
                .between(std::chrono::nanoseconds(0), std::chrono::seconds(1)),
            field("connect_timeout", &Self::connect_timeout,
                  "longest wait for a connection, unless the URI says otherwise")
                .between(std::chrono::seconds(1), std::chrono::seconds(600)));
    }
};

}  // namespace leat::mongodb
