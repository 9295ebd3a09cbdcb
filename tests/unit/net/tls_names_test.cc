#include "net/tls_names.h"

#include <doctest/doctest.h>

using weir::net::TlsNames;

TEST_CASE("a name finds the certificate that is for it, whatever its case and with a dot at its end") {
    TlsNames names;
    names.add("app.test", 0);
    names.add("Other.Test", 1);
    for (const char* name : {"app.test", "APP.test", "app.test."}) CHECK(names.find(name) == 0);
    CHECK(names.find("other.test") == 1);
    for (const char* name : {"", ".", "test", "a.app.test", "app.test..", "app_test", "localhost"})
        CHECK_FALSE(names.find(name));
}

TEST_CASE("a wildcard stands for exactly one label, and gives way to a whole name") {
    TlsNames names;
    names.add("*.app.test", 0);
    names.add("www.app.test", 1);
    CHECK(names.find("a.app.test") == 0);
    CHECK(names.find("A.APP.TEST.") == 0);
    CHECK(names.find("www.app.test") == 1);
    for (const char* name : {"app.test", "a.b.app.test", ".app.test", "*.b.app.test"})
        CHECK_FALSE(names.find(name));
}

TEST_CASE("a star elsewhere is no wildcard") {
    TlsNames names;
    names.add("a*.app.test", 0);
    names.add("b.*.test", 1);
    for (const char* name : {"ab.app.test", "b.app.test", "a.app.test"}) CHECK_FALSE(names.find(name));
}

TEST_CASE("who is first has the name") {
    TlsNames names;
    names.add("app.test", 3);
    names.add("app.test", 4);
    names.add("*.test", 5);
    names.add("*.test", 6);
    CHECK(names.find("app.test") == 3);
    CHECK(names.find("b.test") == 5);
}

TEST_CASE("what is longer than any name is none") {
    TlsNames names;
    names.add("*.test", 0);
    CHECK(names.find(std::string(250, 'a') + ".test") == 0);
    CHECK_FALSE(names.find(std::string(251, 'a') + ".test"));
}
