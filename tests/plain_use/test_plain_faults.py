"""What a plugin prints, warnings of libraries, and numbers that are none: each is what it is, and
nothing else is blamed for it.
"""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from hsiaug.cli import main as cli_main
from hsiaug.protocol.protocols import run_guarded
from tests.third_party import environment

PRINTS = """
import os, subprocess, sys
from hsiaug.registry.isolation.processes import Child, join_run

def work(connection, how):
    join_run()
    print("first", flush=True)
    for _ in range(3):
        how("x" * 10**5)
    print("last", flush=True)
    connection.send_bytes(b"done")

def by_python(text): print(text)
def past_python(text): os.write(2, text.encode())
def by_a_program(text): subprocess.run(["printf", text])

def start(how):
    child = Child(work, how)
    assert child.connection.recv_bytes() == b"done"
    child.end()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="of POSIX")
@pytest.mark.parametrize("how", ["by_python", "past_python", "by_a_program"])
def test_what_a_process_of_plugins_prints_goes_to_standard_error(how: str, tmp_path: Path) -> None:
    (tmp_path / "prints.py").write_text(PRINTS)
    command = [sys.executable, "-c", f"import prints; prints.start(prints.{how})"]
    done = subprocess.run(command, env=environment(tmp_path), capture_output=True, text=True)
    printed = done.stderr.split()
    assert printed[0].startswith("first") and done.stdout == ""
    assert printed[-1].endswith("last") and done.stderr.count("x") == 3 * 10**5


def test_a_shortage_while_a_protocol_draws_is_not_the_protocols_fault() -> None:
    def draw() -> None:
        raise ImportError("libx.so: failed to map segment from shared object")

    with pytest.raises(ImportError):
        run_guarded("issd", "draw", draw)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_polygon_with_a_corner_that_is_no_number_is_refused(number: str) -> None:
    routes = pytest.importorskip("hsiaug.ui.label_routes")
    with pytest.raises(ValidationError):
        routes._Body.model_validate_json(f'{{"polygon": [[0, 0], [0, 3], [{number}, 3]]}}')


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_before_a_command_has_begun_leaves_a_last_line(
    number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def struck() -> None:
        raise KeyboardInterrupt(number)

    monkeypatch.setattr(cli_main, "app", struck)
    # Another test of this process may have begun a benchmark.
    monkeypatch.setattr("hsiaug.base.signals.LAST_LINE", ["stopped"])
    with pytest.raises(SystemExit) as ended:
        cli_main.main()
    assert ended.value.code == 128 + number and capsys.readouterr().err == "stopped\n"


UNREAD = """
import os
from hsiaug.base import signals
signals.stop_by_signals()
os.set_blocking(2, False)
try:
    while True:
        os.write(2, b"x" * 4096)
except BlockingIOError:
    os.set_blocking(2, True)
os.write(1, b"full")
while True:
    try:
        os.write(2, b"one more line")
    except KeyboardInterrupt:
        pass
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_signal_ends_a_command_though_nobody_reads_what_it_says() -> None:
    command = [sys.executable, "-c", UNREAD]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.read(4) == b"full"
        process.send_signal(signal.SIGTERM)
        # What is written is read only now that it has ended.
        assert process.wait() == 128 + signal.SIGTERM


HELD_UP = """
import atexit, os, signal, threading, time
from hsiaug.base import signals
signals.WITHIN = 600
signals.stop_by_signals()
atexit.register(print, "cleared away")
threading.Thread(target=time.sleep, args=(600,)).start()
try:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(600)
except KeyboardInterrupt as stopped:
    signals.leave(SystemExit(signals.exit_code(stopped)))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_command_that_a_signal_ends_clears_away_and_waits_for_no_thread() -> None:
    done = subprocess.run([sys.executable, "-c", HELD_UP], stdout=subprocess.PIPE, text=True)
    assert (done.returncode, done.stdout) == (128 + signal.SIGTERM, "cleared away\n")
