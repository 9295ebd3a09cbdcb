"""What testssl.sh, which tries all that is known to be wrong with a TLS server, has against weir. Takes a minute."""

import json
import os
import shutil
import subprocess

import pytest

# Versions, ciphers, forward secrecy, the server's preferences, vulnerabilities. Left out is what it says of the
# certificate, which is the test's, and of the header fields, which are the app's.
PARTS = ["-p", "-s", "-f", "-P", "-U"]


@pytest.mark.skipif(not os.environ.get("WEIR_E2E_LARGE"), reason="takes a minute: WEIR_E2E_LARGE=1")
@pytest.mark.skipif(not shutil.which("testssl"), reason="needs Debian's testssl.sh")
def test_nothing_above_low_is_found(weir, authority, tmp_path):
    address = {"address": "127.0.0.1:PORT", "tls": authority.files("DNS:localhost")}
    proxy = weir("http://127.0.0.1:1", listen=[address], upstream={"hold": "0s"}, clients={"max_connections_per_ip": 2000})
    report = tmp_path / "report.json"
    subprocess.run(
        ["testssl", "--quiet", "--color", "0", "--warnings", "batch", *PARTS, f"--jsonfile={report}", "localhost:%d" % proxy.address[1]],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=220,
        check=False,
    )
    findings = json.loads(report.read_text())
    above_low = [each for each in findings if each["severity"] in ("MEDIUM", "HIGH", "CRITICAL", "FATAL")]
    assert not above_low, above_low
    judged = {each["id"] for each in findings}
    assert {"TLS1", "TLS1_2", "TLS1_3", "heartbleed", "secure_client_renego", "CRIME_TLS", "LUCKY13", "BEAST"} <= judged, judged
    assert proxy.is_running
