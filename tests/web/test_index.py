"""A folder's listing as a package index: what pip reads of it, and pip itself."""

import os
import subprocess
import sys
import zipfile

import pytest

from tests.programs import LIMIT, Program

FILES = {
    "weblayer_demo.py": "word = 'installed'\n",
    "weblayer_demo-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: weblayer-demo\n"
    "Version: 1.0\n",
    "weblayer_demo-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n"
    "Tag: py3-none-any\n",
}


def has_pip():
    asked = subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True)
    return asked.returncode == 0


@pytest.fixture
def packages(tmp_path):
    """An index: a folder for each project, by its normalized name (PEP 503), with its wheels."""
    (tmp_path / "simple/weblayer-demo").mkdir(parents=True)
    wheel = tmp_path / "simple/weblayer-demo/weblayer_demo-1.0-py3-none-any.whl"
    record = "weblayer_demo-1.0.dist-info/RECORD"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in FILES.items():
            archive.writestr(name, text)
        archive.writestr(record, "".join(f"{name},,\n" for name in [*FILES, record]))
    return tmp_path


@pytest.mark.skipif(not has_pip(), reason="this Python has no pip")
def test_pip_installs_from_a_folder(packages, tmp_path):
    """`weblayer web` on a folder of wheels is a package index."""
    with Program("-m", "weblayer", "web", "--path", packages, "--port", 0) as program:
        index = f"http://127.0.0.1:{program.port()}/simple/"
        done = subprocess.run(
            [sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check", "install",
             "--no-cache-dir", "--index-url", index, "--target", tmp_path / "there",
             "weblayer.Demo"],
            capture_output=True, text=True, timeout=LIMIT, env=os.environ | {"NO_PROXY": "*"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "there/weblayer_demo.py").read_text() == FILES["weblayer_demo.py"]
