"""The search that coverage leads: `python -m tests.fuzz.guided TARGET SECONDS SEED FOLDER`.

It needs atheris, and a process of its own, in which nothing of ours was imported before: what is
imported here is changed on the way in, so that each branch that is taken is seen.
"""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["weblayer.wire", "weblayer.web"]):
    from tests.fuzz.laws import holds
    from tests.fuzz.samples import SAMPLES, TOKENS

# Seconds for one input, after which it hangs; the slowest honest one takes a tenth of a second.
LIMIT = 10


def search(target: str, seconds: str, seed: str, folder: Path) -> None:
    """Try inputs, then end the process: with 0 when nothing was found."""

    def law(data: bytes) -> None:
        if not holds(target, data, int(seed)):
            sys.exit(1)

    samples = folder / "samples"
    samples.mkdir()
    for number, sample in enumerate(SAMPLES[target]):
        (samples / str(number)).write_bytes(sample)
    (folder / "words").write_text("\n".join(map(_quoted, TOKENS)))
    options = [
        f"-max_total_time={seconds}", f"-seed={seed}", f"-timeout={LIMIT}", "-max_len=8192",
        f"-dict={folder / 'words'}", f"-artifact_prefix={folder}/", "-print_final_stats=1",
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *options, str(samples)], law)
    atheris.Fuzz()


def _quoted(token: bytes) -> str:
    """A line of libFuzzer's dictionaries."""
    return '"' + "".join(f"\\x{code:02x}" for code in token) + '"'


if __name__ == "__main__":
    search(*sys.argv[1:4], Path(sys.argv[4]))
