// The server's side of one HTTP/2 connection (RFC 9113), on nghttp2: bytes in, requests out, and back. Knows
// no socket and no clock. nghttp2 does frames, HPACK, stream states and windows; what a request may say is
// checked by h2_fields.h, so nghttp2's own checks of messages are off.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

extern "C" {
struct nghttp2_session;
}

namespace weir::http {

enum class H2Error : uint32_t {
    no_error = 0,
    protocol_error = 1,
    internal_error = 2,
    flow_control_error = 3,
    refused_stream = 7,
    enhance_your_calm = 11,
};

/// What came from the client, as far as anybody counts it.
enum class H2Frame : uint8_t {
    data,
    empty_data,  ///< without payload, and not the end of anything
    headers,
    continuation,
    priority,
    rst_stream,
    settings,
    ping,
    window_update,
    other,
    faulty,  ///< for which the stream was reset, or refused
};

/// A name and a value, as views. The name may have upper-case letters: they are lowered.
struct H2Line {
    std::string_view name;
    std::string_view value;
    bool is_unique =
        false;  ///< no other answer has this value: it is not to crowd out of HPACK's table what recurs
};

/// The session's memory (the decoder's and the encoder's table of 4 KiB each, and a frame's) belongs to it
/// alone; it copies what is submitted. Thread: one. No callback may call receive() or produce(); every other
/// call is allowed in them.
class H2Session {
  public:
    using StreamId = int32_t;

    /// How a stream goes on behind the bytes that supply() offers.
    enum class Next : uint8_t {
        more,  ///< none of it is known: where no bytes are offered either, the stream sleeps until resume()
        end,   ///< END_STREAM
        other  ///< nothing, and END_STREAM neither: trailers or a reset were submitted
    };
    struct Supply {
        size_t bytes;
        Next next;
    };
    class Output;

    /// One stream's other half. Outlives its stream, or calls forget() before it goes.
    class Stream {
      public:
        virtual void on_data(std::string_view payload) = 0;
        virtual void on_end() = 0;
        /// Trailers end the request: their fields were given to Connection::on_field.
        virtual void on_trailers(bool is_end) = 0;
        /// Both sides are done, or one of them has reset it. Nothing follows.
        virtual void on_closed() = 0;
        /// At most `room` bytes of the body can go out.
        virtual Supply supply(size_t room) = 0;
        /// Write exactly `bytes`, which supply() offered.
        virtual void give(size_t bytes, Output& output) = 0;
        /// A frame of it was produced. One of DATA has been written, any other is written next. `is_end`: it
        /// is the last one, with END_STREAM or as a reset.
        virtual void on_frame_sent(H2Frame kind, bool is_end) = 0;

      protected:
        ~Stream() = default;
    };

    class Connection {
      public:
        /// Each frame that came, before anything is done for it.
        virtual void on_frame(H2Frame) = 0;
        /// A field section begins (of `stream`, or of a new one where that is null); its fields follow, in
        /// one receive() or several.
        virtual void on_section(Stream* stream) = 0;
        virtual void on_section_end() = 0;
        virtual void on_field(std::string_view name, std::string_view value) = 0;
        /// The section of a new stream is whole. Returns its other half, or null where it was reset.
        virtual Stream* on_request(StreamId id, bool is_end) = 0;
        virtual void on_ping_answered() = 0;

      protected:
        ~Connection() = default;
    };

    /// Where frames are written to.
    class Output {
      public:
        virtual void write(std::string_view bytes) = 0;
        /// No whole frame fits any more.
        [[nodiscard]] virtual bool is_full() const = 0;

      protected:
        ~Output() = default;
    };

    struct Limits {
        uint32_t streams = 100;              ///< at once
        uint32_t stream_window = 65535;      ///< bytes
        uint32_t connection_window = 65535;  ///< bytes, at least 65535
        uint32_t list_bytes = 16384;         ///< SETTINGS_MAX_HEADER_LIST_SIZE, advice only
        size_t answers = 200;                ///< to PING and SETTINGS that wait for the client to read
    };
    /// Of a frame's payload, as the protocol has it by default.
    static constexpr size_t kMaxFrame = 16384;
    static constexpr size_t kFrameHead = 9;

    H2Session(Connection& connection, const Limits& limits);
    ~H2Session();
    H2Session(const H2Session&) = delete;
    H2Session& operator=(const H2Session&) = delete;

    /// What begins a connection by prior knowledge (RFC 9113, 3.4), as far as it looks like a request.
    static constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\n";

    enum class Received : uint8_t {
        fine,     ///< though the client may have broken the protocol: then has_ended() will be true
        flooded,  ///< the client makes the session answer and does not read what it says
        broken,   ///< this is no HTTP/2
    };
    [[nodiscard]] Received receive(std::string_view bytes);
    /// Writes frames until there are none, or `output` is full.
    void produce(Output& output);
    [[nodiscard]] bool wants_write() const;
    /// The last GOAWAY is out: nothing that comes or goes matters any more.
    [[nodiscard]] bool has_ended() const;
    /// The client has sent its preface and settings.
    [[nodiscard]] bool has_begun() const { return has_begun_; }

    // ---- of one stream
    void send_interim(StreamId, std::span<const H2Line> lines);
    /// `has_body`: Stream::supply will be asked; else this is all.
    void send_head(StreamId, std::span<const H2Line> lines, bool has_body);
    /// Only within supply().
    void send_trailers(StreamId, std::span<const H2Line> lines);
    /// supply() has something to offer now.
    void resume(StreamId);
    void reset(StreamId, H2Error);
    /// The stream's other half goes: it will not be called any more.
    void forget(StreamId);
    /// So many bytes of its payload were taken out of the way: the client may send as many again.
    void credit_stream(StreamId, size_t bytes);

    // ---- of the connection
    void credit_connection(size_t bytes);
    /// Tells the client to open no more streams, and asks for a sign that it has heard: on_ping_answered.
    void announce_end();
    /// Streams that are not known yet are ignored from now on; the others go on.
    void refuse_streams();
    /// Ends it all, with a last GOAWAY.
    void end(H2Error);

  private:
    struct Callbacks;
    struct Free {
        void operator()(nghttp2_session* session) const;
    };

    Connection& connection_;
    Output* output_ = nullptr;  ///< while produce() runs
    bool has_begun_ = false;
    std::unique_ptr<nghttp2_session, Free> session_;
};

}  // namespace weir::http
