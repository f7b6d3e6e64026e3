// RowLookup: reads by key what the stream left out of updates (unchanged TOAST values), as the
// table has it now. One thread; a connection of its own, made when it is first needed.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <vector>

#include "source/postgres/catalog.hpp"
#include "source/postgres/type_catalog.hpp"
#include "source/source.hpp"

namespace leat::postgres {

class RowLookup {
public:
    explicit RowLookup(ConnectOptions sql) : options_(std::move(sql)) {}

    // `table`: the one that the rows are of, as found when the source was opened. `xids`: of the
    // transactions that made the partial rows; what they did is waited for.
    auto complete(const Batch& batch, const CatalogTable& table,
                  const std::vector<std::uint32_t>& xids, const std::stop_token& stop)
        -> Result<Completed>;

private:
    auto read(const Batch& batch, const CatalogTable& table, const std::vector<std::int64_t>& rows,
              const std::stop_token& stop) -> Result<Completed>;
    // How the values of a column are read that has been of this batch's type.
    auto mapping_of(const Column& column, const CatalogColumn& now)
        -> Result<std::optional<pgtype::ColumnMapping>>;

    const ConnectOptions options_;
    std::optional<Connection> sql_;
    TypeCatalog types_;
};

}  // namespace leat::postgres
