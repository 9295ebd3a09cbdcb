"""The JSON Schema of the configuration, as another program reads it: what weir takes is valid, what is wrong is not."""

import json
import re
import subprocess

from harness.weir import ROOT, run

SMALLEST = "listen: 127.0.0.1:8080\nupstream: http://127.0.0.1:5000\n"

GOOD = {
    "a single address": "listen: :8080\nupstream: http://127.0.0.1:5000\n",
    "addresses": 'listen: ["[::1]:80", {address: unix:/run/weir.sock, mode: 0660}, {address: "localhost:1"}]\nupstream: unix:/a\n',
    "servers": "listen: :80\nupstream: [http://a:1, {url: https://b, weight: 2, max_in_flight: ~, slow_start: 10s}]\n",
    "a map for the app": "listen: :80\nupstream: {servers: http://a:1, balance: round_robin, retry: 1, tls: {verify: false}}\n",
    "off": SMALLEST + "admin: ~\ncors: ~\nhealth: ~\nworkers: auto\nlog: {access: off}\n",
    "a section whose keys are all commented out": SMALLEST + "limits:\n  # rate: 60/min\ntimeout:\n",
    "shorthands": SMALLEST + "timeout: 1m30s\nhealth: /h\ncors: https://app.example\nadmin: 127.0.0.1:9180\nworkers: 2\n",
    "rates": SMALLEST + "limits: {rate: [60/min, {limit: 10/s, burst: 20, key: [ip, 'header:X-Api-Key'], name: fast, mode: shadow}]}\n",
    "one rate": SMALLEST + "limits: {rate: 100/15s}\nclients: {key: cookie:sid, trusted_proxies: [10.0.0.0/8, '::']}\n",
    "variables": SMALLEST.replace("5000", "${PORT:-5000}") + "workers: ${N:-2}\ntimeout: ${T:-5}s\nlimits: {rate: ['${R:-60}/min'], mode: '${M:-shadow}'}\nheaders: {deadline: '${D:-true}'}\n",
    "numbers for texts": SMALLEST + "routes: [{match: {path: /a/*, header: {X-N: 1, X-B: true}}, name: 404, limits: {rate: none}}]\n",
    "a route": SMALLEST + "routes: {match: {path: ['/a/{id}', '/b/{id}'], method: GET, host: a.example, header: X-A}, timeout: 5s, methods: [GET, PUT], params: {path: {id: {int: 1..}}, query: {q: {len: ..5}, w: {number: 0..1.5}, s: {enum: [1, two], default: 1}}}}\n",
    "statuses": SMALLEST + "health: {path: /h, expect: 200}\n",
    "several statuses": SMALLEST + "health: {path: /h, expect: {status: [200, 204-206]}, passive: off}\n",
    "a body": SMALLEST + "errors: {content_type: text/html, body: '<h1>{status}</h1>'}\n",
    "shadow": SMALLEST + "shadow: [30/min, {name: tighter, rate: 20/min}]\n",
    "a quoted number": SMALLEST + "workers: '2'\nlimits: {headers: \"50\"}\n",
}

WRONG = {
    "an unknown key": SMALLEST + "limit: 5\n",
    "an unknown key below": SMALLEST + "limits: {conccurrency: 5}\n",
    "an unknown key of an element": "listen: [{address: :80, port: 80}]\nupstream: http://a\n",
    "an element without what it needs": "listen: [{mode: 0660}]\nupstream: http://a\n",
    "a number without a unit": SMALLEST + "timeout: 30\n",
    "a unit in capitals": SMALLEST + "timeout: 30S\n",
    "units out of order": SMALLEST + "timeout: 30s1m\n",
    "a size without a unit": SMALLEST + "limits: {body: 1000}\n",
    "a rate without a window": SMALLEST + "limits: {rate: [60]}\n",
    "a rate per m": SMALLEST + "limits: {rate: [60/m]}\n",
    "a share without its sign": "listen: :80\nupstream: {servers: http://a, retry: {budget: 20}}\n",
    "past the range": SMALLEST + "workers: 65\n",
    "below the range": SMALLEST + "health: {path: /h, rise: 0}\n",
    "a fraction": SMALLEST + "limits: {concurrency: 1.5}\n",
    "an unknown word": SMALLEST + "limits: {mode: enforced}\n",
    "an unknown word of a list": SMALLEST + "clients: {key: [ip, address]}\n",
    "yes": SMALLEST + "headers: {deadline: yes}\n",
    "a list where a map belongs": SMALLEST + "buffers: [64KiB]\n",
    "a map where a value belongs": SMALLEST + "drain: {total: 5s}\n",
    "a list within a list": SMALLEST + "limits: {rate: [[60/min]]}\n",
    "no address at all": "listen: []\nupstream: http://a\n",
    "an address without a port": "listen: localhost\nupstream: http://a\n",
    "a port alone": "listen: 8080\nupstream: http://a\n",
    "a server without a scheme": "listen: :80\nupstream: a:5000\n",
    "a server with a path": "listen: :80\nupstream: http://a/b\n",
    "an empty key": SMALLEST + "drain:\n",
    "a path without its slash": SMALLEST + "health: health\n",
    "a star within a path": SMALLEST + "routes: [{match: {path: /a/*/b}}]\n",
    "a name in capitals": SMALLEST + "routes: [{match: {path: /a}, name: Reports}]\n",
    "a status as a class": SMALLEST + "health: {path: /h, expect: 2xx}\n",
    "a status below the range": SMALLEST + "health: {path: /h, expect: 100}\n",
    "a range without dots": SMALLEST + "routes: [{match: {path: /a}, params: {query: {p: {int: 5}}}}]\n",
    "too many rates": SMALLEST + f"limits: {{rate: [{', '.join(f'{n}/s' for n in range(1, 18))}]}}\n",
    "a mode that is not octal": "listen: [{address: unix:/a, mode: 999}]\nupstream: http://a\n",
    "a file that is a folder": SMALLEST + "log: {access: logs/}\n",
}


def validate(directory, documents):
    code, schema, errors = run(directory, "schema")
    assert (code, errors) == (0, "")
    done = subprocess.run(
        ["node", ROOT / "tests/e2e/harness/validate.mjs"],
        input=json.dumps({"schema": schema, "documents": documents}),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def check(directory, text):
    """What `weir check` says: (exit code, stderr)."""
    file = directory / "weir.yaml"
    file.write_text(text)
    code, _, errors = run(directory, "check", file)
    return code, errors


def yaml_in_readme():
    blocks = re.findall(r"^```yaml\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)
    return {f"README.md, block {n}": block for n, block in enumerate(blocks)}


def test_the_examples_of_the_project_are_valid(tmp_path):
    documents = {path.name: path.read_text() for path in sorted((ROOT / "conf").glob("*.yaml"))}
    assert len(documents) >= 3
    blocks = yaml_in_readme()
    assert len(blocks) >= 8
    found = validate(tmp_path, documents | blocks)
    assert found == {name: [] for name in found}


def test_good_configurations_are_valid_and_weir_takes_them(tmp_path):
    assert validate(tmp_path, GOOD) == {name: [] for name in GOOD}
    refused = {name: errors for name, text in GOOD.items() for code, errors in [check(tmp_path, text)] if code != 0}
    assert refused == {}


def test_wrong_configurations_are_neither_valid_nor_taken(tmp_path):
    found = validate(tmp_path, WRONG)
    assert [name for name in WRONG if not found[name]] == []
    assert [name for name, text in WRONG.items() if check(tmp_path, text)[0] != 1] == []


def test_a_mistake_is_found_where_it_is(tmp_path):
    found = validate(tmp_path, {"one": SMALLEST + "limits: {queue: {size: -1}}\n"})
    assert any(error.startswith("/limits/queue/size ") for error in found["one"]), found


def test_the_keys_in_the_readme_are_those_of_the_table(tmp_path):
    code, table, _ = run(tmp_path, "schema", "--markdown")
    assert code == 0
    between = re.search(r"<!-- keys -->\n\n(.*?)\n<!-- end of keys -->", (ROOT / "README.md").read_text(), re.S)
    assert between, "README.md has lost the markers of its table"
    assert between[1] == table, "scripts/refresh_readme.sh makes it current"
