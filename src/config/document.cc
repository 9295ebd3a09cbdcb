#include "config/document.h"

#include <algorithm>
#include <sstream>
#include <unordered_map>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "config/text.h"

namespace weir::config {
namespace {

/// Thrown through yaml-cpp, which has no other way to be stopped; caught in this file.
struct Stop {
    Mistake mistake;
};

/// Turns the line and byte column of yaml-cpp into places, in logarithmic time however long a line is.
class Places {
  public:
    explicit Places(std::string_view text) : size_(text.size()) {
        for (size_t i = 0; i < text.size(); ++i) {
            if (text[i] == '\n') line_starts_.push_back(i + 1);
            if ((static_cast<unsigned char>(text[i]) & 0xc0) == 0x80) continuations_.push_back(i);
        }
    }

    [[nodiscard]] Place at(size_t line, size_t byte_column) const {
        line = std::min(line, line_starts_.size() - 1);
        const size_t start = line_starts_[line];
        const size_t offset = std::min(start + byte_column, size_);
        const auto first = std::lower_bound(continuations_.begin(), continuations_.end(), start);
        const auto last = std::lower_bound(first, continuations_.end(), offset);
        return {line + 1, offset - start - static_cast<size_t>(last - first) + 1, offset};
    }

    [[nodiscard]] Place at_offset(size_t offset) const {
        const auto next = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
        const auto line = static_cast<size_t>(next - line_starts_.begin()) - 1;
        return at(line, offset - line_starts_[line]);
    }

  private:
    size_t size_;
    std::vector<size_t> line_starts_{0};
    std::vector<size_t> continuations_;  ///< offsets of the bytes that begin no character
};

/// Whether a quoted scalar begins here that does not end: yaml-cpp takes the rest of the file for its text.
bool is_open_quote(std::string_view text) {
    const char quote = text.empty() ? '\0' : text.front();
    if (quote != '"' && quote != '\'') return false;
    for (size_t i = 1; i < text.size(); ++i) {
        if (quote == '"' && text[i] == '\\') {
            ++i;
        } else if (text[i] == quote) {
            const bool is_doubled = quote == '\'' && text.substr(i + 1).starts_with(quote);
            if (!is_doubled) return false;
            ++i;
        }
    }
    return true;
}

/// Builds the tree from yaml-cpp's events. Open collections stand on a stack and move into their parent when
/// they end.
class Builder : public YAML::EventHandler {
  public:
    Builder(std::string_view text, const Places& places, Document& document)
        : text_(text), places_(places), document_(document) {}

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (++documents_ == 1) return;
        const Place place = place_of(mark);
        if (text_.substr(place.offset).starts_with("---")) {
            stop(place, "a second document begins here", "a file holds one document: remove the `---`");
        }
        stop(place, "this belongs to nothing above it",
             "check the indentation, and the colon behind the key");
    }
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        Node node = begin(Kind::nothing, mark, {}, anchor);
        if (refuse_as_key(node.place)) return;
        add(std::move(node));
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        Node node = begin(Kind::broken, mark, {}, 0);
        report(node.place, "aliases are not supported",
               "write the value out, or quote a value that begins with `*`");
        if (refuse_as_key(node.place)) return;
        add(std::move(node));
    }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        Node node = begin(Kind::scalar, mark, tag, anchor);
        if (is_open_quote(text_.substr(node.place.offset))) {
            stop(node.place, "this quote is never closed", {});
        }
        if (expects_key()) return add_key(node.place, value);
        node.plain = tag == "?";
        node.verbatim_from = find_verbatim(node, value);
        node.text = value;
        add(std::move(node));
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(begin(Kind::list, mark, tag, anchor));
    }
    void OnSequenceEnd() override { close(); }

    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(begin(Kind::map, mark, tag, anchor));
    }
    void OnMapEnd() override { close(); }

  private:
    struct Frame {
        Node node;
        bool key_is_next = true;     ///< of a map
        bool stands_as_key = false;  ///< this collection is, wrongly, a key of the map around it
        std::unordered_map<std::string, Place> keys;
    };

    [[nodiscard]] Place place_of(const YAML::Mark& mark) const {
        return places_.at(static_cast<size_t>(std::max(mark.line, 0)),
                          static_cast<size_t>(std::max(mark.column, 0)));
    }

    void report(const Place& place, std::string message, std::string hint) {
        document_.mistakes.push_back({place, std::move(message), std::move(hint)});
    }

    [[noreturn]] static void stop(const Place& place, std::string message, std::string hint) {
        throw Stop{{place, std::move(message), std::move(hint)}};
    }

    Node begin(Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
        Node node;
        node.kind = kind;
        node.place = place_of(mark);
        if (anchor != 0) report(node.place, "anchors are not supported", "remove the `&name`");
        // yaml-cpp gives "!" to quoted scalars, and to what is tagged so.
        const bool is_tagged =
            tag == "!" ? text_.substr(node.place.offset).starts_with('!') : !tag.empty() && tag != "?";
        if (is_tagged) {
            report(node.place, "tags are not supported", "remove the word that begins with `!`");
        }
        return node;
    }

    [[nodiscard]] bool expects_key() const {
        return !open_.empty() && open_.back().node.kind == Kind::map && open_.back().key_is_next;
    }

    /// A key that is no scalar is reported; its value is still read.
    bool refuse_as_key(const Place& place) {
        if (!expects_key()) return false;
        report(place, "a key must be a plain word", "write `key: value`");
        open_.back().node.entries.push_back({"", place, {}});
        open_.back().key_is_next = false;
        return true;
    }

    void add_key(const Place& place, const std::string& key) {
        Frame& map = open_.back();
        if (key.empty()) {
            static_cast<void>(refuse_as_key(place));
            return;
        }
        const auto [first, is_new] = map.keys.try_emplace(key, place);
        if (!is_new) {
            report(place, fmt::format("{} is given twice", quoted(path_of(key))),
                   fmt::format("the first one is on line {}, column {}", first->second.line,
                               first->second.column));
        }
        map.node.entries.push_back({key, place, {}});
        map.key_is_next = false;
    }

    /// With the keys around it: "limits.body".
    [[nodiscard]] std::string path_of(const std::string& key) const {
        std::string path;
        for (const Frame& frame : open_) {
            const bool is_inner_map = &frame != &open_.back() && frame.node.kind == Kind::map;
            if (is_inner_map && !frame.node.entries.empty()) path += frame.node.entries.back().key + ".";
        }
        return path + key;
    }

    void add(Node node) {
        if (open_.empty()) {
            document_.root = std::move(node);
            return;
        }
        Frame& parent = open_.back();
        if (parent.node.kind == Kind::list) {
            parent.node.items.push_back(std::move(node));
            return;
        }
        Entry& entry = parent.node.entries.back();
        entry.value = std::move(node);
        parent.key_is_next = true;
        if (entry.key.empty()) parent.node.entries.pop_back();
    }

    void open(Node node) {
        if (open_.size() == kMaxDepth) {
            stop(node.place, fmt::format("nested deeper than {} levels", kMaxDepth), {});
        }
        const bool as_key = refuse_as_key(node.place);
        open_.push_back({std::move(node), true, as_key, {}});
    }

    void close() {
        Frame frame = std::move(open_.back());
        open_.pop_back();
        if (!frame.stands_as_key) add(std::move(frame.node));
    }

    [[nodiscard]] size_t find_verbatim(const Node& node, const std::string& value) const {
        const std::string_view source = text_.substr(node.place.offset);
        const size_t start = node.plain ? 0 : 1;
        const bool stands = source.size() >= start && source.substr(start).starts_with(value);
        return stands ? start : std::string::npos;
    }

    std::string_view text_;
    const Places& places_;
    Document& document_;
    std::vector<Frame> open_;
    int documents_ = 0;
};

/// Controls, and the marks that show text in another order than it is read in.
bool is_forbidden(char32_t code) {
    const auto within = [code](char32_t low, char32_t high) { return code >= low && code <= high; };
    return (code < 0x20 && code != '\t' && code != '\n') || within(0x7f, 0x9f) || within(0x202a, 0x202e) ||
           within(0x2066, 0x2069) || code == 0xfeff;
}

Mistake bad_character(std::string_view text, const Place& place, Character character) {
    const std::string_view bytes = text.substr(place.offset, character.bytes);
    if (!character.valid) {
        return {place, fmt::format("byte {} is not UTF-8", quoted(bytes)), "save the file as UTF-8"};
    }
    return {place, fmt::format("the control character {} is not allowed", quoted(bytes)),
            bytes == "\r" ? "end lines with LF or CRLF" : "remove it"};
}

/// Where a tab stands among the blanks that begin the line from `start` on.
size_t find_indenting_tab(std::string_view text, size_t start) {
    const size_t content = text.find_first_not_of(" \t", start);
    const size_t tab = text.find('\t', start);
    return tab < content ? tab : std::string_view::npos;
}

/// What YAML would let pass or report far from its cause: reported here, all of them, and YAML is not tried
/// then.
void find_bad_characters(std::string_view text, const Places& places, std::vector<Mistake>& mistakes) {
    constexpr size_t kEnough = 1'000;
    for (size_t i = 0; i < text.size() && mistakes.size() < kEnough;) {
        const bool starts_line = i == 0 || text[i - 1] == '\n';
        const size_t tab = starts_line ? find_indenting_tab(text, i) : std::string_view::npos;
        if (tab != std::string_view::npos) {
            mistakes.push_back(
                {places.at_offset(tab), "a tab indents this line", "YAML is indented with blanks"});
        }
        const Character character = first_character(text.substr(i));
        if (!character.valid || is_forbidden(character.code)) {
            mistakes.push_back(bad_character(text, places.at_offset(i), character));
            if (!character.valid) return;
        }
        i += character.bytes;
    }
}

std::string syntax_hint(std::string_view text, const Place& place, const std::string& message) {
    const size_t start = place.offset == 0 ? 0 : text.rfind('\n', place.offset - 1) + 1;
    const std::string_view line = text.substr(start, std::min(text.find('\n', start), text.size()) - start);
    if (line.find("${") != std::string_view::npos && line.find_first_of("[{") != line.find("${") + 1) {
        return "a value with `${NAME}` must be quoted inside `{}` or `[]`";
    }
    if (line.find("[::") != std::string_view::npos || line.find("]:") != std::string_view::npos) {
        return "an address with `[` must be quoted: \"[::1]:8080\"";
    }
    if (place.offset < text.size() &&
        std::string_view("@`%").find(text[place.offset]) != std::string_view::npos) {
        return "a value that begins with this character must be quoted";
    }
    if (message == YAML::ErrorMsg::END_OF_MAP || message == YAML::ErrorMsg::END_OF_SEQ) {
        return "check the indentation: what belongs together begins in the same column";
    }
    if (message == YAML::ErrorMsg::END_OF_MAP_FLOW) return "a `{` above is never closed";
    if (message == YAML::ErrorMsg::END_OF_SEQ_FLOW) return "a `[` above is never closed";
    if (message == YAML::ErrorMsg::FLOW_END) return "this closes what was not opened";
    if (message == YAML::ErrorMsg::MAP_VALUE) {
        return "check the indentation and the blank behind each colon; quote a value that holds `: `";
    }
    return {};
}

/// Mistakes on the line that could not be read are of yaml-cpp's guesses about it, not of the operator.
void keep_earlier(std::vector<Mistake>& mistakes, Mistake fatal) {
    const auto is_guess = [&](const Mistake& mistake) { return mistake.place.line >= fatal.place.line; };
    mistakes.erase(std::remove_if(mistakes.begin(), mistakes.end(), is_guess), mistakes.end());
    mistakes.push_back(std::move(fatal));
}

Mistake syntax_mistake(std::string_view text, const Places& places, const YAML::Exception& error) {
    const YAML::Mark mark = error.mark.is_null() ? YAML::Mark() : error.mark;
    const Place place =
        places.at(static_cast<size_t>(std::max(mark.line, 0)), static_cast<size_t>(std::max(mark.column, 0)));
    if (error.msg.starts_with(YAML::ErrorMsg::UNKNOWN_ANCHOR)) {
        return {place, "aliases are not supported",
                "write the value out, or quote a value that begins with `*`"};
    }
    return {place, "not valid YAML: " + error.msg, syntax_hint(text, place, error.msg)};
}

void read(std::string_view text, const Places& places, Document& document) {
    Builder builder(text, places, document);
    try {
        std::istringstream stream{std::string(text)};
        YAML::Parser parser(stream);
        while (parser.HandleNextDocument(builder)) {
        }
    } catch (const Stop& stop) {
        keep_earlier(document.mistakes, stop.mistake);
        document.complete = false;
    } catch (const YAML::Exception& error) {
        keep_earlier(document.mistakes, syntax_mistake(text, places, error));
        document.complete = false;
    }
}

/// Most values: a number with its unit, a word, a path. Anything else is tried.
bool is_plainly_plain(std::string_view text) {
    const auto is_harmless = [](char c) {
        return is_letter(c) || is_digit(c) || c == '_' || c == '/' || c == '.';
    };
    const bool may_be_null = text.size() == 4 && (text.front() == 'n' || text.front() == 'N');
    return !text.empty() && !may_be_null && text.front() != '.' &&
           std::all_of(text.begin(), text.end(), is_harmless);
}

bool reads_back_plain(std::string_view text, std::string_view wrapped) {
    const Document document = parse_document(fmt::format(fmt::runtime(wrapped), text));
    if (!document.mistakes.empty() || document.root.kind != Kind::list || document.root.items.size() != 2)
        return false;
    const Node& node = document.root.items.front();
    return node.kind == Kind::scalar && node.plain && node.text == text &&
           document.root.items.back().text == "x";
}

std::string yaml_quoted(std::string_view text) {
    std::string quoted_text = "\"";
    while (!text.empty()) {
        const Character character = first_character(text);
        if (character.valid && is_unprintable(character.code)) {
            quoted_text += fmt::format("\\U{:08x}", static_cast<uint32_t>(character.code));
        } else if (text.front() == '"' || text.front() == '\\') {
            quoted_text += {'\\', text.front()};
        } else {
            quoted_text += text.substr(0, character.bytes);
        }
        text.remove_prefix(character.bytes);
    }
    return quoted_text + '"';
}

}  // namespace

std::string normalised(std::string_view text) {
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    std::string result;
    result.reserve(text.size());
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
        result.push_back(text[i]);
    }
    return result;
}

Document parse_document(std::string_view normalised_text) {
    const Places places(normalised_text);
    Document document;
    find_bad_characters(normalised_text, places, document.mistakes);
    if (document.mistakes.empty()) {
        read(normalised_text, places, document);
    } else {
        document.complete = false;
    }
    if (document.root.kind == Kind::nothing) {
        document.root.kind = Kind::map;
        document.root.place = {1, 1, 0};
    }
    return document;
}

std::string yaml_scalar(std::string_view text) {
    if (is_plainly_plain(text)) return std::string(text);
    const bool one_line = text.find('\n') == std::string_view::npos;
    if (one_line && !text.empty() && reads_back_plain(text, "- {}\n- x\n") &&
        reads_back_plain(text, "[{}, x]\n")) {
        return std::string(text);
    }
    return yaml_quoted(text);
}

std::string yaml_key(std::string_view text) {
    return is_plainly_plain(text) ? std::string(text) : yaml_quoted(text);
}

}  // namespace weir::config
