"""How many learners can share a machine? `python tests/bench/class.py 1 4 8 16 32` prints a row for each number.

As in a class on one JupyterHub: each learner has a page of JupyterLab with lesson 02's panel and a kernel for it, and
all of them play at once, for some seconds. Here the pages are on the same machine; with `--kernels` there are none, and
a task in each kernel does what a browser's clock does: that is a hub whose learners bring browsers of their own. Memory
is that of a learner's kernel (resident; a fair share of what kernels have in common; private, which is what one learner
more takes) and of the server. Close other programs before. Linux only.
"""

import argparse
import contextlib
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from browser import FLAGS, STACKS, Notebook, Panel, Server, chromium, lesson, missing
from jupyter_client.manager import start_new_kernel
from playwright.sync_api import Browser, sync_playwright

SECONDS = 10
# in the page: how many pictures it has shown
COUNT = """view => { window.shown = 0
    new MutationObserver(() => shown++).observe(view, { childList: true, subtree: true }) }"""


def memory(pid: int) -> tuple[float, float, float]:
    """Resident, proportional and private memory of a process, in MB."""
    rows = (line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    kB = {name.rstrip(":"): int(size) for name, size, _ in rows}
    return kB["Rss"] / 1e3, kB["Pss"] / 1e3, (kB["Private_Clean"] + kB["Private_Dirty"]) / 1e3


def learner(server: Server, browser: Browser) -> Panel:
    """A page with lesson 02's panel, ready to play."""
    notebook = Notebook(server, browser.new_context(viewport={"width": 1200, "height": 2000}), lesson("02"))
    notebook.run(0, 1, 2)
    return Panel(notebook, "gaussian", 2)


def play(panels: list[Panel]) -> tuple[list[float], list[float]]:
    """Frames and rounds a second of each while all of them play."""
    for panel in panels:
        panel.find(".gl-view").evaluate(COUNT)
        panel.find(".gl-play .fa-play").click()
    time.sleep(2)
    before = [(panel.page.evaluate("shown"), panel.steps_done, time.monotonic()) for panel in panels]
    time.sleep(SECONDS)
    rates = []
    for panel, (frames, rounds, began) in zip(panels, before, strict=True):
        now = panel.page.evaluate("shown"), panel.steps_done
        seconds = time.monotonic() - began
        rates.append(((now[0] - frames) / seconds, (now[1] - rounds) / seconds))
    for panel in panels:
        panel.do("panel._clock.pause()")
    return tuple(zip(*rates, strict=True))


# in a kernel without a page: lesson 02's panel, a count of its pictures, and the ticks of a browser
ALONE = """import asyncio, time, torch
torch.set_num_threads(1)
from gan_lessons import live, recipes, views
panel, shown = live.Panel(recipes.gaussian, views.Figure1()), []
panel._picture.observe(shown.append, "value")

async def browser():
    panel.play.playing = True
    while True:
        panel.play.value += 1
        await asyncio.sleep(panel.play.interval / 1e3)

now = lambda: (time.monotonic(), len(shown), panel.trainer.steps_done)
"""


def without_pages(n: int) -> str:
    """Frames and rounds a second of n kernels that play at once, as their browsers would ask them to."""
    with contextlib.ExitStack() as stack:
        clients = []
        for _ in range(n):
            manager, client = start_new_kernel()
            stack.callback(manager.shutdown_kernel, now=True)
            stack.callback(client.stop_channels)
            client.execute_interactive(ALONE, timeout=300)
            clients.append(client)
        starts = "task = asyncio.get_running_loop().create_task(browser())"
        ends = "b = now(); task.cancel(); panel.play.playing = False"  # else pictures come faster than they are read
        for code, seconds in ((starts, 2), ("a = now()", SECONDS), (ends, 0)):
            for client in clients:
                client.execute(code)
            time.sleep(seconds)
        rates = []
        for client in clients:
            told: list[str] = []
            hook = lambda message, told=told: told.append(message["content"].get("text", ""))  # noqa: E731
            code = "print((b[1] - a[1]) / (b[0] - a[0]), (b[2] - a[2]) / (b[0] - a[0]))"
            client.execute_interactive(code, timeout=300, output_hook=hook)
            rates.append(tuple(map(float, "".join(told).split())))
    frames, rounds = zip(*rates, strict=True)
    return f"| {n} | {statistics.median(frames):.1f} | {min(frames):.1f} | {statistics.median(rounds):.0f} |"


def row(n: int, panels: list[Panel], server: Server) -> str:
    frames, rounds = play(panels)
    kernels = [panel.notebook.value("os.getpid()", "import os") for panel in panels]
    resident, proportional, private = (statistics.mean(column) for column in zip(*map(memory, kernels), strict=True))
    served = memory(server.pid)[1]
    rates = f"{statistics.median(frames):.1f} | {min(frames):.1f} | {statistics.median(rounds):.0f}"
    return f"| {n} | {rates} | {resident:.0f} | {proportional:.0f} | {private:.0f} | {served:.0f} |"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("learners", type=int, nargs="*", default=[1, 4, 8, 16, 32], help="1 4 8 16 32")
    parser.add_argument("--stack", choices=STACKS, default="lab")
    parser.add_argument("--kernels", action="store_true", help="kernels alone, no pages")
    options = parser.parse_args()
    if options.kernels:
        print("| learners | frames/s | slowest | rounds/s |\n| --- | --- | --- | --- |", flush=True)
        for n in sorted(options.learners):
            print(without_pages(n), flush=True)
        sys.exit()
    if problem := missing(STACKS[options.stack]):
        sys.exit(problem)
    print(f"{options.stack}, {len(os.sched_getaffinity(0))} cores, each learner with a page and a kernel")
    print("| learners | frames/s | slowest | rounds/s | kernel: resident MB | proportional | private | server |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |", flush=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = Server(STACKS[options.stack], Path(folder))
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        panels: list[Panel] = []
        try:
            for n in sorted(options.learners):
                panels += [learner(server, browser) for _ in range(n - len(panels))]
                print(row(n, panels, server), flush=True)
        finally:
            for panel in panels:
                panel.notebook.close()
            browser.close()
            server.close()
