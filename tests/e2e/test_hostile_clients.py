"""Clients that invent identities or connections: what they can take is bounded, and others do not pay for it."""

import os
import select
import socket
import threading

from harness.poll import eventually
from harness.upstream import answering
from harness.weir import is_sanitized

HEAD = b"GET / HTTP/1.1\r\nHost: a\r\nX-Key: %d\r\n\r\n"
BATCH = 2000


def invented_keys():
    """How many; all of a million take half a minute."""
    if os.environ.get("WEIR_E2E_LARGE"):
        return 1_000_000
    return 20_000 if is_sanitized() else 200_000


def resident_kib(process):
    with open(f"/proc/{process.pid}/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * (os.sysconf("SC_PAGE_SIZE") // 1024)


def flood(connect, proxy, keys):
    """Pipelines a request for each key; whoever finds the table full gets what is left, or 429."""
    for start in range(0, len(keys), BATCH):
        batch = keys[start : start + BATCH]
        client = connect(proxy)
        requests = [HEAD % key for key in batch]
        requests[-1] = requests[-1][:-2] + b"Connection: close\r\n\r\n"
        sender = threading.Thread(target=client.send, args=(b"".join(requests),))
        sender.start()
        answers = client.to_end()
        sender.join()
        client.close()
        assert answers.count(b"HTTP/1.1 200 ") + answers.count(b"HTTP/1.1 429 ") == len(batch)


def test_invented_keys_neither_grow_the_table_nor_free_who_is_limited(weir, connect):
    quick_app = weir("http://127.0.0.1:1", public={"health": "/"}, log={"access": "off"})
    proxy = weir(
        quick_app.url,
        clients={"key": "header:X-Key"},
        limits={"rate": ["3/hour"], "keys": 10_000},
        headers={"rate_limit": "off"},
        log={"access": "off"},
    )
    limited = connect(proxy)
    assert [limited.ask(fields={"X-Key": "me"}).status for _ in range(4)] == [200, 200, 200, 429]
    count = invented_keys()
    keys = range(1_000_000_000, 1_000_000_000 + count)
    warm = count // 10
    flood(connect, proxy, keys[:warm])
    before = resident_kib(proxy)
    flood(connect, proxy, keys[warm:])
    # Beside the table, 4 MiB for the refusals that /why remembers.
    assert resident_kib(proxy) - before < 7168 or is_sanitized()
    assert [limited.ask(fields={"X-Key": "me"}).status for _ in range(3)] == [429] * 3


def test_ten_thousand_connections_of_one_address_meet_its_bound(weir, connect, upstream):
    proxy = weir(upstream(answering()), clients={"max_connections_per_ip": 100})
    held = []
    for _ in range(100):
        held += [socket.create_connection(proxy.address, source_address=("127.0.0.2", 0)) for _ in range(100)]
        eventually(lambda: keep_open(held) or len(held) <= 100)
        assert connect(proxy, source="127.0.0.3").ask().status == 200
    assert len(held) == 100
    for sock in held:
        sock.close()
    eventually(lambda: connect(proxy, source="127.0.0.2").request().is_readable(within=1))


def keep_open(held):
    """Drops those that weir has closed; falsy."""
    poll = select.poll()
    by_number = {sock.fileno(): sock for sock in held}
    for number in by_number:
        poll.register(number, select.POLLIN)
    for number, _ in poll.poll(0):
        held.remove(by_number[number])
        by_number[number].close()
