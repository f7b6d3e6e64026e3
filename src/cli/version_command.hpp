// `leat version`: versions, and the failpoints that the crash tests may arm.
#pragma once

namespace leat::cli {

auto version_command(bool json) -> int;

}  // namespace leat::cli
