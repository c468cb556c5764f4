"""Files asked for by programs that are not ours: mirrors, resumed downloads, caches, packages."""

import hashlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from weblayer.web.static import File

LIMIT = 20  # seconds after which a test is taken to hang
HERE = {"interface": "127.0.0.1"}
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")

CACHE = """
daemon off; master_process off; pid nginx.pid; error_log /dev/null crit;
events {{ worker_connections 100; }}
http {{
    access_log off; client_body_temp_path body; proxy_temp_path proxy;
    fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    proxy_cache_path cache keys_zone=pages:1m;
    server {{
        listen unix:{folder}/front;
        location / {{
            proxy_pass http://127.0.0.1:{port}; proxy_cache pages;
            add_header X-Cache $upstream_cache_status;
        }}
    }}
}}
"""


def run(program, *arguments, **options):
    """What a program prints; the test is skipped where there is none."""
    if (found := shutil.which(program)) is None:
        pytest.skip(f"{program} is not installed")
    done = subprocess.run(
        [found, *arguments], capture_output=True, timeout=2 * LIMIT, check=False,
        env={**os.environ, "no_proxy": "*", "LC_ALL": "C.UTF-8"}, **options,
    )  # fmt: skip
    return done.stdout


def curl(*arguments):
    return run("curl", "-sS", "--noproxy", "*", "--max-time", str(LIMIT), *arguments)


def url(port, path=""):
    return f"http://127.0.0.1:{port.port}/{path}"


def files_below(root):
    """What lies below a folder: bytes by name."""
    return {p.relative_to(root): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Small and large files, in folders, with names that have to be written in another way."""
    root = tmp_path / "site"
    (root / "a b" / "ü").mkdir(parents=True)
    (root / "a b" / "ü" / "100%.txt").write_text("text")
    (root / "a b" / "empty").touch()
    (root / "large.bin").write_bytes(os.urandom(3_000_000))
    (root / "page.html").write_text("<a href='a%20b/'>a b</a>" * 100)
    return root


def test_a_mirror_is_the_tree(serve, root, tmp_path):
    """wget follows the listings, and fetches nothing twice that has not changed."""

    def ask(port):
        mirror = tmp_path / "mirror"
        mirror.mkdir()
        options = "-m", "-nH", "-q", "-e", "robots=off", "-R", "index.html*"
        for _ in range(2):
            run("wget", *options, "-P", str(mirror), url(port))
            assert files_below(mirror) == files_below(root)
            for path in mirror.rglob("*.bin"):
                assert int(path.stat().st_mtime) == int((root / path.name).stat().st_mtime)

    serve(File(root, listing=True), ask, **HERE)


def test_a_download_goes_on_where_it_broke_off(serve, root, tmp_path):
    """wget and curl ask for the rest."""
    whole = (root / "large.bin").read_bytes()

    def ask(port):
        for name, arguments in (
            ("wget", ("-q", "-c", "-O", str(tmp_path / "wget"), url(port, "large.bin"))),
            ("curl", ("-sC-", "-o", str(tmp_path / "curl"), url(port, "large.bin"))),
        ):
            (tmp_path / name).write_bytes(whole[:1_234_567])
            run(name, *arguments)
            assert (tmp_path / name).read_bytes() == whole

    serve(File(root), ask, **HERE)


def test_pieces_make_the_whole_while_others_download(serve, tmp_path):
    """A large file with holes, in eight pieces at once, beside others who take all of it."""
    path, size = tmp_path / "holes.bin", 64 * 1024 * 1024
    with path.open("wb") as file:
        for at in range(0, size, size // 16):
            file.seek(at + 12_345)
            file.write(os.urandom(10_000))
        file.truncate(size)
    step = size // 8

    def ask(port):
        where = url(port, "holes.bin")
        with ThreadPoolExecutor(12) as pool:
            others = [pool.submit(curl, "-o", os.devnull, where) for _ in range(4)]
            pieces = pool.map(
                lambda at: curl("-r", f"{at}-{at + step - 1}", where), range(0, size, step)
            )
            found = hashlib.sha256(b"".join(pieces)).digest()
            assert found == hashlib.sha256(path.read_bytes()).digest()
            assert all(other.result() == b"" for other in others)

    serve(File(tmp_path), ask, **HERE)


def test_a_cache_in_front_has_it_the_second_time(serve, root):
    """nginx keeps each coding for itself, as Vary tells it."""
    if NGINX is None:
        pytest.skip("nginx is not installed")
    site = File(root)
    site.setCacheControl("*", maxAge=60)

    def ask(port):
        with tempfile.TemporaryDirectory() as folder:  # the path of a socket must be short
            config = Path(folder) / "nginx.conf"
            config.write_text(CACHE.format(folder=folder, port=port.port))
            with subprocess.Popen([NGINX, "-p", folder, "-c", config]) as front:
                try:
                    listening(f"{folder}/front", front)
                    for coding in ("gzip", "identity"):
                        asked = [seen(folder, coding) for _ in range(2)]
                        assert [what for what, _ in asked] == ["MISS", "HIT"]
                        assert asked[0][1] == asked[1][1] == (coding == "gzip")
                finally:
                    front.terminate()

    serve(site, ask, **HERE)


def seen(folder, coding):
    """What the cache says of a page, and whether the page came packed."""
    head = curl(
        "--unix-socket", f"{folder}/front", "-H", f"Accept-Encoding: {coding}",
        "-D", "-", "-o", os.devnull, "http://a/page.html",
    ).decode()  # fmt: skip
    fields = dict(line.split(": ", 1) for line in head.splitlines() if ": " in line)
    return fields["X-Cache"], "Content-Encoding" in fields


def listening(path, process):
    """Wait for what a program that is not ours does not tell."""
    end = time.monotonic() + LIMIT
    while process.poll() is None and time.monotonic() < end:
        with socket.socket(socket.AF_UNIX) as client:
            if client.connect_ex(path) == 0:
                return
        time.sleep(0.01)
    pytest.fail("nginx does not listen")


def test_packages_are_found_and_fetched(serve, tmp_path):
    """apt reads a repository of one folder, and asks for what has changed alone."""
    repository, package = tmp_path / "repository", tmp_path / "package"
    (package / "DEBIAN").mkdir(parents=True)
    (package / "DEBIAN").chmod(0o755)
    (package / "DEBIAN" / "control").write_text(
        "Package: nothing\nVersion: 1\nArchitecture: all\nMaintainer: a <a@example.org>\n"
        "Description: nothing\n"
    )
    repository.mkdir()
    run("dpkg-deb", "-b", str(package), str(repository / "nothing_1_all.deb"))
    listed = run("dpkg-scanpackages", ".", cwd=repository)
    (repository / "Packages").write_bytes(listed)
    if not listed:
        pytest.skip("dpkg-scanpackages does not work here")

    def ask(port):
        sources = tmp_path / "sources.list"
        sources.write_text(f"deb [trusted=yes] {url(port)} ./\n")
        for folder in ("lists/partial", "cache/archives/partial"):
            (tmp_path / folder).mkdir(parents=True)
        options = [
            f"-oDir::Etc::sourcelist={sources}", "-oDir::Etc::sourceparts=-",
            f"-oDir::State::lists={tmp_path}/lists", f"-oDir::Cache={tmp_path}/cache",
            "-oAcquire::http::Proxy=DIRECT", "-oAPT::Sandbox::User=",
        ]  # fmt: skip
        assert b"Get:" in run("apt-get", *options, "update")
        assert b"Hit:" in run("apt-get", *options, "update")
        run("apt-get", *options, "download", "nothing", cwd=tmp_path)
        fetched = tmp_path / "nothing_1_all.deb"
        assert fetched.read_bytes() == (repository / "nothing_1_all.deb").read_bytes()

    serve(File(repository), ask, **HERE)
