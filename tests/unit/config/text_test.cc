#include "config/text.h"

#include <doctest/doctest.h>

using namespace weir::config;

TEST_CASE("a character is decoded only where it is valid UTF-8") {
    CHECK(first_character("a").code == 'a');
    CHECK(first_character("é").code == 0xe9);
    CHECK(first_character("€").bytes == 3);
    CHECK(first_character("😀").code == 0x1f600);
    for (const char* text :
         {"\x80", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff", "\xc3("}) {
        CHECK_FALSE(first_character(text).valid);
        CHECK(first_character(text).bytes == 1);
    }
}

TEST_CASE("what is shown holds no control, no direction mark and no broken byte") {
    CHECK(printable("plain é") == "plain é");
    CHECK(printable("a\tb") == "a b");
    CHECK(printable("\x1b[31m") == "\\x1b[31m");
    CHECK(printable("a\nb") == "a\\x0ab");
    CHECK(printable("a\xff") == "a\\xff");
    CHECK(printable("a\u202eb") == "a\\u{202e}b");
    CHECK(printable("aaaaa", 3) == "aaa...");
    CHECK(printable("aaa", 3) == "aaa");
    CHECK(quoted("x") == "`x`");
}

TEST_CASE("characters are counted, not bytes") {
    CHECK(count_characters("") == 0);
    CHECK(count_characters("é€😀") == 3);
    CHECK(count_characters("\xff\xfe") == 2);
}
