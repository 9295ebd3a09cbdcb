"""What `meson install` puts where. Of the build that the binary under test belongs to."""

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest

from harness.weir import BINARY, ROOT, run

BUILD = BINARY.parent


def output_of(*command, env=None):
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=55, check=False, env=env
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder that stands for `/`, and the prefix."""
    if not (BUILD / "build.ninja").exists():
        pytest.skip("the binary does not stand in a build directory")
    destination = tmp_path_factory.mktemp("root")
    output_of("ninja", "-C", BUILD, "conf/weir.schema.json")
    output_of("meson", "install", "-C", BUILD, "--no-rebuild", env={**os.environ, "DESTDIR": str(destination)})
    options = json.loads(output_of("meson", "introspect", "--buildoptions", BUILD))
    return destination, next(each["value"] for each in options if each["name"] == "prefix").lstrip("/")


def test_everything_is_where_debian_expects_it(installed):
    root, prefix = installed
    files = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    assert files >= {
        f"{prefix}/bin/weir",
        f"{prefix}/lib/systemd/system/weir.service",
        f"{prefix}/lib/systemd/system/weir.socket",
        f"{prefix}/lib/sysusers.d/weir.conf",
        f"{prefix}/share/weir/weir.schema.json",
        f"{prefix}/share/doc/weir/examples/minimal.yaml",
        "etc/weir/weir.yaml",
    }
    assert {file.split("/")[0] for file in files} <= {"etc", prefix.split("/")[0]}
    for file in files:
        mode = (root / file).stat().st_mode
        assert stat.S_IMODE(mode) == (0o755 if file.endswith("bin/weir") else 0o644), file


def test_a_configuration_that_is_there_is_left_alone(installed):
    root, _ = installed
    file = root / "etc/weir/weir.yaml"
    before = file.read_text()
    file.write_text("listen: :1\n")
    output_of("meson", "install", "-C", BUILD, "--no-rebuild", env={**os.environ, "DESTDIR": str(root)})
    assert file.read_text() == "listen: :1\n"
    file.write_text(before)


def test_a_build_for_debian_needs_no_prefix():
    options = json.loads(output_of("meson", "introspect", "--buildoptions", ROOT / "meson.build"))
    assert next(each["value"] for each in options if each["name"] == "prefix") == "/usr"


def test_what_is_installed_works_together(installed, tmp_path):
    root, prefix = installed
    code, shown, errors = run(tmp_path, "check", root / "etc/weir/weir.yaml")
    assert (code, errors) == (0, "")
    assert "listen: 127.0.0.1:8080 " in shown
    assert (root / prefix / "share/weir/weir.schema.json").read_text() == run(tmp_path, "schema")[1]
    assert output_of(root / prefix / "bin/weir", "version").startswith("weir ")


def test_the_user_of_the_service_is_the_one_that_is_made(installed):
    root, prefix = installed
    service = (root / prefix / "lib/systemd/system/weir.service").read_text()
    user = (root / prefix / "lib/sysusers.d/weir.conf").read_text().splitlines()[-1].split()
    assert user[:2] == ["u", "weir"]
    assert "\nUser=weir\n" in service
    assert Path("/") / "etc/weir/weir.yaml" == Path(service.split("--config ")[1].split()[0])
