"""Holds everything a test has started and takes it down in the one order that works: clients, proxy, apps."""

import sys

from . import apps, weir
from .client import Client
from .upstream import DeafListener, Upstream


class Stage:
    def __init__(self, directory):
        self.directory = directory
        self._clients = []
        self._weirs = []
        self._upstreams = []
        self._apps = []

    def weir(self, app=None, *, flags=(), env=None, prefix=(), pass_fds=(), **settings):
        """Starts the proxy. Settings are the sections of the config: `timeout={"header": "300ms"}`."""
        directory = self.directory / f"weir-{len(self._weirs)}"
        started = weir.start(directory, app, settings, flags, env, prefix, pass_fds)
        self._weirs.append(started)
        return started

    def bare_weir(self, *arguments, env=None):
        """The proxy with a command line of the test's own, in which PORT stands for the port it has to listen on."""
        started = weir.start_bare(self.directory / f"weir-{len(self._weirs)}", *arguments, env=env)
        self._weirs.append(started)
        return started

    def connect(self, to, **options):
        """A raw connection to a proxy, or to an address."""
        client = Client(getattr(to, "address", to), **options)
        self._clients.append(client)
        return client

    def keep(self, client):
        """A connection that a test has opened in a way of its own; closed at its end."""
        self._clients.append(client)
        return client

    def upstream(self, script, **options):
        started = Upstream(script, **options)
        self._upstreams.append(started)
        return started

    def adopt_upstream(self, upstream):
        """One of another kind, taken down with the others."""
        self._upstreams.append(upstream)
        return upstream

    def deaf_upstream(self):
        started = DeafListener()
        self._upstreams.append(started)
        return started

    def app(self, kind, **options):
        """A real one: see harness/apps.py for the kinds."""
        directory = self.directory / f"app-{len(self._apps)}"
        directory.mkdir()
        started = apps.KINDS[kind](directory, **options)
        self._apps.append(started)
        return started

    def adopt(self, app):
        """One that the test has started itself is taken down with the others."""
        self._apps.append(app)
        return app

    def take_down(self):
        failures = []
        for ending in [
            *(client.close for client in self._clients),
            *(proxy.stop for proxy in self._weirs),
            *(upstream.close for upstream in self._upstreams),
            *(app.kill_group for app in self._apps),
        ]:
            try:
                ending()
            except Exception as failure:  # noqa: BLE001 - the rest must still be taken down
                failures.append(failure)
        for proxy in self._weirs:
            print(f"--- stderr of weir (pid {proxy.pid}):\n{proxy.stderr}", file=sys.stderr)
        if failures:
            raise failures[0]
