"""Certificates for whoever speaks TLS, made by the openssl command for one run of the tests."""

import ssl
import subprocess

KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
HOST = "127.0.0.1"


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class Authority:
    """`ca` is the file to trust. Every certificate is for 127.0.0.1 unless told otherwise."""

    def __init__(self, directory):
        self.directory = directory
        self.ca = directory / "ca.pem"
        self._key = directory / "ca.key"
        self._count = 0
        openssl("req", "-x509", *KEY, "-keyout", self._key, "-out", self.ca, "-days", 2, "-subj", "/CN=Test Authority")

    def issue(self, names=f"IP:{HOST}", days=2, subject="/CN=app"):
        """(certificate, key), signed by the authority; negative days make one that has expired."""
        stem = self._next()
        request, extensions, certificate, key = (stem.with_suffix(f".{end}") for end in ("csr", "ext", "pem", "key"))
        openssl("req", *KEY, "-keyout", key, "-out", request, "-subj", subject)
        extensions.write_text(f"subjectAltName={names}\n")
        signing = ["-CA", self.ca, "-CAkey", self._key, "-CAcreateserial", "-days", days, "-extfile", extensions]
        openssl("x509", "-req", "-in", request, *signing, "-out", certificate)
        return certificate, key

    def self_signed(self, names=f"IP:{HOST}"):
        stem = self._next()
        certificate, key = stem.with_suffix(".pem"), stem.with_suffix(".key")
        names = ["-addext", f"subjectAltName={names}"]
        openssl("req", "-x509", *KEY, "-keyout", key, "-out", certificate, "-days", 2, "-subj", "/CN=app", *names)
        return certificate, key

    def server(self, pair=None, version=None):
        """What Upstream's `tls` takes; with a good certificate where none is given."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(*(pair or self.issue()))
        if version:
            made.minimum_version = made.maximum_version = version
        return made

    def client(self, pair=None, version=None):
        """What Client's `tls` takes: trusts the authority, and shows `pair`."""
        made = ssl.create_default_context(cafile=self.ca)
        if pair:
            made.load_cert_chain(*pair)
        if version:
            made.minimum_version = made.maximum_version = version
        return made

    def files(self, names="DNS:app.test", **more):
        """What `tls` of a listener takes."""
        certificate, key = self.issue(names)
        return {"certificate": certificate, "key": key, **more}

    def _next(self):
        self._count += 1
        return self.directory / f"app-{self._count}"
