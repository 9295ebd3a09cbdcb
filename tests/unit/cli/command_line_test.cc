#include "cli/command_line.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace weir::cli {

namespace {

Result<CommandLine, Exit> parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "weir");
    return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

CommandLine parse_well(std::vector<const char*> arguments) {
    auto line = parse(std::move(arguments));
    INFO((line ? std::string() : line.error().to_stderr));
    REQUIRE(line.has_value());
    return *line;
}

Exit refusal_of(std::vector<const char*> arguments) {
    auto line = parse(std::move(arguments));
    REQUIRE_FALSE(line.has_value());
    return line.error();
}

std::string shown(const config::Assignment& flag) {
    return flag.path + " = " + flag.value + " (" + flag.flag + ")";
}

}  // namespace

TEST_CASE("explain takes a request, who asks it, and whose configuration it is about, in any order") {
    for (const auto& arguments : {std::vector<const char*>{"explain", "-c", "a.yaml", "GET /x", "--ip", "::1",
                                                           "-H", "A: b", "-H", "C: d"},
                                  std::vector<const char*>{"explain", "--header", "A: b", "--header", "C: d",
                                                           "--config", "a.yaml", "--ip", "::1", "GET /x"}}) {
        const CommandLine line = parse_well(arguments);
        CHECK(line.action == Action::explain);
        CHECK(line.config_file == "a.yaml");
        CHECK(line.question.request == "GET /x");
        CHECK(line.question.ip == "::1");
        CHECK(line.question.headers == std::vector<std::string>{"A: b", "C: d"});
    }
    CHECK(refusal_of({"explain"}).code == 2);
}

TEST_CASE("explain takes the way in which a request comes, and none is the default") {
    const Question none = parse_well({"explain", "GET /"}).question;
    CHECK(none.address.empty());
    CHECK_FALSE(none.server_name);
    CHECK(none.balancer.empty());
    CHECK_FALSE(none.shows_certificate);
    const Question all = parse_well({"explain", "--at", ":8443", "--server-name", "", "--balancer", "::1",
                                     "--client-certificate", "GET /"})
                             .question;
    CHECK(all.address == ":8443");
    CHECK(all.server_name == "");
    CHECK(all.balancer == "::1");
    CHECK(all.shows_certificate);
}

TEST_CASE("an option takes one argument and leaves the next to the command") {
    const CommandLine line = parse_well({"explain", "-s", "workers=2", "GET /x"});
    CHECK(line.question.request == "GET /x");
    CHECK(line.flags.size() == 1);
    CHECK(parse_well({"check", "-s", "workers=2", "a.yaml"}).config_file == "a.yaml");
}

TEST_CASE("schema is for programs unless it is asked for as a table") {
    CHECK(parse_well({"schema"}).action == Action::schema);
    CHECK_FALSE(parse_well({"check"}).is_quiet);
    CHECK(parse_well({"check", "--quiet"}).is_quiet);
    CHECK(parse_well({"check", "-q", "a.yaml"}).config_file == "a.yaml");
    CHECK_FALSE(parse_well({"schema"}).as_markdown);
    CHECK(parse_well({"schema", "--markdown"}).as_markdown);
    CHECK(refusal_of({"schema", "weir.yaml"}).code == 2);
}

TEST_CASE("without arguments weir runs, with what it finds") {
    const CommandLine line = parse_well({});
    CHECK(line.action == Action::run);
    CHECK(line.config_file.empty());
    CHECK(line.flags.empty());
}

TEST_CASE("every flag has a long and a short form") {
    for (const auto& arguments :
         {std::vector<const char*>{"--config", "a.yaml", "--listen", ":8080", "--upstream",
                                   "http://127.0.0.1:5000", "--set", "timeout.total=10s"},
          std::vector<const char*>{"-c", "a.yaml", "-l", ":8080", "-u", "http://127.0.0.1:5000", "-s",
                                   "timeout.total=10s"},
          std::vector<const char*>{"--config=a.yaml", "--listen=:8080", "--upstream=http://127.0.0.1:5000",
                                   "--set=timeout.total=10s"}}) {
        const CommandLine line = parse_well(arguments);
        CHECK(line.action == Action::run);
        CHECK(line.config_file == "a.yaml");
        REQUIRE(line.flags.size() == 3);
        CHECK(shown(line.flags[0]) == "listen = :8080 (--listen :8080)");
        CHECK(shown(line.flags[1]) ==
              "upstream.servers = http://127.0.0.1:5000 (--upstream http://127.0.0.1:5000)");
        CHECK(shown(line.flags[2]) == "timeout.total = 10s (--set timeout.total=10s)");
    }
}

TEST_CASE("a repeated flag makes a list, of which nothing is taken for syntax") {
    const CommandLine line =
        parse_well({"-l", ":80", "-l", "unix:/run/it's.sock", "-u", "http://a:1", "-u", "http://b:2"});
    REQUIRE(line.flags.size() == 2);
    CHECK(line.flags[0].value == "[':80', 'unix:/run/it''s.sock']");
    CHECK(line.flags[1].value == "['http://a:1', 'http://b:2']");
}

TEST_CASE("each --set is an assignment of its own, in the order given") {
    const CommandLine line =
        parse_well({"-s", "limits.body=1MiB", "-s", "upstream.host=a=b", "-s", "log.access="});
    REQUIRE(line.flags.size() == 3);
    CHECK(line.flags[0].path == "limits.body");
    CHECK(line.flags[0].value == "1MiB");
    CHECK(line.flags[1].path == "upstream.host");
    CHECK(line.flags[1].value == "a=b");
    CHECK(line.flags[2].path == "log.access");
    CHECK(line.flags[2].value.empty());
}

TEST_CASE("--set needs a key and a value") {
    for (const char* text : {"timeout.total", "=10s"}) {
        const Exit exit = refusal_of({"--set", text});
        CHECK(exit.code == 2);
        CHECK(exit.to_stdout.empty());
        CHECK(exit.to_stderr == "weir: --set needs KEY=VALUE, not `" + std::string(text) + "`\n");
    }
}

TEST_CASE("check takes a file, bare or by flag, and the other flags before or behind") {
    const CommandLine bare = parse_well({"check", "a.yaml", "--set", "workers=2"});
    CHECK(bare.action == Action::check);
    CHECK(bare.config_file == "a.yaml");
    CHECK(bare.flags.size() == 1);
    CHECK(parse_well({"check", "-c", "b.yaml"}).config_file == "b.yaml");
    CHECK(parse_well({"-c", "b.yaml", "check"}).config_file == "b.yaml");
    CHECK(parse_well({"check"}).config_file.empty());
}

TEST_CASE("demo takes the same flags, before or behind") {
    CHECK(parse_well({"demo"}).action == Action::demo);
    CHECK(parse_well({"demo"}).flags.empty());
    for (const auto& arguments :
         {std::vector<const char*>{"demo", "--listen", ":9000"}, {"--listen", ":9000", "demo"}}) {
        const CommandLine line = parse_well(arguments);
        CHECK(line.action == Action::demo);
        REQUIRE(line.flags.size() == 1);
        CHECK(shown(line.flags[0]) == "listen = :9000 (--listen :9000)");
    }
}

TEST_CASE("version is a command of its own") { CHECK(parse_well({"version"}).action == Action::version); }

TEST_CASE("asking for help is no mistake") {
    for (const std::vector<const char*>& arguments :
         {std::vector<const char*>{"--help"}, {"-h"}, {"check", "--help"}, {"demo", "--help"}}) {
        const Exit exit = refusal_of(arguments);
        CHECK(exit.code == 0);
        CHECK(exit.to_stderr.empty());
        CHECK_FALSE(exit.to_stdout.empty());
    }
    const std::string help = refusal_of({"--help"}).to_stdout;
    for (const char* word :
         {"--config", "--listen", "--upstream", "--set", "check", "demo", "version", "SIGTERM", "Exit codes"})
        CHECK_MESSAGE(help.find(word) != std::string::npos, word);
}

TEST_CASE("wrong usage is refused on stderr with exit code 2") {
    for (const std::vector<const char*>& arguments : {std::vector<const char*>{"--nonsense"},
                                                      {"nonsense"},
                                                      {"--listen"},
                                                      {"check", "a.yaml", "b.yaml"},
                                                      {"version", "extra"},
                                                      {"demo", "--workers", "2"}}) {
        INFO("weir ... ", std::string(arguments.back()));
        const Exit exit = refusal_of(arguments);
        CHECK(exit.code == 2);
        CHECK(exit.to_stdout.empty());
        CHECK_FALSE(exit.to_stderr.empty());
    }
}

TEST_CASE("an argument that is not expected is named, with what may have been meant") {
    const auto said = [](std::vector<const char*> arguments) {
        const Exit exit = refusal_of(std::move(arguments));
        CHECK(exit.code == 2);
        return exit.to_stderr;
    };
    CHECK(said({"weir.yaml"}) ==
          "weir: `weir.yaml` was not expected; a file is given as in: weir -c weir.yaml\n");
    CHECK(said({"start"}) == "weir: `start` was not expected; `weir --help` says what is\n");
    CHECK(said({"check", "-x"}) == "weir: `-x` was not expected; `weir --help` says what is\n");
    CHECK(said({"--port", "80"}).find("was not expected") != std::string::npos);
    CHECK(
        said({"explain", "GET", "/x"}) ==
        "weir: `/x` was not expected; the request is one argument, in quotes: weir explain \"GET /path\"\n");
    CHECK(said({"--set", "limits.rate", "60/min"}) == "weir: --set needs KEY=VALUE, not `limits.rate`\n");
}

TEST_CASE("the version is told by a command and by a flag") {
    CHECK(parse_well({"version"}).action == Action::version);
    CHECK(parse_well({"--version"}).action == Action::version);
}

}  // namespace weir::cli
