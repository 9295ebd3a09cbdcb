#include "net/tls_files.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

#include "net/tls_pair.h"

namespace weir::net {

namespace {

/// Files for a server, all of them good.
struct Files : Authority {
    TlsFiles files{.certificate = folder.file("app.pem"), .key = folder.file("app.key"), .client_ca = {}};

    Files() {
        write_pem(files.certificate, app);
        write_key(files.key, app);
    }
    /// "certificate absent: ...", a line for each.
    [[nodiscard]] std::string said(WallTime now = wall_now()) const {
        constexpr const char* kFiles[] = {"certificate", "key", "client_ca"};
        constexpr const char* kWeights[] = {"risk", "absent", "unusable"};
        std::string text;
        for (const auto& problem : look_at_tls_files(files, now))
            text += std::string(kFiles[static_cast<size_t>(problem.file)]) + " " +
                    kWeights[static_cast<size_t>(problem.weight)] + ": " + problem.message + "\n";
        return text;
    }
    static void write(const std::string& to, const std::string& text) { std::ofstream(to) << text; }
};

}  // namespace

TEST_CASE("good files have no problem") {
    Files given;
    CHECK(given.said().empty());
    given.files.client_ca = given.file;
    CHECK(given.said().empty());
}

TEST_CASE("a file that is not there is told of, each for itself") {
    Files given;
    given.files = {.certificate = "/nowhere/a.pem", .key = "/nowhere/a.key", .client_ca = "/nowhere/ca.pem"};
    CHECK(given.said() ==
          "certificate absent: cannot read `/nowhere/a.pem`: No such file or directory\n"
          "key absent: cannot read `/nowhere/a.key`: No such file or directory\n"
          "client_ca absent: cannot read `/nowhere/ca.pem`: No such file or directory\n");
}

TEST_CASE("a file with something else in it is told of") {
    Files given;
    given.files.client_ca = given.folder.file("client.pem");
    given.write(given.files.certificate, "nothing\n");
    given.write(given.files.key, "nothing\n");
    given.write(given.files.client_ca, "nothing\n");
    CHECK(given.said() == "certificate unusable: there is no certificate in `" + given.files.certificate +
                              "`\nkey unusable: there is no private key in `" + given.files.key +
                              "`\nclient_ca unusable: there is no certificate in `" + given.files.client_ca +
                              "`\n");
}

TEST_CASE("a certificate that is cut off is told of") {
    Files given;
    given.write(given.files.certificate, "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
    CHECK(given.said().starts_with("certificate unusable: "));
}

TEST_CASE("a key that is not the certificate's is told of") {
    Files given;
    write_key(given.files.key, given.ca);
    CHECK(given.said() == "key unusable: the key in `" + given.files.key +
                              "` is not the one of the certificate in `" + given.files.certificate + "`\n");
}

TEST_CASE("a key with a passphrase is told of, and nobody is asked for it") {
    Files given;
    write_key(given.files.key, given.app, "secret");
    CHECK(given.said() ==
          "key unusable: the key in `" + given.files.key + "` is encrypted with a passphrase\n");
}

TEST_CASE("a key that everybody can read is a risk, one of a group is none") {
    Files given;
    chmod(given.files.key.c_str(), 0640);
    CHECK(given.said().empty());
    for (const mode_t mode : {0644U, 0604U, 0602U}) {
        chmod(given.files.key.c_str(), mode);
        CHECK(given.said() ==
              "key risk: everybody on this machine can read the key in `" + given.files.key + "`\n");
    }
}

TEST_CASE("a certificate that is not valid now is a risk") {
    Files given;
    const auto about = [&](const char* what) {
        return "certificate risk: the certificate in `" + given.files.certificate + "` " + what +
               ": clients will refuse it\n";
    };
    CHECK(given.said(wall_now() + std::chrono::hours(2)) == about("has expired"));
    CHECK(given.said(wall_now() - std::chrono::hours(2)) == about("is not valid yet"));
    CHECK(given.said(wall_now() + std::chrono::minutes(50)).empty());
}

}  // namespace weir::net
