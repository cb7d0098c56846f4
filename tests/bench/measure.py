# SPDX-License-Identifier: Apache-2.0
"""measure.py: how long a command takes, and how much memory; two of them in turns."""
import os
import statistics
import subprocess
import sys
import time


class Run:
    """One run: seconds by the clock and of the processors, peak memory of the largest process."""

    def __init__(self, argv, log=None, env=None):
        output = open(log, "wb") if log else subprocess.DEVNULL
        started = time.monotonic()
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output,
                                 stderr=subprocess.STDOUT if log else None, env=env)
        _, status, usage = os.wait4(child.pid, 0)
        self.seconds = time.monotonic() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        self.processor_seconds = usage.ru_utime + usage.ru_stime
        self.rss_mib = usage.ru_maxrss / 1024
        if child.returncode != 0:
            sys.exit(f"bench: status {child.returncode}: {' '.join(argv)}"
                     + (f", see {log}" if log else ""))


def in_turns(ours, theirs, pairs):
    """`ours` and `theirs` make a Run each; the one that begins changes from pair to pair."""
    results = []
    for number in range(pairs):
        if number % 2 == 0:
            mine = ours()
            other = theirs()
        else:
            other = theirs()
            mine = ours()
        results.append((mine, other))
    return results


class Comparison:
    """How many times faster the first of each pair was."""

    def __init__(self, results):
        self.ours = statistics.median(mine.seconds for mine, _ in results)
        self.theirs = statistics.median(other.seconds for _, other in results)
        ratios = [other.seconds / mine.seconds for mine, other in results]
        self.ratio, self.least, self.most = self.theirs / self.ours, min(ratios), max(ratios)
        self.processor = statistics.median(mine.processor_seconds for mine, _ in results)
        self.processor_theirs = statistics.median(other.processor_seconds for _, other in results)
        self.rss_mib = max(mine.rss_mib for mine, _ in results)
        self.rss_mib_theirs = max(other.rss_mib for _, other in results)
