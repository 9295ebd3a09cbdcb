#include "app/file_checks.h"

#include <fmt/format.h>

#include "app/front_door.h"
#include "base/clock.h"
#include "config/findings.h"
#include "net/tls_files.h"

namespace weir::app {

namespace {

config::Severity severity_of(net::TlsFileProblem::Weight weight, AbsentFile absent) {
    using Weight = net::TlsFileProblem::Weight;
    switch (weight) {
        case Weight::risk: return config::Severity::warning;
        case Weight::unusable: return config::Severity::error;
        case Weight::absent: break;
    }
    return absent == AbsentFile::error ? config::Severity::error : config::Severity::warning;
}

const char* key_of(net::TlsFileProblem::File file) {
    using File = net::TlsFileProblem::File;
    switch (file) {
        case File::certificate: return "certificate";
        case File::key: return "key";
        case File::client_ca: return "client_ca";
    }
    return "";
}

void check_certificate(config::Findings& findings, const config::Spot& spot,
                       const config::Certificate& certificate, AbsentFile absent) {
    for (const auto& problem : net::look_at_tls_files(tls_files_of(certificate), wall_now())) {
        const config::Spot at = spot / key_of(problem.file);
        findings.report(severity_of(problem.weight, absent), at,
                        {fmt::format("{}: {}", findings.name(at), problem.message), problem.hint});
    }
}

}  // namespace

config::Inspect file_checks(AbsentFile absent) {
    return [absent](config::Findings& findings) {
        const auto& listen = findings.settings().listen;
        for (size_t i = 0; i < listen.size(); ++i)
            for (size_t j = 0; j < listen[i].tls.size(); ++j)
                check_certificate(findings, (config::Spot("listen")[i] / "tls")[j], listen[i].tls[j], absent);
    };
}

}  // namespace weir::app
