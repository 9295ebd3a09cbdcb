// What was asked for on the command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "config/load.h"

namespace weir::cli {

enum class Action : uint8_t { run, check, demo, explain, schema, version };

/// The request that `weir explain` is asked about, as it was typed.
struct Question {
    std::string request;               ///< "GET /path?x=1", maybe with a version behind it
    std::string ip;                    ///< the client's; empty: none was given
    std::vector<std::string> headers;  ///< "Name: value"
    std::string address{};             ///< one of `listen`; empty: as the request's URL says, else the first
    std::optional<std::string> server_name{};  ///< that TLS is asked for; none: the request's host
    std::string balancer{};                    ///< who sends the PROXY header; empty: one that is trusted
    bool shows_certificate = false;            ///< of its own, in the handshake
};

struct CommandLine {
    Action action = Action::run;
    std::string config_file;  ///< empty: the default places, if no flag makes a file needless
    std::vector<config::Assignment> flags;
    Question question = {};    ///< of Action::explain
    bool as_markdown = false;  ///< of Action::schema: a table for people to read
    bool is_quiet = false;     ///< of Action::check: mistakes and warnings alone
};

/// Why there is nothing to do: help was printed (0), or the usage was wrong (2).
struct Exit {
    int code = 0;
    std::string to_stdout;
    std::string to_stderr;
};

Result<CommandLine, Exit> parse_command_line(int argc, const char* const* argv);

}  // namespace weir::cli
