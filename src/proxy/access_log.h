// One line a request, in JSON or the combined format, built by hand into the worker's buffer: the hot path
// formats nothing through a library and never touches the disk.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "config/settings.h"
#include "proxy/access_record.h"
#include "proxy/log_writer.h"

namespace weir::proxy {

/// Past these many bytes of input a text is cut and ends in an ellipsis ("..." in the combined format), so a
/// line is never longer than kMaxLineBytes. Other texts (host, request id, ...) are cut at 256.
inline constexpr size_t kMaxLoggedTarget = 2048;
inline constexpr size_t kMaxLoggedField = 512;  ///< referer and user agent, each
inline constexpr size_t kMaxLineBytes = 43008;

/// Appends one line, newline included. One request is one line of valid UTF-8 whatever it sent.
///
/// JSON: an object with its keys in fixed order: time, id, client, method, host, path, protocol, tls, status,
/// route, reason, rule, shadow, cut, bytes_in, bytes_out, queue_ms, hold_ms, connect_ms, first_byte_ms,
/// total_ms, retries, server, trace_id, referer, user_agent, slow. `shadow` is a list of names. `tls` and
/// all texts behind `status` are left out where empty, a duration where negative, `retries` where 0, `slow`
/// where false. Printable characters in well-formed UTF-8 stand as they are; each
/// other byte (control characters and line separators, U+0080 to U+009F among them, and bytes that are not
/// UTF-8) is written \u00XX.
///
/// Combined: as Apache and nginx write it, "-" for what is absent, and as in nginx quotes, backslashes and
/// all bytes that are not printable ASCII written \xHH.
///
/// In both, secrets in the target and in the referer become `***`: see secret_names.h.
void append_json_line(const AccessRecord&, std::string& out);
void append_combined_line(const AccessRecord&, std::string& out);

/// One a worker; thread: that worker's. Gathers lines and hands them to the writer when kFlushBytes are full
/// or when flush() is called (once per tick): a line is never later than that. A writer outlives its use.
class AccessLog {
  public:
    static constexpr size_t kFlushBytes = 65536;

    /// `writer` may be nullptr (`log.access: off`): then nothing is built.
    AccessLog(LogWriter* writer, config::LogFormat format);
    AccessLog(const AccessLog&) = delete;
    AccessLog& operator=(const AccessLog&) = delete;
    ~AccessLog() { flush(); }

    /// Lines go there from now on; those gathered so far went where they belong.
    void use(LogWriter* writer, config::LogFormat format);
    void write(const AccessRecord& record);
    void flush();

  private:
    LogWriter* writer_ = nullptr;
    config::LogFormat format_ = config::LogFormat::json;
    std::string buffer_;
};

}  // namespace weir::proxy
