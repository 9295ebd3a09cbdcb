"""Addresses that send every request on to https."""

import pytest

from harness.upstream import answering


@pytest.fixture
def sent_on(weir, connect, upstream):
    """sent_on(target, ...) is the answer of an address with `redirect_https`."""
    app = upstream(answering())

    def ask(target="/", method="GET", port=443, **more):
        proxy = weir(app, listen=[{"address": "127.0.0.1:PORT", "redirect_https": port}])
        response = connect(proxy).ask(target, method, **more)
        assert app.requests == []
        return response

    return ask


@pytest.mark.parametrize(
    ("host", "target", "location"),
    [
        ("app.test", "/", "https://app.test/"),
        ("app.test:8080", "/a/b?c=d&e=%2F", "https://app.test/a/b?c=d&e=%2F"),
        ("APP.test", "//evil.test/%2e", "https://APP.test//evil.test/%2e"),
        ("[2001:db8::7]:80", "/", "https://[2001:db8::7]/"),
        ("app.test", "http://other.test/x?y", "https://other.test/x?y"),
    ],
)
def test_the_same_place_is_named_by_https(sent_on, host, target, location):
    response = sent_on(target, host=host)
    assert (response.status, response.value("location")) == (308, location)


def test_another_port_is_named(sent_on):
    assert sent_on(port=8443, host="app.test:80").value("location") == "https://app.test:8443/"


@pytest.mark.parametrize("host", ["a@b", "a!b", "a%41", "", "a/b", "a b"])
def test_a_host_that_could_not_be_one_is_refused(sent_on, host):
    response = sent_on(host=host)
    assert response.status == 400 and response.value("location") is None


def test_what_came_to_a_trusted_proxy_by_https_is_served(weir, connect, upstream):
    address = {"address": "127.0.0.1:PORT", "redirect_https": 443}
    proxy = weir(upstream(answering()), listen=[address], clients={"trusted_proxies": "127.0.0.2"})
    by_https = {"X-Forwarded-Proto": "https"}
    assert connect(proxy, source="127.0.0.2").ask(fields=by_https).status == 200
    assert connect(proxy, source="127.0.0.2").ask(fields={"X-Forwarded-Proto": "http"}).status == 308
    assert connect(proxy, source="127.0.0.1").ask(fields=by_https).status == 308


def test_a_target_without_a_path_is_refused(sent_on):
    assert sent_on("*", "OPTIONS").status == 400


def test_a_method_with_a_body_is_sent_on_and_its_connection_closed(sent_on):
    response = sent_on("/form", "POST", body=b"x" * 10)
    assert (response.status, response.value("location")) == (308, "https://weir.test/form")
