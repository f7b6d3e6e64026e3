// One expression for each type.
#include "sink/duckdb/json_sql.hpp"

#include <arrow/type.h>

namespace leat::duckdb {

namespace {

auto wrapped(const char* before, const std::string& value, const char* after) -> std::string {
    return std::string("'") + before + "' || " + value + " || '" + after + "'";
}

// `before` and `after` enclose those that are no numbers for JSON.
auto double_sql(const std::string& x, const std::string& before, const std::string& after)
    -> std::string {
    const auto named = [&](const char* name) { return "'" + before + name + after + "'"; };
    return "CASE WHEN isnan(" + x + ") THEN " + named("NaN") + " WHEN isinf(" + x +
           ") THEN CASE WHEN " + x + " > 0 THEN " + named("Infinity") + " ELSE " +
           named("-Infinity") + " END ELSE CAST(" + x + " AS VARCHAR) END";
}

// Milliseconds are there when there are some; outside of the years 1970 to 9999 a number is.
auto timestamp_sql(const std::string& x) -> std::string {
    const auto ms = "(epoch_us(" + x + ") // 1000 - CASE WHEN epoch_us(" + x +
                    ") % 1000 < 0 THEN 1 ELSE 0 END)";
    return "CASE WHEN " + ms +
           " BETWEEN 0 AND 253402300799999 THEN '{\"$date\":\"' || "
           "strftime(make_timestamp(" +
           ms + " * 1000), '%Y-%m-%dT%H:%M:%S') || CASE WHEN " + ms +
           " % 1000 = 0 THEN '' ELSE strftime(make_timestamp(" + ms +
           " * 1000), '.%g') END || 'Z\"}' "
           "ELSE '{\"$date\":{\"$numberLong\":\"' || " +
           ms + " || '\"}}' END";
}

auto binary_sql(const std::string& bytes, const char* subtype) -> std::string {
    return "'{\"$binary\":{\"base64\":\"' || base64(" + bytes + ") || '\",\"subType\":\"" +
           subtype + "\"}}'";
}

auto text_sql(const std::string& tag, const std::string& x) -> std::string {
    if (tag == "numeric") return wrapped("{\"$numberDecimal\":\"", x, "\"}");
    if (tag == "objectid") return wrapped("{\"$oid\":\"", x, "\"}");
    return "CAST(to_json(" + x + ") AS VARCHAR)";
}

}  // namespace

auto json_sql(const Column& from, const std::string& column) -> std::string {
    switch (from.type->id()) {
        case arrow::Type::DOUBLE: return double_sql(column, R"({"$numberDouble":")", R"("})");
        case arrow::Type::TIMESTAMP: return timestamp_sql(column);
        case arrow::Type::FIXED_SIZE_BINARY:
            return binary_sql("unhex(replace(" + column + "::VARCHAR, '-', ''))", "04");
        case arrow::Type::BINARY: return binary_sql(column, "00");
        case arrow::Type::STRING: return text_sql(from.logical_type, column);
        default: return "CAST(" + column + " AS VARCHAR)";
    }
}

auto number_text_sql(const std::string& column) -> std::string {
    return double_sql(column, "", "");
}

}  // namespace leat::duckdb
