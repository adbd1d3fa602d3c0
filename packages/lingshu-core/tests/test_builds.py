"""Locks on extensions that are being compiled."""

import subprocess
import sys

from lingshu_core.builds import free_builds


def test_a_lock_on_a_build_goes_with_its_process(tmp_path):
    lock = tmp_path / "py311_cpu" / "comm" / "lock"
    lock.parent.mkdir(parents=True)
    code = "import sys, time; f = open(sys.argv[1], 'x'); print('held', flush=True); time.sleep(60)"
    builder = subprocess.Popen([sys.executable, "-c", code, str(lock)], stdout=subprocess.PIPE)
    builder.stdout.readline()
    free_builds(tmp_path)
    assert lock.exists()
    builder.kill()
    builder.communicate()
    free_builds(tmp_path)
    assert not lock.exists()
