#include "http/body_reader.h"

#include <algorithm>

namespace weir::http {

ChunkDecoder::Step BodyReader::next(std::string_view input) {
    ChunkDecoder::Step step;
    switch (body_.framing) {
        case Framing::none: break;
        case Framing::length:
            step.consumed = static_cast<size_t>(std::min<uint64_t>(left_, input.size()));
            step.payload = input.substr(0, step.consumed);
            left_ -= step.consumed;
            break;
        case Framing::chunked: step = chunks_.next(input); break;
        case Framing::until_close:
            if (!closed_) step = {input.size(), input};
            break;
    }
    payload_ += step.payload.size();
    return step;
}

bool BodyReader::close() {
    closed_ = true;
    return done();
}

bool BodyReader::done() const {
    switch (body_.framing) {
        case Framing::none: return true;
        case Framing::length: return left_ == 0;
        case Framing::chunked: return chunks_.done();
        case Framing::until_close: return closed_;
    }
    return true;
}

}  // namespace weir::http
