// From a batch to the batch that the SELECT makes of it; see sql_transform.hpp.
#include "transform/sql/sql_transform.hpp"

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <set>

#include "base/check.hpp"
#include "change/pick_rows.hpp"
#include "transform/sql/old_rows.hpp"
#include "transform/sql/plan.hpp"
#include "transform/sql/program.hpp"
#include "transform/sql/tree.hpp"

namespace leat {

namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

auto failed(const arrow::Status& status) -> Error {
    return Error{Fault::fatal, "transform: " + status.message(), "", "arrow"};
}

// An id of its own for a column that the source does not have: the same in every run, and none
// that a source gives.
auto id_of_name(const std::string& name) -> std::int32_t {
    std::uint32_t hash = 2166136261U;  // FNV-1a
    for (const char c : name) hash = (hash ^ static_cast<std::uint8_t>(c)) * 16777619U;
    return -static_cast<std::int32_t>(hash & 0x3FFFFFFFU) - 1;
}

auto output_schema(const std::string& name, const sql::Plan& plan,
                   const std::vector<Column>& computed) -> SchemaPtr {
    auto schema = std::make_shared<TableSchema>(*plan.input);
    if (sql::folded(target_name(plan.input->name)) != sql::folded(name))
        schema->name = {"public", name};
    schema->columns.clear();
    schema->key = plan.key;
    std::set<int> taken;
    for (const auto& output : plan.outputs) {
        auto column = output.source >= 0
                          ? plan.input->columns[static_cast<std::size_t>(output.source)]
                          : computed[static_cast<std::size_t>(output.computed)];
        column.name = output.name;
        if (output.source < 0 || !taken.insert(output.source).second)
            column.id = id_of_name(output.name);
        schema->columns.push_back(std::move(column));
    }
    return schema;
}

auto is_excluding(const std::vector<Expectation>& expectations) -> bool {
    return std::any_of(expectations.begin(), expectations.end(), [](const Expectation& each) {
        return each.otherwise == Otherwise::drop;
    });
}

// The Arrow schemas of the output's batches, made once each: [with_before][with_unchanged].
using ArrowShapes = std::array<std::array<std::shared_ptr<arrow::Schema>, 2>, 2>;

}  // namespace

// A plan with its program and the schema it yields. `program`: none where nothing is computed.
struct SqlTransform::Compiled {
    sql::Plan plan;
    SchemaPtr output;
    ArrowShapes shapes;
    std::unique_ptr<sql::Program> program;
};

namespace {

// What becomes of one row of the input.
enum class Fate : std::uint8_t { pass, excluded, rejected };

// One batch on its way through a compiled transform.
class Passage {
public:
    Passage(const Batch& batch, const sql::Plan& plan, SchemaPtr output, ArrowShapes& shapes,
            sql::Program* program, const SqlTransformOptions& options, bool excludes)
        : batch_(batch),
          plan_(plan),
          output_(std::move(output)),
          shapes_(shapes),
          program_(program),
          options_(options),
          excludes_(excludes),
          rows_(batch.rows->num_rows()),
          ops_(static_cast<const arrow::UInt8Array&>(*batch.rows->column(op_column)).raw_values()),
          unchanged_(*batch.rows->column(unchanged_column)) {}

    auto run() -> Result<Applied> {
        if (program_ == nullptr && unchanged_.type_id() == arrow::Type::NA) {
            applied_.out = TRY(whole({}));
            return std::move(applied_);
        }
        choose();
        if (program_ != nullptr) TRY(compute());
        if (is_plain()) return plain();
        applied_.out = TRY(aligned());
        TRY(leave_out());
        return std::move(applied_);
    }

private:
    [[nodiscard]] auto op(std::int64_t row) const -> Op { return static_cast<Op>(ops_[row]); }

    [[nodiscard]] auto is_unsent(std::int64_t row, int column) const -> bool {
        if (unchanged_.type_id() == arrow::Type::NA || unchanged_.IsNull(row)) return false;
        const auto bits = static_cast<const arrow::FixedSizeBinaryArray&>(unchanged_).GetValue(row);
        return ((bits[column / 8] >> (column % 8)) & 1) != 0;
    }
    [[nodiscard]] auto unsent_of(std::int64_t row, const sql::Inputs& inputs) const -> std::size_t {
        return static_cast<std::size_t>(std::count_if(
            inputs.begin(), inputs.end(), [&](int column) { return is_unsent(row, column); }));
    }

    // The name of a column without which the row cannot be judged; empty: it can be.
    [[nodiscard]] auto missing(std::int64_t row) const -> std::string {
        const auto name_of = [&](const sql::Inputs& inputs) {
            const auto found = std::find_if(inputs.begin(), inputs.end(),
                                            [&](int column) { return is_unsent(row, column); });
            return batch_.schema->columns[static_cast<std::size_t>(*found)].name;
        };
        if (excludes_) {
            sql::Inputs all(batch_.schema->columns.size());
            std::iota(all.begin(), all.end(), 0);
            return name_of(all);
        }
        for (const auto& each : plan_.computed) {
            const auto unsent = unsent_of(row, each.inputs);
            if (unsent > 0 && unsent < each.inputs.size()) return name_of(each.inputs);
        }
        return "";
    }

    // Which rows the expressions see: neither deletes nor truncates, nor what cannot be judged.
    auto choose() -> void {
        fates_.assign(static_cast<std::size_t>(rows_), Fate::pass);
        judged_.reserve(static_cast<std::size_t>(rows_));
        const bool may_be_partial = unchanged_.type_id() != arrow::Type::NA;
        for (std::int64_t row = 0; row < rows_; ++row) {
            if (op(row) == Op::remove || op(row) == Op::truncate) continue;
            if (may_be_partial && is_partial(batch_, row)) {
                if (auto column = missing(row); !column.empty()) {
                    reject(row, RejectReason::incomplete_row, column,
                           "the source did not send this column, and the row cannot be judged "
                           "without it");
                    continue;
                }
                partial_ = true;
            }
            judged_.push_back(row);
        }
    }

    auto reject(std::int64_t row, RejectReason reason, std::string rule, std::string text) -> void {
        fates_[static_cast<std::size_t>(row)] = Fate::rejected;
        applied_.rejects.push_back({row, reason, std::move(rule), std::move(text)});
    }

    auto compute() -> Result<void> {
        const bool all = static_cast<std::int64_t>(judged_.size()) == rows_;
        arrow::ArrayVector columns;
        for (const int index : plan_.used) {
            const auto& column = batch_.rows->column(first_table_column + index);
            columns.push_back(all ? column : TRY(take_values(column, judged_)));
        }
        outcomes_ = TRY(program_->run(static_cast<std::int64_t>(judged_.size()), columns,
                                      partial_ ? TRY(skips()) : arrow::ArrayVector{}));
        for (auto& failure : outcomes_.failed)
            reject(judged_[static_cast<std::size_t>(failure.row)], RejectReason::expression_failed,
                   "sql", std::move(failure.text));
        if (!all)
            for (auto& row : outcomes_.rows) row = judged_[static_cast<std::size_t>(row)];
        note_excluded();
        return judge();
    }

    // Both lists are ascending.
    auto note_excluded() -> void {
        if (outcomes_.rows.size() == judged_.size()) return;
        auto passed = outcomes_.rows.begin();
        for (const auto row : judged_) {
            if (passed != outcomes_.rows.end() && *passed == row) {
                ++passed;
                continue;
            }
            auto& fate = fates_[static_cast<std::size_t>(row)];
            if (fate == Fate::pass) fate = Fate::excluded;
        }
    }

    // Where all inputs of a value are unsent it is unchanged itself, and not computed.
    auto skips() -> Result<arrow::ArrayVector> {
        arrow::ArrayVector columns;
        for (const auto& each : plan_.computed) {
            arrow::BooleanBuilder builder;
            for (const auto row : judged_) {
                const bool skip = !each.inputs.empty() &&
                                  unsent_of(row, each.inputs) == each.inputs.size();
                if (auto status = builder.Append(skip); !status.ok()) return failed(status);
            }
            auto column = builder.Finish();
            if (!column.ok()) return failed(column.status());
            columns.push_back(*column);
        }
        return columns;
    }

    // The expectations, in the order of the file: the first that is broken decides.
    auto judge() -> Result<void> {
        const auto first = plan_.computed.size() - plan_.conditions;
        for (std::size_t i = 0; i < plan_.conditions; ++i) {
            const auto& met = static_cast<const arrow::BooleanArray&>(*outcomes_.values[first + i]);
            if (met.null_count() == 0 && met.true_count() == met.length()) continue;
            const auto& inputs = plan_.computed[first + i].inputs;
            for (std::int64_t k = 0; k < met.length(); ++k) {
                if (met.IsValid(k) && met.Value(k)) continue;
                const auto row = outcomes_.rows[static_cast<std::size_t>(k)];
                if (fates_[static_cast<std::size_t>(row)] != Fate::pass) continue;
                if (!inputs.empty() && unsent_of(row, inputs) == inputs.size()) continue;
                TRY(broken(row, options_.expectations[i]));
            }
        }
        std::sort(applied_.rejects.begin(), applied_.rejects.end(),
                  [](const Rejection& a, const Rejection& b) { return a.row < b.row; });
        return {};
    }

    auto broken(std::int64_t row, const Expectation& expectation) -> Result<void> {
        switch (expectation.otherwise) {
            case Otherwise::dead_letter:
                reject(row, RejectReason::expectation_broken, expectation.name, expectation.that);
                return {};
            case Otherwise::drop:
                fates_[static_cast<std::size_t>(row)] = Fate::excluded;
                ++applied_.dropped[expectation.name];
                return {};
            case Otherwise::warn: ++applied_.warned[expectation.name]; return {};
            case Otherwise::stop: break;
        }
        const auto& commits =
            static_cast<const arrow::UInt64Array&>(*batch_.rows->column(commit_column));
        const auto& ordinals =
            static_cast<const arrow::UInt64Array&>(*batch_.rows->column(ordinal_column));
        return Error{Fault::poison,
                     "expectation " + expectation.name + " is broken: " + expectation.that +
                         " (commit " + std::to_string(commits.Value(row)) + ", row " +
                         std::to_string(ordinals.Value(row)) + ")",
                     "Change the row at the source, or what the expectation asks for.",
                     "transform " + options_.name, Code::row_rejected};
    }

    // Nothing stands in place of another row, so the values fit the chosen rows as they are.
    [[nodiscard]] auto is_plain() const -> bool {
        if (program_ == nullptr || partial_ || !applied_.rejects.empty()) return false;
        if (static_cast<std::int64_t>(judged_.size()) != rows_ || !applied_.dropped.empty())
            return false;
        if (batch_.schema->identity != RowIdentity::key) return true;
        for (std::int64_t row = 0; row < rows_; ++row)
            if (fates_[static_cast<std::size_t>(row)] == Fate::excluded &&
                (op(row) == Op::update || op(row) == Op::replace))
                return false;
        return true;
    }

    auto plain() -> Result<Applied> {
        applied_.filtered = rows_ - static_cast<std::int64_t>(outcomes_.rows.size());
        if (applied_.filtered == 0) {
            applied_.out = TRY(whole(outcomes_.values));
            return std::move(applied_);
        }
        const auto indices = TRY(row_indices(outcomes_.rows));
        arrow::ArrayVector columns;
        for (int column = 0; column < first_table_column; ++column)
            columns.push_back(TRY(take_values(column == before_column ? TRY(before())
                                                                      : batch_.rows->column(column),
                                              *indices)));
        for (const auto& output : plan_.outputs)
            columns.push_back(
                output.computed >= 0
                    ? outcomes_.values[static_cast<std::size_t>(output.computed)]
                    : TRY(take_values(batch_.rows->column(first_table_column + output.source),
                                      *indices)));
        applied_.out = TRY(finish(std::move(columns)));
        return std::move(applied_);
    }

    // Every row of the input in its place; `values` as long as the input.
    auto whole(const arrow::ArrayVector& values) -> Result<Batch> {
        arrow::ArrayVector columns;
        for (int column = 0; column < before_column; ++column)
            columns.push_back(batch_.rows->column(column));
        columns.push_back(TRY(before()));
        columns.push_back(TRY(unchanged()));
        for (const auto& output : plan_.outputs)
            columns.push_back(output.computed >= 0
                                  ? values[static_cast<std::size_t>(output.computed)]
                                  : batch_.rows->column(first_table_column + output.source));
        return finish(std::move(columns));
    }

    auto aligned() -> Result<Batch> {
        // Of each row among the outcomes, -1: none.
        std::vector<std::int64_t> places(static_cast<std::size_t>(rows_), -1);
        for (std::size_t k = 0; k < outcomes_.rows.size(); ++k)
            places[static_cast<std::size_t>(outcomes_.rows[k])] = static_cast<std::int64_t>(k);
        const auto indices = TRY(row_indices(places));
        arrow::ArrayVector values;
        for (const auto& value : outcomes_.values)
            values.push_back(TRY(take_values(value, *indices)));
        return whole(values);
    }

    auto finish(arrow::ArrayVector columns) -> Result<Batch> {
        const BatchShape shape{
            .with_before = columns[before_column]->type_id() != arrow::Type::NA,
            .with_unchanged = columns[unchanged_column]->type_id() != arrow::Type::NA};
        auto& schema = shapes_[shape.with_before ? 1 : 0][shape.with_unchanged ? 1 : 0];
        if (!schema) schema = TRY(to_arrow(*output_, shape));
        const auto rows = columns[op_column]->length();
        return Batch{output_, arrow::RecordBatch::Make(schema, rows, std::move(columns))};
    }

    // The old key under the output's names.
    auto before() -> Result<ArrayPtr> {
        const auto& from = batch_.rows->column(before_column);
        if (from->type_id() == arrow::Type::NA) return from;
        arrow::FieldVector fields;
        for (const int index : output_->key) {
            const auto& column = output_->columns[static_cast<std::size_t>(index)];
            fields.push_back(arrow::field(column.name, column.type));
        }
        auto data = from->data()->Copy();
        data->type = arrow::struct_(std::move(fields));
        return arrow::MakeArray(data);
    }

    auto unchanged() -> Result<ArrayPtr> {
        if (unchanged_.type_id() == arrow::Type::NA) return batch_.rows->column(unchanged_column);
        const auto width = (plan_.outputs.size() + 7) / 8;
        arrow::FixedSizeBinaryBuilder builder(
            arrow::fixed_size_binary(static_cast<std::int32_t>(width)));
        for (std::int64_t row = 0; row < rows_; ++row) {
            std::string bits(width, '\0');
            for (std::size_t i = 0; i < plan_.outputs.size(); ++i)
                if (is_output_unsent(row, plan_.outputs[i]))
                    bits[i / 8] = static_cast<char>(bits[i / 8] | (1 << (i % 8)));
            const bool any = bits.find_first_not_of('\0') != std::string::npos;
            if (auto status = any ? builder.Append(bits) : builder.AppendNull(); !status.ok())
                return failed(status);
        }
        auto array = builder.Finish();
        if (!array.ok()) return failed(array.status());
        return *array;
    }

    [[nodiscard]] auto is_output_unsent(std::int64_t row, const sql::OutputColumn& output) const
        -> bool {
        if (output.source >= 0) return is_unsent(row, output.source);
        const auto& inputs = plan_.computed[static_cast<std::size_t>(output.computed)].inputs;
        return !inputs.empty() && unsent_of(row, inputs) == inputs.size();
    }

    // Excluded rows go; an update among them leaves a delete of the row it would have changed.
    auto leave_out() -> Result<void> {
        std::vector<PickedRow> picks;
        auto reject = applied_.rejects.begin();
        for (std::int64_t row = 0; row < rows_; ++row) {
            const auto fate = fates_[static_cast<std::size_t>(row)];
            if (fate == Fate::rejected) (reject++)->row = static_cast<std::int64_t>(picks.size());
            if (fate != Fate::excluded) {
                picks.push_back({row, Pick::keep});
                continue;
            }
            ++applied_.filtered;
            const bool was_there = op(row) == Op::update || op(row) == Op::replace;
            if (!was_there || batch_.schema->identity != RowIdentity::key) continue;
            picks.push_back({row, Pick::remove});
            ++applied_.substitutes;
        }
        if (static_cast<std::int64_t>(picks.size()) == rows_ && applied_.filtered == 0) return {};
        applied_.out = TRY(pick_rows(applied_.out, picks));
        return {};
    }

    const Batch& batch_;
    const sql::Plan& plan_;
    const SchemaPtr output_;
    ArrowShapes& shapes_;
    sql::Program* const program_;
    const SqlTransformOptions& options_;
    const bool excludes_;
    const std::int64_t rows_;
    const std::uint8_t* const ops_;
    const arrow::Array& unchanged_;
    bool partial_ = false;  // among the judged rows
    std::vector<Fate> fates_;
    std::vector<std::int64_t> judged_;
    sql::Outcomes outcomes_;           // rows as numbers of the batch
    Applied applied_;
};

}  // namespace

auto SqlTransform::make(std::shared_ptr<sql::Engine> engine, SqlTransformOptions options)
    -> Result<std::unique_ptr<SqlTransform>> {
    auto query = TRY(sql::read_query(*engine, options.name, options.sql, options.expectations));
    return std::unique_ptr<SqlTransform>(
        new SqlTransform(std::move(engine), std::move(options), std::move(query)));
}

SqlTransform::SqlTransform(std::shared_ptr<sql::Engine> engine, SqlTransformOptions options,
                           sql::Query query)
    : engine_(std::move(engine)), options_(std::move(options)), query_(std::move(query)) {}

SqlTransform::~SqlTransform() = default;

auto SqlTransform::prepare(const SchemaPtr& schema) -> Result<SchemaPtr> {
    auto compiled = std::make_unique<Compiled>();
    compiled->plan = TRY(sql::make_plan(query_, schema));
    if (!compiled->plan.computed.empty() || compiled->plan.has_filter())
        compiled->program = TRY(sql::Program::make(engine_, query_, compiled->plan));
    static const std::vector<Column> none;
    compiled->output = output_schema(options_.name, compiled->plan,
                                     compiled->program ? compiled->program->types() : none);
    compiled_ = std::move(compiled);
    return compiled_->output;
}

auto SqlTransform::apply(const Batch& batch) -> Result<Applied> {
    CHECK(compiled_ != nullptr);
    const auto pass = [&](const Batch& rows) {
        return Passage(rows, compiled_->plan, compiled_->output, compiled_->shapes,
                       compiled_->program.get(), options_, excludes_rows())
            .run();
    };
    const bool whole_rows = batch.schema->identity == RowIdentity::full_row;
    return whole_rows && sql::has_old_rows(batch) ? sql::apply_with_old_rows(batch, pass)
                                                  : pass(batch);
}

auto SqlTransform::excludes_rows() const -> bool {
    return !query_.node.at("where_clause").is_null() || is_excluding(options_.expectations);
}

auto SqlTransform::needed_columns() const -> std::vector<std::string> {
    CHECK(compiled_ != nullptr);
    const auto& columns = compiled_->plan.input->columns;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const auto index = static_cast<int>(i);
        const auto reads = [&](const sql::Computed& each) {
            return each.inputs.size() > 1 &&
                   std::find(each.inputs.begin(), each.inputs.end(), index) != each.inputs.end();
        };
        const auto& computed = compiled_->plan.computed;
        if (excludes_rows() || std::any_of(computed.begin(), computed.end(), reads))
            names.push_back(columns[i].name);
    }
    return names;
}

}  // namespace leat
