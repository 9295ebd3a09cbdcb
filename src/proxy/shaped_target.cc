#include "proxy/shaped_target.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <vector>

#include "http/char_class.h"
#include "http/target.h"
#include "policy/parameter.h"
#include "policy/path_match.h"

namespace weir::proxy {
namespace {

using config::Param;
using policy::Misfit;
using Outcome = policy::ParameterVerdict::Outcome;

/// A piece of a target without its percent-encoding; a copy is made only where there is any.
class Decoded {
  public:
    Decoded(std::string_view raw, bool plus_is_space) : raw_(raw) {
        if (raw.find_first_of(plus_is_space ? "%+" : "%") == std::string_view::npos) return;
        decoded_ = http::percent_decode(raw, plus_is_space);
        is_sound_ = decoded_.has_value();
    }
    [[nodiscard]] bool is_sound() const { return is_sound_; }
    [[nodiscard]] std::string_view text() const { return decoded_ ? std::string_view(*decoded_) : raw_; }

  private:
    std::string_view raw_;
    std::optional<std::string> decoded_;
    bool is_sound_ = true;
};

std::string percent_encoded(std::string_view text) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string encoded;
    for (const char c : text) {
        if (http::is(c, http::kUnreserved)) {
            encoded += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        encoded += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
    return encoded;
}

const Param* find_rule(const std::vector<Param>& rules, std::string_view name) {
    const auto found =
        std::find_if(rules.begin(), rules.end(), [&](const Param& rule) { return rule.name == name; });
    return found == rules.end() ? nullptr : &*found;
}

/// Where the nth segment of the normal form stands in the path that came.
std::string_view original_segment(std::string_view path, size_t nth) {
    std::vector<std::string_view> kept;
    policy::SegmentWalk walk(path);
    while (const auto segment = walk.next()) {
        const Decoded decoded(*segment, false);
        if (decoded.text() == ".." && !kept.empty()) kept.pop_back();
        if (!decoded.text().empty() && decoded.text() != "." && decoded.text() != "..") {
            kept.push_back(*segment);
        }
    }
    assert(nth < kept.size());
    return kept[nth];
}

/// One `name=value`, still encoded, as some reader splits it off.
struct Reading {
    std::string_view name;
    std::string_view value;
};

/// Takes what stands in front of the first ";" off the front of `text`.
Reading take_reading(std::string_view& text) {
    const std::string_view piece = text.substr(0, text.find(';'));
    text.remove_prefix(std::min(piece.size() + 1, text.size()));
    const size_t equals = std::min(piece.find('='), piece.size());
    return {piece.substr(0, equals), piece.substr(std::min(equals + 1, piece.size()))};
}

std::string_view whole_of(const http::QueryParameter& piece) {
    return {piece.name.data(), piece.name.size() + (piece.has_equals ? 1 + piece.value.size() : 0)};
}

class TargetShaper {
  public:
    TargetShaper(const policy::RouteMatch& match, std::string_view target)
        : match_(match), params_(match.route->params), target_(target), query_at_(target.find('?')) {}

    ShapedTarget shape(std::string_view normal_path) {
        const bool fits = shape_path(normal_path) && shape_query();
        if (!fits) return fail(std::move(misfit_));
        if (edits_.empty() && added_.empty()) return std::optional<std::string>();
        return std::optional(rewritten());
    }

  private:
    /// `text` goes to the place of `original`, which is part of the target.
    struct Edit {
        std::string_view original;
        std::string text;
    };
    enum class Spelling : uint8_t {
        plain,     ///< every app reads it so
        disputed,  ///< some do
    };

    bool refuse(Misfit::Kind kind, std::string detail) {
        misfit_ = {kind, std::move(detail)};
        return false;
    }

    /// `encoded` is a part of the target.
    bool judge(const Param& rule, std::string_view encoded, Spelling spelling) {
        const Decoded value(encoded, true);
        if (!value.is_sound()) {
            return refuse(Misfit::Kind::parameter, rule.name + " has a malformed escape");
        }
        policy::ParameterVerdict verdict = policy::judge(rule, value.text());
        switch (verdict.outcome) {
            case Outcome::fits: return true;
            case Outcome::refused: return refuse(Misfit::Kind::parameter, std::move(verdict.text));
            case Outcome::clamped: break;
        }
        if (spelling == Spelling::disputed) {
            return refuse(Misfit::Kind::unclear, rule.name + " is given in a way that apps read differently");
        }
        edits_.push_back({encoded, std::move(verdict.text)});
        return true;
    }

    bool shape_path(std::string_view normal_path) {
        if (match_.pattern == nullptr || params_.path.empty()) return true;
        policy::PathParameterWalk walk(*match_.pattern, normal_path);
        while (const auto parameter = walk.next()) {
            const Param* const rule = find_rule(params_.path, parameter->name);
            if (rule == nullptr) continue;
            const Decoded value(parameter->value, false);
            policy::ParameterVerdict verdict = policy::judge(*rule, value.text());
            if (verdict.outcome == Outcome::refused) {
                return refuse(Misfit::Kind::parameter, std::move(verdict.text));
            }
            if (verdict.outcome == Outcome::clamped) {
                edits_.push_back({original_segment(path(), parameter->segment), std::move(verdict.text)});
            }
        }
        return true;
    }

    bool shape_query() {
        const std::vector<Param>& rules = params_.query;
        if (rules.empty()) return true;
        given_.resize(rules.size());
        http::QueryWalk walk(query());
        while (const auto piece = walk.next()) {
            if (!shape_piece(*piece)) return false;
        }
        for (size_t i = 0; i < rules.size(); ++i) {
            if (given_[i]) continue;
            if (rules[i].required) return refuse(Misfit::Kind::parameter, policy::say_required(rules[i]));
            if (rules[i].fallback) append(rules[i]);
        }
        return true;
    }

    bool shape_piece(const http::QueryParameter& piece) {
        const Decoded name(piece.name, true);
        if (!name.is_sound()) {
            return refuse(Misfit::Kind::unclear, "the name of a query parameter has a malformed escape");
        }
        std::string_view rest = whole_of(piece);
        if (const Param* const rule = find_rule(params_.query, name.text())) {
            given_[static_cast<size_t>(rule - params_.query.data())] = true;
            if (!judge(*rule, piece.value, Spelling::plain)) return false;
            take_reading(rest);
        } else if (rest.find(';') == std::string_view::npos &&
                   name.text().find('[') == std::string_view::npos) {
            return true;
        }
        while (!rest.empty()) {
            if (!check_reading(take_reading(rest))) return false;
        }
        return true;
    }

    /// Of a name that is in no rule as it stands, or behind a ";".
    bool check_reading(const Reading& reading) {
        const Decoded name(reading.name, true);
        const Param* rule = find_rule(params_.query, name.text());
        if (rule == nullptr && name.text().find('[') != std::string_view::npos) {
            rule = find_rule(params_.query, name.text().substr(0, name.text().find('[')));
        }
        return rule == nullptr || judge(*rule, reading.value, Spelling::disputed);
    }

    /// Puts what is missing behind all the rest.
    void append(const Param& rule) {
        if (added_.empty() && query_at_ == std::string_view::npos) {
            added_ += '?';
        } else if (!added_.empty() || !query().empty()) {
            added_ += '&';
        }
        added_ += percent_encoded(rule.name) + '=' + percent_encoded(*rule.fallback);
    }

    [[nodiscard]] std::string rewritten() const {
        std::string out;
        size_t copied = 0;
        for (const Edit& edit : edits_) {
            const auto at = static_cast<size_t>(edit.original.data() - target_.data());
            out.append(target_.substr(copied, at - copied)).append(edit.text);
            copied = at + edit.original.size();
        }
        return out.append(target_.substr(copied)).append(added_);
    }

    [[nodiscard]] std::string_view path() const { return target_.substr(0, query_at_); }
    [[nodiscard]] std::string_view query() const {
        return query_at_ == std::string_view::npos ? std::string_view() : target_.substr(query_at_ + 1);
    }

    const policy::RouteMatch& match_;
    const config::Params& params_;
    std::string_view target_;
    size_t query_at_;          ///< of the "?"; npos: none
    std::vector<Edit> edits_;  ///< in the order of the target
    std::string added_;
    std::vector<bool> given_;  ///< one for each rule of the query
    Misfit misfit_;
};

}  // namespace

ShapedTarget shape_target(const policy::RouteMatch& match, std::string_view normal_path,
                          std::string_view target) {
    return TargetShaper(match, target).shape(normal_path);
}

}  // namespace weir::proxy
