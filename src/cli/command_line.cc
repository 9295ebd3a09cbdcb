#include "cli/command_line.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <optional>
#include <sstream>

namespace weir::cli {

namespace {

constexpr int kBadUsage = 2;
constexpr const char* kFooter =
    "\nSignals: SIGTERM and SIGINT drain (a second one stops at once), SIGHUP reads the configuration anew,\n"
    "SIGUSR1 reopens the access log.\n"
    "Exit codes: 0 clean, 1 bad configuration, 2 bad usage, 3 could not start, 4 explain: would be refused,\n"
    "            5 cannot write to stdout.";

struct Options {
    std::string config_file;
    std::string check_file;
    std::vector<std::string> listen;
    std::vector<std::string> upstream;
    std::vector<std::string> set;
    Question question;
    bool as_markdown = false;
    bool is_quiet = false;
};

/// One item as it is, several as `['a', 'b']`, each quoted so that nothing in it is taken for syntax.
std::string as_yaml(const std::vector<std::string>& items) {
    if (items.size() == 1) return items.front();
    std::string list;
    for (const std::string& item : items) {
        std::string escaped;
        for (char c : item) escaped += c == '\'' ? std::string("''") : std::string(1, c);
        list += fmt::format("{}'{}'", list.empty() ? "" : ", ", escaped);
    }
    return "[" + list + "]";
}

void add_options(CLI::App& app, Options& options) {
    app.add_option("-c,--config", options.config_file,
                   "the YAML file; default: ./weir.yaml, then /etc/weir/weir.yaml")
        ->type_name("FILE");
    app.add_option("-l,--listen", options.listen,
                   "where clients connect: host:port, [v6]:port, :port or unix:/path")
        ->type_name("ADDR")
        ->allow_extra_args(false);
    app.add_option("-u,--upstream", options.upstream,
                   "the app: http://host:port, https://host:port or unix:/path")
        ->type_name("URL")
        ->allow_extra_args(false);
    app.add_option("-s,--set", options.set, "one key of the configuration, e.g. timeout.total=10s")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
}

CLI::App* add_check(CLI::App& app, Options& options) {
    CLI::App* check =
        app.add_subcommand("check", "check the configuration and show it with the origin of every value");
    check->add_option("file", options.check_file, "the YAML file")->type_name("FILE");
    check->add_flag("-q,--quiet", options.is_quiet, "show mistakes and warnings alone");
    check->fallthrough();
    return check;
}

CLI::App* add_explain(CLI::App& app, Question& question) {
    CLI::App* explain =
        app.add_subcommand("explain", "say what a request would meet: its route, its rules, their answers");
    explain->footer("\nEnds with 0 where the request would reach the app, with 4 where it would be refused.");
    explain->add_option("request", question.request, "as in \"GET /path?x=1\"")->required();
    explain->add_option("--ip", question.ip, "the client's address; default: 127.0.0.1")->type_name("ADDR");
    explain->add_option("-H,--header", question.headers, "a header field, as in \"Accept: */*\"")
        ->type_name("FIELD")
        ->allow_extra_args(false);
    explain
        ->add_option("--at", question.address,
                     "the address of `listen` that it comes to; default: the first one, or the first of the "
                     "kind that \"GET https://host/path\" names")
        ->type_name("ADDR");
    explain
        ->add_option("--server-name", question.server_name,
                     "the name that TLS is asked for; default: the request's host")
        ->type_name("NAME");
    explain->add_flag("--client-certificate", question.shows_certificate,
                      "the client shows a certificate that is accepted");
    explain
        ->add_option("--balancer", question.balancer,
                     "who sends the PROXY header that names --ip; default: one that is trusted")
        ->type_name("ADDR");
    explain->fallthrough();
    return explain;
}

CLI::App* add_schema(CLI::App& app, Options& options) {
    CLI::App* schema = app.add_subcommand("schema", "print the JSON Schema of the configuration");
    schema->add_flag("--markdown", options.as_markdown, "print a table of the keys instead");
    return schema;
}

bool is_assignment(const std::string& text) {
    const size_t equals = text.find('=');
    return equals != 0 && equals != std::string::npos;
}

Exit no_assignment(const std::string& text) {
    return {kBadUsage, "", fmt::format("weir: --set needs KEY=VALUE, not `{}`\n", text)};
}

/// What takes no argument was given one: the likeliest ways to come by it.
Exit not_expected(const std::string& argument, const Options& options, bool is_explain) {
    for (const std::string& text : options.set)
        if (!is_assignment(text)) return no_assignment(text);
    std::string hint = "`weir --help` says what is";
    if (is_explain) hint = "the request is one argument, in quotes: weir explain \"GET /path\"";
    if (argument.ends_with(".yaml") || argument.ends_with(".yml"))
        hint = fmt::format("a file is given as in: weir -c {}", argument);
    return {kBadUsage, "", fmt::format("weir: `{}` was not expected; {}\n", argument, hint)};
}

Result<std::vector<config::Assignment>, Exit> assignments(const Options& options) {
    std::vector<config::Assignment> flags;
    if (!options.listen.empty())
        flags.push_back({"listen", as_yaml(options.listen), "--listen " + options.listen.front()});
    if (!options.upstream.empty())
        flags.push_back(
            {"upstream.servers", as_yaml(options.upstream), "--upstream " + options.upstream.front()});
    for (const std::string& text : options.set) {
        if (!is_assignment(text)) return fail(no_assignment(text));
        const size_t equals = text.find('=');
        flags.push_back({text.substr(0, equals), text.substr(equals + 1), "--set " + text});
    }
    return flags;
}

}  // namespace

Result<CommandLine, Exit> parse_command_line(int argc, const char* const* argv) {
    CLI::App app("weir: a reverse proxy that protects one legacy app");
    app.name("weir");
    app.footer(kFooter);
    Options options;
    add_options(app, options);
    CLI::App* check = add_check(app, options);
    CLI::App* demo = app.add_subcommand("demo", "start a sample app behind a proxy and say what to try");
    demo->fallthrough();
    CLI::App* explain = add_explain(app, options.question);
    CLI::App* schema = add_schema(app, options);
    CLI::App* version = app.add_subcommand("version", "version, build and libraries");
    bool asks_version = false;
    app.add_flag("--version", asks_version, "the same as `weir version`");
    app.require_subcommand(0, 1);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ExtrasError&) {
        return fail(not_expected(app.remaining(true).front(), options, explain->parsed()));
    } catch (const CLI::ParseError& stop) {
        std::ostringstream out;
        std::ostringstream err;
        int code = app.exit(stop, out, err) == 0 ? 0 : kBadUsage;
        return fail(Exit{code, out.str(), err.str()});
    }
    CommandLine made;
    if (*check) made.action = Action::check;
    if (*demo) made.action = Action::demo;
    if (*explain) made.action = Action::explain;
    if (*schema) made.action = Action::schema;
    if (*version || asks_version) made.action = Action::version;
    made.config_file = options.check_file.empty() ? options.config_file : options.check_file;
    made.question = std::move(options.question);
    made.as_markdown = options.as_markdown;
    made.is_quiet = options.is_quiet;
    auto flags = assignments(options);
    if (!flags) return fail(flags.error());
    made.flags = std::move(*flags);
    return made;
}

}  // namespace weir::cli
