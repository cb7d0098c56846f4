# SPDX-License-Identifier: Apache-2.0
"""image_suite.py: TAP, and v2v under watch: status, text, memory, time, files opened."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading

V2V = os.environ.get('V2V') or sys.exit('V2V: the path of v2v is not set')
SECONDS_MAX = 2.0 * float(os.environ.get('V2V_TEST_SLOWNESS', '1'))  # of processor time
RSS_MAX = 64 << 20                                                   # above that of v2v --version
# What a program opens whatever it does.
SYSTEM = re.compile(r'^(/lib|/usr/|/etc/(ld\.so|locale|ssl|localtime|libvirt|nsswitch|gcrypt)|/proc/|/sys/|'
                    r'/dev/(null|urandom)|/build/|/run/|/var/lib/)')
with open(V2V, 'rb') as program:
    SANITIZED = b'__asan_init' in program.read()


class Suite:
    def __init__(self):
        self.count = self.failures = 0
        self.folder = tempfile.mkdtemp(prefix='images-')

    def ok(self, passed, text, why=''):
        self.count += 1
        self.failures += not passed
        print(f'{"ok" if passed else "not ok"} {self.count} - {text}', flush=True)
        if not passed:
            for line in str(why).splitlines()[:12]:
                print(f'# {line[:400]}')
        return passed

    def skip(self, text, reason):
        self.count += 1
        print(f'ok {self.count} - {text} # SKIP {reason}')

    def new_folder(self, name):
        path = os.path.join(self.folder, re.sub(r'[^A-Za-z0-9.-]+', '_', name)[:80])
        shutil.rmtree(path, ignore_errors=True)
        os.mkdir(path)
        return path

    def finish(self):
        print(f'1..{self.count}')
        shutil.rmtree(self.folder, ignore_errors=True)
        sys.exit(self.failures > 0)


class Run:
    """One run to its end; `opened` is filled by a traced one."""

    def __init__(self, arguments, trace=False, timeout=60, program=V2V):
        command, log, environment = [program, *arguments], None, dict(os.environ)
        if trace:  # under which there is no leak check
            environment['ASAN_OPTIONS'] = environment.get('ASAN_OPTIONS', '') + ':detect_leaks=0'
            handle, log = tempfile.mkstemp(prefix='strace-')
            os.close(handle)
            command = ['strace', '-f', '-qq', '-y', '-s', '4096', '-o', log, '-e',
                       'trace=open,openat,openat2,creat,connect,execve'] + command
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=environment)
        self.timed_out = False
        killer = threading.Timer(timeout, self._kill, [process])
        killer.start()
        errors = []
        reader = threading.Thread(target=lambda: errors.append(process.stderr.read()))
        reader.start()
        self.out = process.stdout.read()
        reader.join()
        self.err = errors[0]
        _, status, usage = os.wait4(process.pid, 0)
        killer.cancel()
        process.stdout.close()
        process.stderr.close()
        process.returncode = self.status = os.waitstatus_to_exitcode(status)
        self.seconds = usage.ru_utime + usage.ru_stime
        self.rss = usage.ru_maxrss << 10
        self.opened = self._parse(log) if log else None

    def _kill(self, process):
        self.timed_out = True
        process.kill()

    @staticmethod
    def _parse(log):
        """Paths that were opened, connected to or executed with success; not the program's own."""
        opened = []
        with open(log, errors='replace') as lines:
            for line in lines:
                call = re.search(r'(open|openat|openat2|creat)\((.*)\)\s+= (\d+)<(.*)>$', line.strip())
                if call:
                    opened.append(call.group(4))
                elif re.search(r'connect\(.*\) = 0|execve\(', line):
                    opened.append(line.strip())
        os.unlink(log)
        return [path for path in opened[1:] if not SYSTEM.match(path)]

    def lines(self):
        return self.err.decode(errors='replace').splitlines()


BASE_RSS = Run(['--version']).rss


def refusal_faults(run, out, pattern, status=None):
    """What is wrong with a run that had to refuse; `out` must not exist, nor anything like it."""
    faults = []
    lines = run.lines()
    if run.timed_out:
        faults.append('did not end')
    if run.status not in ((status,) if status else (1, 3)):
        faults.append(f'status {run.status}, expected {status or "1 or 3"}')
    if len(lines) != 1 or not re.search(pattern, lines[0] if lines else ''):
        faults.append(f'expected one line like {pattern}, got {lines}')
    folder = os.path.dirname(out)
    if os.path.lexists(out) or any('partial' in name for name in os.listdir(folder)):
        faults.append('a target or a temporary file is left')
    return faults + cost_faults(run)


def cost_faults(run):
    if SANITIZED:  # they change what a program costs
        return []
    faults = []
    if run.seconds > SECONDS_MAX:
        faults.append(f'{run.seconds:.1f} s')
    if run.rss - BASE_RSS > RSS_MAX:
        faults.append(f'{(run.rss - BASE_RSS) >> 20} MiB of memory')
    return faults
