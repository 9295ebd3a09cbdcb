// What the sample app answers.
#pragma once

#include "demo/connection.h"

namespace weir::demo {

/// An idle connection is closed after so long, as its Keep-Alive field says.
inline constexpr int kKeepAliveSeconds = 5;

/// Answers requests on a connection until either side is done with it.
///   /             a page that shows the rest            /fast           at once
///   /slow?ms=800  after so long, at most 10 s           /fail           500
///   /crash        closes the connection, no answer      /stream         20 server-sent events, one each 300
///   ms /upload       POST or PUT: counts and digests       /large?kib=1024 so much, at most 64 MiB /echo the
///   request's head as JSON            /ws             WebSocket echo /health       "ok"
void serve(Connection& connection);

}  // namespace weir::demo
