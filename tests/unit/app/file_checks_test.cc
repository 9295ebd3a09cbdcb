#include "app/file_checks.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <string>

#include "loading.h"
#include "net/tls_pair.h"

namespace weir::app {

namespace {

struct Files : net::Authority {
    std::string certificate = folder.file("app.pem");
    std::string key = folder.file("app.key");

    Files() {
        net::write_pem(certificate, app);
        net::write_key(key, app);
    }
    /// "6:9 error: ..." of a listener whose key stands on line 6.
    [[nodiscard]] std::string said(AbsentFile absent, const std::string& more = {}) const {
        config::Sources all = config::sources(
            "upstream: http://127.0.0.1:5000\nlisten:\n  - address: :8443\n    tls:\n      "
            "- certificate: " +
            certificate + "\n        key: " + key + "\n" + more);
        all.inspect = file_checks(absent);
        auto result = config::load(all);
        std::string text;
        for (const config::Diagnostic& one : result ? result->warnings : result.error())
            text += std::to_string(one.line) + ":" + std::to_string(one.column) +
                    (one.severity == config::Severity::error ? " error: " : " warning: ") + one.message +
                    "\n";
        return text;
    }
};

}  // namespace

TEST_CASE("files that can be served with are passed over in silence") {
    CHECK(Files().said(AbsentFile::error).empty());
}

TEST_CASE("a file that is not there keeps weir from starting, and is a warning where it is only looked at") {
    Files files;
    files.key = "/nowhere.key";
    const std::string message =
        "`listen[0].tls[0].key`: cannot read `/nowhere.key`: No such file or directory\n";
    CHECK(files.said(AbsentFile::error) == "6:9 error: " + message);
    CHECK(files.said(AbsentFile::warning) == "6:9 warning: " + message);
}

TEST_CASE("a key of another certificate is an error in either case, at the key") {
    Files files;
    net::write_key(files.key, files.ca);
    for (const AbsentFile absent : {AbsentFile::error, AbsentFile::warning})
        CHECK(files.said(absent) == "6:9 error: `listen[0].tls[0].key`: the key in `" + files.key +
                                        "` is not the one of the certificate in `" + files.certificate +
                                        "`\n");
}

TEST_CASE("a key that everybody can read is a warning") {
    Files files;
    chmod(files.key.c_str(), 0644);
    CHECK(files.said(AbsentFile::error) ==
          "6:9 warning: `listen[0].tls[0].key`: everybody on this machine can read the key in `" + files.key +
              "`\n");
}

TEST_CASE("no file is looked at where the configuration is wrong anyway") {
    Files files;
    files.key = "/nowhere.key";
    CHECK(files.said(AbsentFile::error, "drain: 5\n").find("nowhere") == std::string::npos);
}

}  // namespace weir::app
