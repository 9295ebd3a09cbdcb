"""The operator's page, in a real browser: its numbers are the admin address's, and it is nobody else's business."""

import os
import re
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.browser import PHONE, Browser
from harness.client import Client
from harness.metrics import ask_admin
from harness.poll import eventually
from harness.upstream import answering

ADMIN = "127.0.0.1:0"
TOKEN = "a-secret-of-the-operators"
PICTURE = Path(__file__).resolve().parents[2] / "docs" / "page.png"
# Names the folder for pictures of every variant; the README's is then written anew.
PICTURES = os.environ.get("WEIR_PAGE_PICTURES")
PICTURE_SCALE = 0.7  # it is shown smaller than it is, and is part of the repository
SECONDS_IN_A_PICTURE = 45


@pytest.fixture
def browser(tmp_path):
    browser = Browser(tmp_path)
    yield browser
    browser.close()


def working(seconds):
    """The script of an app that works on each request for so long."""
    idle = threading.Event()

    def script(connection):
        connection.sock.settimeout(60)
        while connection.request():
            idle.wait(seconds)
            connection.answer(b"done")

    return script


def url_of(proxy):
    return "http://%s:%d/" % proxy.admin


class Crowd:
    """Clients with addresses of their own; each asks one request after the other until told to stop."""

    def __init__(self, proxy):
        self._proxy = proxy
        self._is_over = threading.Event()
        self._threads = []
        self.refused = {}  # reason to the id of the last one

    def add(self, address, pause, targets=("/", "/reports")):
        thread = threading.Thread(target=self._ask, args=(address, pause, targets), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _ask(self, address, pause, targets):
        client = Client(self._proxy.address, source=address)
        while not self._is_over.is_set():
            for target in targets:
                answer = client.ask(target)
                if answer.value("content-type") == "application/problem+json":
                    self.refused[answer.json["reason"]] = answer.json["request_id"]
                self._is_over.wait(pause)
        client.close()

    def stop(self):
        self._is_over.set()
        for thread in self._threads:
            thread.join(20)


@contextmanager
def crowd_at(proxy):
    crowd = Crowd(proxy)
    for number in range(6):
        crowd.add(f"127.0.0.{10 + number}", 0.2 + 0.05 * number)
    for _ in range(3):
        crowd.add("127.0.0.66", 0.03)
    for _ in range(14):
        crowd.add("127.0.0.99", 0.05, ["/"])
    try:
        yield crowd
    finally:
        crowd.stop()


def busy_weir(weir, upstream, **admin):
    slow = upstream(working(0.05))
    quick = upstream(working(0.025))
    return weir(
        None,
        admin={"address": ADMIN, **admin},
        upstream={"servers": [slow.url, quick.url]},
        limits={"rate": ["60/s", "20000/hour"], "concurrency": 3, "queue": {"size": 8, "wait": "2s"}},
        routes=[
            {
                "match": {"path": "/reports"},
                "name": "reports",
                "limits": {"rate": ["100/min"], "concurrency": 1, "queue": {"size": 2, "wait": "100ms"}},
                "timeout": "10s",
            }
        ],
        shadow=[{"name": "tighter", "rate": "60/min"}],
        health={"path": "/health", "interval": "250ms"},
    )


def numbers(text):
    return int(text.replace(",", ""))


def check_that_it_keeps_to_itself(browser, proxy):
    assert browser.console == []
    paths = "|".join(["", "summary", "stats", "clients", "limits", "why/.*"])
    own = re.compile(f"{re.escape(url_of(proxy))}({paths})(#.*)?|data:.*")
    assert [url for url in browser.requests if not own.fullmatch(url)] == []


def check_that_it_fits(browser):
    """Nothing is wider than the screen, and no text is cut off."""
    assert browser.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    is_too_wide = "(card) => card.scrollWidth > card.clientWidth + 1"
    assert browser.evaluate(f"[...document.querySelectorAll('.card')].filter({is_too_wide}).length") == 0


def check_numbers(browser, proxy):
    """When nothing happens any more, the page shows what the address says."""
    eventually(lambda: ask_admin(proxy, "/summary").json["requests"]["in_progress"] == 0)
    eventually(lambda: browser.text("#requests") == "0 /s", 20)
    stats = ask_admin(proxy, "/stats").json
    summary = ask_admin(proxy, "/summary").json
    assert browser.text("#requests-note") == f"{summary['requests']['ended']:,} so far"
    assert browser.texts("#caps th") == list(stats)
    for row, cap in enumerate(stats.values(), 1):
        shown = [numbers(text) for text in browser.texts(f"#caps tr:nth-child({row}) td")[1:]]
        assert shown == [cap[each] for each in ("activeProcesses", "queuedTasks", "peakQueueSize", "totalProcessed")]
    reasons = dict(zip(browser.texts("#reasons th"), map(numbers, browser.texts("#reasons td:last-child"))))
    assert reasons == summary["refused"] and reasons["rate_limited"] > 0
    assert browser.text("#waiting") == "0" and browser.text("#inside") == "0"
    assert browser.texts("#servers .badge") == ["up", "up"]
    assert browser.text("#status") == "ok"


def test_the_page_shows_what_goes_on(weir, upstream, browser):
    proxy = busy_weir(weir, upstream)
    with crowd_at(proxy) as crowd:
        browser.open(url_of(proxy), scale=PICTURE_SCALE if PICTURES else 1)
        browser.wait("#clients", "127.0.0.99")
        eventually(lambda: numbers(browser.text("#waiting")) > 0, 20)
        eventually(lambda: numbers(browser.text("#inside")) > 0, 20)
        browser.wait("#reasons", "queue_full")
        eventually(lambda: browser.texts("#clients th")[0] == "127.0.0.99")
        browser.wait("#requests", "/s")
        assert float(browser.text("#requests").split()[0].replace(",", "")) > 10
        assert all(text.endswith("s") for text in browser.texts("#times td")), browser.texts("#times td")
        assert "per-sec" in " ".join(browser.texts("#limits td")) and "60/s" in browser.texts("#limits td")
        check_that_it_fits(browser)
        take_picture(browser, crowd)
    check_numbers(browser, proxy)
    check_that_it_keeps_to_itself(browser, proxy)


def take_picture(browser, crowd):
    browser.type("#why-id", crowd.refused["rate_limited"])
    browser.wait("#why .advice", "per-")
    check_that_it_fits(browser)
    if PICTURES:
        threading.Event().wait(SECONDS_IN_A_PICTURE)
        browser.shoot(PICTURE)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_fits_a_phone(weir, upstream, browser, dark):
    proxy = busy_weir(weir, upstream)
    with crowd_at(proxy):
        browser.open(url_of(proxy), PHONE, dark)
        browser.wait("#clients", "127.0.0.99")
        browser.wait("#reasons", "queue_full")
        check_that_it_fits(browser)
        ground = browser.evaluate("getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).map(Number)")
        assert (max(ground) < 60) == dark
        if PICTURES:
            threading.Event().wait(SECONDS_IN_A_PICTURE)
            browser.shoot(f"{PICTURES}/phone-{'dark' if dark else 'light'}.png")
    check_that_it_keeps_to_itself(browser, proxy)


def test_a_request_is_looked_up_and_whatever_it_held_is_text(weir, upstream, browser):
    proxy = weir(upstream(answering()), admin=ADMIN, limits={"rate": ["1/hour"]})
    client = Client(proxy.address)
    client.ask()
    refused = client.ask("/?q=<img/src=x/onerror=alert(1)>%3Cscript%3E&token=hidden")
    assert refused.status in (400, 429)
    request_id = refused.json["request_id"]
    browser.open(url_of(proxy))
    browser.wait("#why-form")
    browser.type("#why-id", request_id)
    browser.wait("#why dl", refused.json["reason"])
    assert refused.json["detail"] in browser.text("#why dl")
    assert "hidden" not in browser.text("#why") and browser.evaluate("document.querySelector('#why img')") is None
    browser.open(f"{url_of(proxy)}#why={request_id}")
    browser.wait("#why dl", refused.json["reason"])
    assert browser.console == []
    browser.type("#why-id", "a/b?c#d")
    browser.wait("#why .problem", "no request with this id")
    client.close()


def test_the_clients_can_be_put_in_another_order(weir, upstream, browser):
    def script(connection):
        while request := connection.request():
            released.wait(0.1 if request.value("x-real-ip") == "192.0.2.2" else 0)
            connection.answer()

    released = threading.Event()
    proxy = weir(upstream(script), admin=ADMIN, clients={"trusted_proxies": ["127.0.0.1"]})
    keys = [{"X-Forwarded-For": f"192.0.2.{each}"} for each in (1, 2)]
    client = Client(proxy.address)
    for fields, count in zip(keys, (12, 4)):
        for _ in range(count):
            client.ask(fields=fields)
    client.close()
    browser.open(url_of(proxy))
    browser.wait("#clients", "192.0.2.2")
    assert browser.texts("#clients th") == ["192.0.2.1", "192.0.2.2"]
    browser.click("[data-measure=time]")
    assert browser.texts("th[aria-sort]") == ["in the app"]
    assert browser.texts("#clients th") == ["192.0.2.2", "192.0.2.1"]


def test_the_token_is_typed_in_and_goes_nowhere_else(weir, upstream, browser):
    proxy = weir(upstream(answering()), admin={"address": ADMIN, "token": TOKEN})
    browser.open(url_of(proxy))
    browser.wait("#ask-token", "This address has a token")
    assert browser.evaluate("document.querySelector('#board').checkVisibility()") is False
    browser.type("#token", "wrong")
    browser.wait("#token-problem", "not the token")
    browser.type("#token", TOKEN)
    browser.wait("#requests", "/s")
    assert browser.text("#status") == "ok"
    assert browser.evaluate("document.querySelector('#ask-token').checkVisibility()") is False
    assert not any(TOKEN in url for url in browser.requests)
    assert browser.evaluate("localStorage.length + document.cookie.length") == 0


def test_a_weir_that_ends_is_said_to_be_gone_and_one_that_drains_to_drain(weir, upstream, browser):
    arrived, released = threading.Event(), threading.Event()

    def script(connection):
        connection.request()
        arrived.set()
        released.wait(30)
        connection.answer()

    proxy = weir(upstream(script), admin=ADMIN, drain="30s")
    client = Client(proxy.address)
    client.request()
    assert arrived.wait(10)
    browser.open(url_of(proxy))
    browser.wait("#status", "ok")
    assert ask_admin(proxy, "/drain", "POST").status == 202
    browser.wait("#status", "draining")
    released.set()
    client.response()
    assert proxy.wait() == 0
    browser.wait("#status", "no answer")
    client.close()
