// How the terminal, the periodic line and `leat status` put times and the progress of an image.
#pragma once

#include <set>
#include <string>

#include "pipeline/image_progress.hpp"

namespace leat::cli {

// 90 s, 3 min, 2.5 h.
auto time_text(double seconds) -> std::string;

// image of public.orders, 1200 of about 5000 rows, about 12 s left
auto image_text(const std::set<std::string>& tables, const ImageProgress& image) -> std::string;

}  // namespace leat::cli
