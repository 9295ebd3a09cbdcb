"""A real browser and an app of its kind, over TLS: HTTP/2 where it is agreed on, HTTP/1.1 for WebSockets."""

import signal

import pytest

from harness.browser import Browser
from harness.client import Client
from harness.metrics import scrape
from harness.poll import eventually
from harness.process import listening_ports

BODY_BYTES = 1_500_000
PROTOCOLS = "performance.getEntriesByType('%s').map(entry => entry.nextHopProtocol)"
# A promise of what a digest is, in the letters of the app.
HEX = "[...new Uint8Array(await crypto.subtle.digest('SHA-256', body))].map(byte => byte.toString(16).padStart(2, '0')).join('')"


@pytest.fixture
def browser(tmp_path):
    browser = Browser(tmp_path)
    yield browser
    browser.close()


@pytest.fixture
def site(weir, app, authority):
    """site(...) starts a proxy over TLS, whose page can be opened at `page(proxy)`."""

    def start(listen=None, **settings):
        address = {"address": "127.0.0.1:PORT", "tls": authority.files("IP:127.0.0.1"), **(listen or {})}
        return weir(start.app, listen=[address], admin="127.0.0.1:0", **settings)

    start.app = app("node", script="node_page.js")
    return start


def page(proxy):
    return "https://127.0.0.1:%d" % proxy.address[1]


def opened(browser, proxy):
    browser.open(page(proxy) + "/", trusting=True)
    assert browser.text("p") == "served"
    return browser


def handshakes(proxy):
    return scrape(proxy).total("weir_tls_handshakes_total")


def test_a_page_is_loaded_over_http2(browser, site):
    proxy = site()
    opened(browser, proxy)
    assert browser.evaluate(PROTOCOLS % "navigation") == ["h2"]
    (line,) = proxy.log_lines(1)
    assert (line["protocol"], line["tls"], line["status"]) == ("HTTP/2", "TLSv1.3", 200)


def test_where_http2_is_turned_off_the_page_is_loaded_all_the_same(browser, site):
    opened(browser, site(listen={"http2": False}))
    assert browser.evaluate(PROTOCOLS % "navigation") == ["http/1.1"]


def test_large_bodies_and_many_requests_share_one_connection(browser, site):
    proxy = site()
    opened(browser, proxy)
    before = handshakes(proxy)
    digests = browser.evaluate(
        f"""Promise.all(Array.from({{length: 40}}, async (_, index) => {{
            const body = new Uint8Array(index % 5 ? index : {BODY_BYTES} + index).map((_, at) => at * 7 + index);
            const answer = await fetch('/digest?' + index, {{method: 'POST', body}});
            return [answer.status, await answer.text(), {HEX}];
        }}))"""
    )
    assert len(digests) == 40
    for status, digest, expected in digests:
        assert (status, digest) == (200, expected)
    size = browser.evaluate("fetch('/large').then(answer => answer.arrayBuffer()).then(body => body.byteLength)")
    assert size == 3 << 20
    assert browser.evaluate(PROTOCOLS % "resource") == ["h2"] * 41
    assert handshakes(proxy) == before
    lines = proxy.log_lines(42)
    assert {line["protocol"] for line in lines} == {"HTTP/2"}
    assert sum(line["bytes_in"] >= BODY_BYTES for line in lines) == 8


def test_events_come_one_by_one_beside_other_requests(browser, site):
    """Each is sent only when the page has seen the one before, and said so on the same connection."""
    proxy = site()
    opened(browser, proxy)
    before = handshakes(proxy)
    seen = browser.evaluate(
        """new Promise((resolve, reject) => {
            const events = [];
            const source = new EventSource('/events');
            source.onerror = () => reject(new Error('the events broke off'));
            source.onmessage = async (event) => {
                events.push(event.lastEventId + ' ' + event.data);
                if (events.length < 5) return void await fetch('/seen');
                source.close();
                resolve(events);
            };
        })"""
    )
    assert seen == [f"{number} event {number}" for number in range(5)]
    assert handshakes(proxy) == before
    # The page has left its events, and the app is told.
    eventually(lambda: scrape(proxy).one("weir_requests_in_progress") == 0)


SOCKET = """new Promise((resolve, reject) => {
    const socket = new WebSocket('%s/');
    socket.binaryType = 'arraybuffer';
    const heard = [];
    socket.onerror = () => reject(new Error('the socket failed'));
    socket.onclose = (event) => resolve({heard, code: event.code, reason: event.reason, clean: event.wasClean});
    %s
})"""


def test_a_websocket_goes_through_the_same_address(browser, site):
    proxy = site()
    opened(browser, proxy)
    said = """
        const large = new Uint8Array(1 << 20).map((_, at) => at * 13);
        socket.onopen = () => { socket.send('text'); socket.send(large); socket.send('x'.repeat(1 << 20)); };
        socket.onmessage = ({data}) => {
            if (typeof data === 'string') heard.push(data.length < 10 ? data : data.length);
            else heard.push(new Uint8Array(data).every((byte, at) => byte === large[at]) ? data.byteLength : 'other bytes');
            if (heard.length === 3) socket.close(3001, 'enough');
        };"""
    ended = browser.evaluate(SOCKET % (page(proxy).replace("https", "wss"), said))
    assert ended == {"heard": ["text", 1 << 20, 1 << 20], "code": 3001, "reason": "enough", "clean": True}
    line = next(line for line in proxy.log_lines(2) if line["status"] == 101)
    assert line["protocol"] == "HTTP/1.1"


def test_a_websocket_that_the_app_closes_says_why(browser, site):
    proxy = site()
    opened(browser, proxy)
    said = "socket.onopen = () => socket.send('close 4009');"
    ended = browser.evaluate(SOCKET % (page(proxy).replace("https", "wss"), said))
    assert ended == {"heard": [], "code": 4009, "reason": "as you wish", "clean": True}


def test_a_refusal_can_be_read_from_another_origin(browser, site):
    at_home = site()
    limits = {"rate": [{"limit": "2/min", "name": "few"}]}
    abroad = site(cors={"origins": [page(at_home)], "methods": ["GET", "PUT"], "expose": ["Retry-After"]}, limits=limits)
    opened(browser, at_home)
    answers = browser.evaluate(
        f"""(async () => {{
            const answers = [];
            for (let i = 0; i < 3; ++i) {{
                const answer = await fetch('{page(abroad)}/digest', {{method: 'PUT', body: 'x'}});
                const body = await answer.text();
                answers.push([answer.status, answer.headers.get('Retry-After'), body]);
            }}
            return answers;
        }})()"""
    )
    assert [status for status, _, _ in answers] == [200, 200, 429]
    assert 0 < int(answers[2][1]) <= 60
    assert '"reason":"rate_limited"' in answers[2][2].replace(" ", "")
    assert {line["protocol"] for line in abroad.log_lines(4)} == {"HTTP/2"}


def test_a_drain_lets_a_page_have_what_it_has_asked_for(browser, site):
    proxy = site(drain="20s")
    opened(browser, proxy)
    browser.evaluate(
        """new Promise((resolve) => {
            const source = new EventSource('/events');
            window.last = new Promise((tell) => {
                source.onmessage = ({data}) => {
                    resolve();
                    if (data === 'event 0') return;
                    source.close();
                    tell(data);
                };
            });
        })"""
    )
    proxy.signal(signal.SIGTERM)
    eventually(lambda: proxy.address[1] not in listening_ports(proxy.pid), what="it drains")
    assert Client(("127.0.0.1", site.app.port)).ask("/seen").body == b"next"
    assert browser.evaluate("window.last") == "event 1"
    assert proxy.wait() == 0
