#include "http/escape.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "random_source.h"

using namespace weir::http;

namespace {

std::string escaped(Escaping how, std::string_view text) {
    std::string written(escaped_bound(text), '\0');
    Out out(written.data());
    write_escaped(how, text, out);
    REQUIRE(out.size() <= written.size());
    written.resize(out.size());
    return written;
}

bool is_utf8(const std::string& text) {
    try {
        return !nlohmann::json(text).dump().empty();
    } catch (const nlohmann::json::exception&) {
        return false;
    }
}

std::string random_bytes(RandomSource& random) {
    // Half of the bytes are those that can begin or go on with a character, so that whole ones come about.
    std::string text(random.below(40), ' ');
    for (char& c : text)
        c = random.one_in(2) ? random.one_of("\x80\xBF\xC2\xE0\xED\xEF\xF0\xF4\x9F\xA0\xBE") : random.byte();
    return text;
}

}  // namespace

TEST_CASE("the media type decides the escaping, not its parameters or its case") {
    CHECK(escaping_for("application/json") == Escaping::json);
    CHECK(escaping_for("Application/Problem+JSON; charset=utf-8") == Escaping::json);
    CHECK(escaping_for("text/html; charset=utf-8") == Escaping::markup);
    CHECK(escaping_for(" text/HTML ;x=y") == Escaping::markup);
    CHECK(escaping_for("application/xml") == Escaping::markup);
    CHECK(escaping_for("text/xml") == Escaping::markup);
    CHECK(escaping_for("application/xhtml+xml") == Escaping::markup);
    CHECK(escaping_for("text/plain; charset=utf-8; a=/json") == Escaping::plain);
    CHECK(escaping_for("text/jsonp") == Escaping::plain);
}

TEST_CASE("a content type that says nothing is taken for markup") {
    CHECK(escaping_for("") == Escaping::markup);
    CHECK(escaping_for("; charset=utf-8") == Escaping::markup);
    CHECK(escaping_for("json") == Escaping::markup);
}

TEST_CASE("JSON strings keep their ends") {
    CHECK(escaped(Escaping::json, "plain /'<&>") == "plain /'<&>");
    CHECK(escaped(Escaping::json, "a\"b\\c") == "a\\\"b\\\\c");
    CHECK(escaped(Escaping::json, "\uFFFE\uFFFF") == "\uFFFE\uFFFF");
    CHECK(escaped(Escaping::json, "\n\r\t") == "\\n\\r\\t");
    CHECK(escaped(Escaping::json, std::string_view("\0\x1f\x7f", 3)) == "\\u0000\\u001f\\u007f");
}

TEST_CASE("markup stays text between tags and inside attributes") {
    CHECK(escaped(Escaping::markup, "<b a='1' c=\"2\">&amp;") ==
          "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;amp;");
    CHECK(escaped(Escaping::markup, "a\tb\r\n\x01\x7f") == "a\tb\r\n\uFFFD\uFFFD");
    CHECK(escaped(Escaping::markup, "\uFFFD\uFFFE\uFFFF") == "\uFFFD\uFFFD\uFFFD");
}

TEST_CASE("plain text loses its control bytes and nothing else") {
    CHECK(escaped(Escaping::plain, std::string_view("a\0\r\n\tb\x7f\x1f <\"\xE9\xC3\xA9>", 15)) ==
          "ab <\"\xE9\xC3\xA9>");
}

TEST_CASE("a byte is escaped alike wherever it stands") {
    for (const Escaping how : {Escaping::json, Escaping::markup, Escaping::plain}) {
        for (int c = 0; c < 256; ++c) {
            const std::string byte(1, static_cast<char>(c));
            const std::string alone = escaped(how, byte);
            for (size_t at = 0; at < 50; ++at) {
                const std::string before(at, 'x');
                const std::string behind(50 - at, 'y');
                REQUIRE(escaped(how, before + byte + behind) == before + alone + behind);
            }
        }
    }
}

TEST_CASE("characters of UTF-8 pass as they are, and what is none becomes U+FFFD") {
    for (const Escaping how : {Escaping::json, Escaping::markup}) {
        CAPTURE(static_cast<int>(how));
        const std::string sound = "\u0080\u00e9\u07ff\u0800\ud7ff\ue000\U00010000\U0010ffff";
        CHECK(escaped(how, sound) == sound);
        CHECK(escaped(how, "\x80") == "\uFFFD");
        CHECK(escaped(how, "\xC0\x80") == "\uFFFD\uFFFD");
        CHECK(escaped(how, "\xC1\xBF") == "\uFFFD\uFFFD");
        CHECK(escaped(how, "\xE0\x9F\xBF") == "\uFFFD\uFFFD\uFFFD");
        CHECK(escaped(how, "\xED\xA0\x80") == "\uFFFD\uFFFD\uFFFD");
        CHECK(escaped(how, "\xF0\x8F\xBF\xBF") == "\uFFFD\uFFFD\uFFFD\uFFFD");
        CHECK(escaped(how, "\xF4\x90\x80\x80") == "\uFFFD\uFFFD\uFFFD\uFFFD");
        CHECK(escaped(how, "\xF5") == "\uFFFD");
        CHECK(escaped(how, "\xE2\x82") == "\uFFFD\uFFFD");
        CHECK(escaped(how, "\xC3(") == "\uFFFD(");
    }
}

TEST_CASE(
    "whatever bytes come, JSON reads back the same text, and it is the one with U+FFFD for what is no "
    "UTF-8") {
    RandomSource random;
    INFO("seed: " << random.seed());
    for (int round = 0; round < 20000; ++round) {
        const std::string bytes = random_bytes(random);
        const std::string json = "\"" + escaped(Escaping::json, bytes) + "\"";
        REQUIRE(nlohmann::json::accept(json));
        const std::string read = nlohmann::json::parse(json);
        REQUIRE(is_utf8(read));
        if (is_utf8(bytes)) REQUIRE(read == bytes);
    }
}

TEST_CASE("whatever bytes come, no markup and no control character comes out") {
    RandomSource random;
    INFO("seed: " << random.seed());
    for (int round = 0; round < 20000; ++round) {
        const std::string out = escaped(Escaping::markup, random_bytes(random));
        REQUIRE(is_utf8(out));
        for (const char c : out) {
            REQUIRE(std::string_view("<>\"'").find(c) == std::string_view::npos);
            const bool is_control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
            REQUIRE((!is_control || c == '\n' || c == '\r' || c == '\t'));
        }
    }
}
