"""Runs the README's commands: readme.py target/debug/usher README.md

Blocks that open with ```sh ci are run in order, as one script, in an empty
folder, against a server that has just been started there for the first time.
In them

* `usher` is the program under test;
* http://127.0.0.1:8080 stands for the server, whatever its real port;
* $USHER_KEY is the key of the first run, $USHER_URL the address.

It fails if a command does, if a call is answered by an error status or by
"ok":false, and if there is no such block.
"""

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

START_SECONDS = 60
STOP_SECONDS = 60
SCRIPT_SECONDS = 300
ADDRESS_IN_README = "127.0.0.1:8080"

# For curl, by its own settings file, an error status is a failure.
CURLRC = "silent\nshow-error\nfail-with-body\n"


def fail(text: str) -> None:
    sys.exit(f"readme.py: {text}")


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def first_line(server: subprocess.Popen) -> dict:
    """What `usher --json` prints on its first run."""
    readable, _, _ = select.select([server.stdout], [], [], START_SECONDS)
    line = server.stdout.readline() if readable else ""
    if not line:
        server.kill()
        fail(f"the server said nothing in {START_SECONDS} s")
    return json.loads(line)


def stop(server: subprocess.Popen) -> None:
    server.send_signal(signal.SIGTERM)
    try:
        status = server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        fail(f"the server was still there {STOP_SECONDS} s after SIGTERM")
    if status != 0:
        fail(f"the server ended with {status} after SIGTERM")


def run(script: str, folder: str, env: dict) -> None:
    try:
        done = subprocess.run(
            ["bash", "-euxo", "pipefail", "-c", script],
            cwd=folder, env=env, stdin=subprocess.DEVNULL, timeout=SCRIPT_SECONDS,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
    except subprocess.TimeoutExpired as late:
        print((late.stdout or b"").decode(errors="replace"))
        fail(f"the commands took over {SCRIPT_SECONDS} s")
    print(done.stdout.replace(env["USHER_KEY"], "$USHER_KEY"))
    if done.returncode != 0:
        fail(f"a command failed with {done.returncode}")
    if re.search(r'"ok":\s*false', done.stdout):
        fail('a call was answered by "ok":false')


def main() -> None:
    usher, readme = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).read_text()
    blocks = re.findall(r"^```sh ci\n(.*?)^```$", readme, re.DOTALL | re.MULTILINE)
    if not blocks:
        fail("no block opens with ```sh ci")
    address = free_address()
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as folder:
        Path(home, ".curlrc").write_text(CURLRC)
        env = {name: value for name, value in os.environ.items() if not name.startswith(("USHER_", "DATABASE_URL"))}
        env |= {
            "CURL_HOME": home,
            "PATH": f"{usher.parent}:{env['PATH']}",
            "USHER_DATA": f"{folder}/usher-data",
            "USHER_LISTEN": address,
        }
        with subprocess.Popen([usher, "--json"], cwd=folder, env=env, stdout=subprocess.PIPE, text=True) as server:
            try:
                first = first_line(server)
                env["USHER_KEY"], env["USHER_URL"] = first["key"], first["address"]
                run("\n".join(blocks).replace(ADDRESS_IN_README, address), folder, env)
            except BaseException:
                server.kill()
                raise
            stop(server)
    print(f"{len(blocks)} blocks of {sys.argv[2]} work")


main()
