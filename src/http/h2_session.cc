#include "http/h2_session.h"

#include <nghttp2/nghttp2.h>

#include <array>
#include <new>
#include <vector>

#include "http/head_parser.h"

namespace weir::http {

namespace {

/// Entries of one SETTINGS frame; a client that knows every setting of all RFCs sends fewer.
constexpr size_t kMaxSettings = 32;
/// Of an answer, by nghttp2's cautious estimate: what head_parser.h lets an app say, and what is added to it.
constexpr size_t kMaxSentSection = 4 * kMaxResponseHeadBytes;
/// The first type of a frame that no RFC of HTTP/2 itself has (RFC 9113, 6).
constexpr int kFirstUnknownType = 0x0a;
/// Streams are equals: each gets a frame in turn, whatever the client would like (RFC 9218, 10).
constexpr nghttp2_extpri kInTurn{.urgency = NGHTTP2_EXTPRI_DEFAULT_URGENCY, .inc = 1};

void require(int result) {
    if (result == NGHTTP2_ERR_NOMEM) throw std::bad_alloc();
}

uint8_t* bytes_of(std::string_view text) {
    return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));  // nghttp2 does not write through it
}

std::string_view text_of(const uint8_t* bytes, size_t size) {
    return {reinterpret_cast<const char*>(bytes), size};
}

uint8_t flags_of(const H2Line& line) {
    return line.is_unique ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE;
}

/// Of lines that live until the call they are made for is over.
class Lines {
  public:
    explicit Lines(std::span<const H2Line> lines) : size_(lines.size()) {
        nghttp2_nv* out = few_.data();
        if (size_ > few_.size()) {
            many_.resize(size_);
            out = many_.data();
        }
        all_ = out;
        for (const H2Line& line : lines)
            *out++ = {.name = bytes_of(line.name),
                      .value = bytes_of(line.value),
                      .namelen = line.name.size(),
                      .valuelen = line.value.size(),
                      .flags = flags_of(line)};
    }
    Lines(const Lines&) = delete;
    Lines& operator=(const Lines&) = delete;

    [[nodiscard]] const nghttp2_nv* data() const { return all_; }
    [[nodiscard]] size_t size() const { return size_; }

  private:
    size_t size_;
    const nghttp2_nv* all_;
    std::array<nghttp2_nv, 64> few_;
    std::vector<nghttp2_nv> many_;
};

H2Frame kind_of(uint8_t type) {
    switch (type) {
        case NGHTTP2_DATA: return H2Frame::data;
        case NGHTTP2_HEADERS: return H2Frame::headers;
        case NGHTTP2_PRIORITY: return H2Frame::priority;
        case NGHTTP2_RST_STREAM: return H2Frame::rst_stream;
        case NGHTTP2_SETTINGS: return H2Frame::settings;
        case NGHTTP2_PING: return H2Frame::ping;
        case NGHTTP2_WINDOW_UPDATE: return H2Frame::window_update;
        case NGHTTP2_CONTINUATION: return H2Frame::continuation;
        default: return H2Frame::other;
    }
}

struct FreeCallbacks {
    void operator()(nghttp2_session_callbacks* each) const { nghttp2_session_callbacks_del(each); }
};
struct FreeOption {
    void operator()(nghttp2_option* each) const { nghttp2_option_del(each); }
};
using OwnedCallbacks = std::unique_ptr<nghttp2_session_callbacks, FreeCallbacks>;
using OwnedOption = std::unique_ptr<nghttp2_option, FreeOption>;

OwnedOption make_option(const H2Session::Limits& limits) {
    nghttp2_option* made = nullptr;
    require(nghttp2_option_new(&made));
    nghttp2_option_set_no_auto_window_update(made, 1);
    nghttp2_option_set_no_http_messaging(made, 1);
    nghttp2_option_set_no_closed_streams(made, 1);
    nghttp2_option_set_max_outbound_ack(made, limits.answers);
    nghttp2_option_set_max_send_header_block_length(made, kMaxSentSection);
    nghttp2_option_set_max_settings(made, kMaxSettings);
    // Or nghttp2 would drop them untold.
    for (int type = kFirstUnknownType; type <= UINT8_MAX; ++type)
        nghttp2_option_set_user_recv_extension_type(made, static_cast<uint8_t>(type));
    return OwnedOption(made);
}

}  // namespace

/// What nghttp2 calls. `self` is the session; the other half of a stream is its user data.
struct H2Session::Callbacks {
    static H2Session& of(void* self) { return *static_cast<H2Session*>(self); }
    static Stream* stream_of(nghttp2_session* session, int32_t id) {
        return static_cast<Stream*>(nghttp2_session_get_stream_user_data(session, id));
    }

    static int on_begin_frame(nghttp2_session*, const nghttp2_frame_hd* head, void* self) noexcept {
        const H2Frame kind = kind_of(head->type);
        // Whether a DATA frame is empty shows when its padding is known.
        if (kind != H2Frame::data) of(self).connection_.on_frame(kind);
        // RFC 9113, 6.3. Where priorities are not used nghttp2 looks at no PRIORITY frame.
        if (kind == H2Frame::priority && head->stream_id == 0) of(self).end(H2Error::protocol_error);
        return 0;
    }

    static int on_begin_headers(nghttp2_session* session, const nghttp2_frame* frame, void* self) noexcept {
        of(self).connection_.on_section(stream_of(session, frame->hd.stream_id));
        return 0;
    }

    static int on_header(nghttp2_session*, const nghttp2_frame*, const uint8_t* name, size_t name_size,
                         const uint8_t* value, size_t value_size, uint8_t, void* self) noexcept {
        of(self).connection_.on_field(text_of(name, name_size), text_of(value, value_size));
        return 0;
    }

    static int on_frame_recv(nghttp2_session* session, const nghttp2_frame* frame, void* self) noexcept {
        const bool is_end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
        switch (frame->hd.type) {
            case NGHTTP2_DATA: take_data(session, frame->data, is_end, of(self)); break;
            case NGHTTP2_HEADERS: take_head(session, frame->headers, is_end, of(self)); break;
            case NGHTTP2_SETTINGS: of(self).has_begun_ = true; break;
            case NGHTTP2_PING:
                if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) of(self).connection_.on_ping_answered();
                break;
            default: break;
        }
        return 0;
    }

    static void take_data(nghttp2_session* session, const nghttp2_data& data, bool is_end, H2Session& self) {
        const bool is_empty = data.hd.length == data.padlen;
        self.connection_.on_frame(is_empty && !is_end ? H2Frame::empty_data : H2Frame::data);
        Stream* stream = stream_of(session, data.hd.stream_id);
        if (stream != nullptr && is_end) stream->on_end();
    }

    static void take_head(nghttp2_session* session, const nghttp2_headers& head, bool is_end,
                          H2Session& self) {
        const int32_t id = head.hd.stream_id;
        self.connection_.on_section_end();
        if (head.cat != NGHTTP2_HCAT_REQUEST) {
            Stream* stream = stream_of(session, id);
            if (stream != nullptr) stream->on_trailers(is_end);
            return;
        }
        Stream* stream = self.connection_.on_request(id, is_end);
        nghttp2_session_set_stream_user_data(session, id, stream);
    }

    static int on_data_chunk(nghttp2_session* session, uint8_t, int32_t id, const uint8_t* bytes, size_t size,
                             void*) noexcept {
        Stream* stream = stream_of(session, id);
        if (stream != nullptr) {
            stream->on_data(text_of(bytes, size));
        } else {
            nghttp2_session_consume_connection(session, size);
        }
        return 0;
    }

    static int on_invalid_frame(nghttp2_session*, const nghttp2_frame*, int, void* self) noexcept {
        of(self).connection_.on_frame(H2Frame::faulty);
        return 0;
    }

    static int on_stream_close(nghttp2_session* session, int32_t id, uint32_t, void*) noexcept {
        Stream* stream = stream_of(session, id);
        if (stream != nullptr) stream->on_closed();
        return 0;
    }

    /// RFC 9113, 5.5: what nobody knows is ignored.
    static int on_unknown(nghttp2_session*, void**, const nghttp2_frame_hd*, void*) noexcept {
        return NGHTTP2_ERR_CANCEL;
    }

    static int on_frame_send(nghttp2_session* session, const nghttp2_frame* frame, void* self) noexcept {
        // A client that breaks a window has lost count of more than a stream (5.4.2), and SETTINGS that do so
        // to a hundred of them are one cheap frame, for which nghttp2 resets each untold (6.9.2).
        if (frame->hd.type == NGHTTP2_RST_STREAM &&
            frame->rst_stream.error_code == NGHTTP2_FLOW_CONTROL_ERROR)
            of(self).end(H2Error::flow_control_error);
        if (frame->hd.stream_id == 0 || frame->hd.type == NGHTTP2_WINDOW_UPDATE) return 0;
        Stream* stream = stream_of(session, frame->hd.stream_id);
        const H2Frame kind = kind_of(frame->hd.type);
        const bool is_end = kind == H2Frame::rst_stream || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
        if (stream != nullptr) stream->on_frame_sent(kind, is_end);
        return 0;
    }

    /// An answer that nghttp2 cannot send is none.
    static int on_frame_not_send(nghttp2_session* session, const nghttp2_frame* frame, int, void*) noexcept {
        if (frame->hd.type == NGHTTP2_HEADERS)
            nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                      NGHTTP2_INTERNAL_ERROR);
        return 0;
    }

    static ssize_t read_source(nghttp2_session* session, int32_t id, uint8_t*, size_t room, uint32_t* flags,
                               nghttp2_data_source*, void*) noexcept {
        Stream* stream = stream_of(session, id);
        if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        const Supply supply = stream->supply(room);
        *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
        switch (supply.next) {
            case Next::more:
                if (supply.bytes == 0) return NGHTTP2_ERR_DEFERRED;
                break;
            case Next::end: *flags |= NGHTTP2_DATA_FLAG_EOF; break;
            case Next::other: *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM; break;
        }
        return static_cast<ssize_t>(supply.bytes);
    }

    static int send_data(nghttp2_session* session, nghttp2_frame* frame, const uint8_t* head, size_t size,
                         nghttp2_data_source*, void* self) noexcept {
        Output& output = *of(self).output_;
        if (output.is_full()) return NGHTTP2_ERR_WOULDBLOCK;
        Stream* stream = stream_of(session, frame->hd.stream_id);
        if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        output.write(text_of(head, kFrameHead));
        stream->give(size, output);
        return 0;
    }

    static OwnedCallbacks make() {
        nghttp2_session_callbacks* made = nullptr;
        require(nghttp2_session_callbacks_new(&made));
        nghttp2_session_callbacks_set_on_begin_frame_callback(made, on_begin_frame);
        nghttp2_session_callbacks_set_on_begin_headers_callback(made, on_begin_headers);
        nghttp2_session_callbacks_set_on_header_callback(made, on_header);
        nghttp2_session_callbacks_set_on_frame_recv_callback(made, on_frame_recv);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, on_data_chunk);
        nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(made, on_invalid_frame);
        nghttp2_session_callbacks_set_on_stream_close_callback(made, on_stream_close);
        nghttp2_session_callbacks_set_unpack_extension_callback(made, on_unknown);
        nghttp2_session_callbacks_set_on_frame_send_callback(made, on_frame_send);
        nghttp2_session_callbacks_set_on_frame_not_send_callback(made, on_frame_not_send);
        nghttp2_session_callbacks_set_send_data_callback(made, send_data);
        return OwnedCallbacks(made);
    }
};

void H2Session::Free::operator()(nghttp2_session* session) const { nghttp2_session_del(session); }

H2Session::H2Session(Connection& connection, const Limits& limits) : connection_(connection) {
    const OwnedCallbacks callbacks = Callbacks::make();
    const OwnedOption option = make_option(limits);
    nghttp2_session* made = nullptr;
    require(nghttp2_session_server_new2(&made, callbacks.get(), this, option.get()));
    session_.reset(made);
    const std::array<nghttp2_settings_entry, 4> settings{
        {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.streams},
         {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.stream_window},
         {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits.list_bytes},
         {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1}}};
    require(nghttp2_submit_settings(made, NGHTTP2_FLAG_NONE, settings.data(), settings.size()));
    require(nghttp2_session_set_local_window_size(made, NGHTTP2_FLAG_NONE, 0,
                                                  static_cast<int32_t>(limits.connection_window)));
}

H2Session::~H2Session() = default;

H2Session::Received H2Session::receive(std::string_view bytes) {
    const ssize_t taken = nghttp2_session_mem_recv(session_.get(), bytes_of(bytes), bytes.size());
    if (taken >= 0) return Received::fine;
    if (taken == NGHTTP2_ERR_NOMEM) throw std::bad_alloc();
    return taken == NGHTTP2_ERR_BAD_CLIENT_MAGIC ? Received::broken : Received::flooded;
}

void H2Session::produce(Output& output) {
    output_ = &output;
    while (!output.is_full()) {
        const uint8_t* bytes = nullptr;
        const ssize_t size = nghttp2_session_mem_send(session_.get(), &bytes);
        if (size == NGHTTP2_ERR_NOMEM) throw std::bad_alloc();
        if (size <= 0) break;
        output.write(text_of(bytes, static_cast<size_t>(size)));
    }
    output_ = nullptr;
}

bool H2Session::wants_write() const { return nghttp2_session_want_write(session_.get()) != 0; }

bool H2Session::has_ended() const { return !wants_write() && nghttp2_session_want_read(session_.get()) == 0; }

void H2Session::send_interim(StreamId id, std::span<const H2Line> lines) {
    const Lines all(lines);
    require(nghttp2_submit_headers(session_.get(), NGHTTP2_FLAG_NONE, id, nullptr, all.data(), all.size(),
                                   nullptr));
}

void H2Session::send_head(StreamId id, std::span<const H2Line> lines, bool has_body) {
    const Lines all(lines);
    nghttp2_session_change_extpri_stream_priority(session_.get(), id, &kInTurn, 1);
    const nghttp2_data_provider body{.source = {}, .read_callback = &Callbacks::read_source};
    require(nghttp2_submit_response(session_.get(), id, all.data(), all.size(), has_body ? &body : nullptr));
}

void H2Session::send_trailers(StreamId id, std::span<const H2Line> lines) {
    const Lines all(lines);
    require(nghttp2_submit_trailer(session_.get(), id, all.data(), all.size()));
}

void H2Session::resume(StreamId id) { require(nghttp2_session_resume_data(session_.get(), id)); }

void H2Session::reset(StreamId id, H2Error error) {
    require(nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, id, static_cast<uint32_t>(error)));
}

void H2Session::forget(StreamId id) { nghttp2_session_set_stream_user_data(session_.get(), id, nullptr); }

void H2Session::credit_stream(StreamId id, size_t bytes) {
    require(nghttp2_session_consume_stream(session_.get(), id, bytes));
}

void H2Session::credit_connection(size_t bytes) {
    require(nghttp2_session_consume_connection(session_.get(), bytes));
}

void H2Session::announce_end() {
    require(nghttp2_submit_shutdown_notice(session_.get()));
    require(nghttp2_submit_ping(session_.get(), NGHTTP2_FLAG_NONE, nullptr));
}

void H2Session::refuse_streams() {
    require(nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE,
                                  nghttp2_session_get_last_proc_stream_id(session_.get()), NGHTTP2_NO_ERROR,
                                  nullptr, 0));
}

void H2Session::end(H2Error error) {
    require(nghttp2_session_terminate_session(session_.get(), static_cast<uint32_t>(error)));
}

}  // namespace weir::http
