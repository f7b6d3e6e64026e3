// Capture: source → queue → confirm. Takes images of tables when they are due or asked for, takes
// the changes in meanwhile, and comes back after failures at the last durable transaction.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>

#include "pipeline/backoff.hpp"
#include "pipeline/completion.hpp"
#include "pipeline/image_requests.hpp"
#include "pipeline/status.hpp"
#include "queue/queue.hpp"
#include "source/source.hpp"

namespace leat {

using SourceMaker = std::function<Result<std::unique_ptr<Source>>()>;
// Told once the source is open, with the newest position it had then.
using HeadReceiver = std::function<void(const Position&)>;

// What is done about changes that are lost for good: the pipeline stops with the reason, or all
// tables are read anew, and what the gap deleted goes with them.
enum class OnGap : std::uint8_t { stop, resnapshot };

struct CaptureOptions {
    OnGap on_gap = OnGap::stop;
    std::size_t snapshot_workers = 2;
    std::size_t buffer_bytes = 16 << 20;  // decoded frames that wait for the appender
    BackoffLimits backoff;
    std::uint64_t seed = 1;
    CompletionOptions completion{};
};

// Threads while running: the caller's (reads and decodes), one appender, one for images, and while
// one is read its workers. All end before run() returns.
class Capture {
public:
    Capture(CaptureOptions options, SourceMaker make_source, Queue& queue, Status& status,
            ImageRequests& requests, HeadReceiver on_head, const Clock& clock);

    // Until stop is asked for, or the policy ends it; that error is also in the status.
    auto run(const std::stop_token& stop) -> Result<void>;

private:
    auto attempt(const std::stop_token& stop) -> Result<void>;
    auto flow(Source& source, const std::stop_token& stop) -> Result<void>;
    auto wait_after(const Error& error, const std::stop_token& stop) -> bool;

    const CaptureOptions options_;
    const SourceMaker make_source_;
    Queue& queue_;
    Status& status_;
    ImageRequests& requests_;
    const HeadReceiver on_head_;
    const Clock& clock_;
    bool head_known_ = false;
    Backoff backoff_;
    std::set<TableName> stale_;  // and not read anew yet
};

}  // namespace leat
