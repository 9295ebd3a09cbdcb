// How full the queue before the app is, for `public.queue_stats`.
#pragma once

#include <string>

#include "proxy/rules.h"

namespace weir::proxy {

/// Replaces `out` by one JSON object: activeProcesses (requests inside the app), queuedTasks (that wait),
/// totalProcessed (that the app has done), peakQueueSize (most that ever waited at once), utilizationPercent
/// (slots in use). Of the global cap, or, where there is none, of the routes' caps together.
void write_queue_stats(const Rules& rules, std::string& out);

}  // namespace weir::proxy
