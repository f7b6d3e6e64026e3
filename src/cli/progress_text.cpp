// Words for figures; see progress_text.hpp.
#include "cli/progress_text.hpp"

#include <fmt/core.h>

namespace leat::cli {

auto time_text(double seconds) -> std::string {
    if (seconds < 120) return fmt::format("{:.0f} s", seconds);
    if (seconds < 7200) return fmt::format("{:.0f} min", seconds / 60);
    return fmt::format("{:.1f} h", seconds / 3600);
}

auto image_text(const std::set<std::string>& tables, const ImageProgress& image) -> std::string {
    const auto what =
        tables.size() == 1 ? *tables.begin() : fmt::format("{} tables", tables.size());
    auto text = fmt::format("image of {}, {}", what, image.rows);
    if (image.rows_estimate > 0) text += fmt::format(" of about {}", image.rows_estimate);
    text += " rows";
    if (image.eta_seconds)
        text += fmt::format(", about {} left", time_text(static_cast<double>(*image.eta_seconds)));
    return text;
}

}  // namespace leat::cli
