"""How live is the panel? `python tests/bench/live.py` prints a table for both stacks; `--soak 10` plays ten minutes,
`--playground` counts rounds and frames a second of the playground's kinds of data, as fast as it goes.

Lesson 02's panel and one of faces, also on a slow network and in a slow browser, and what one would write first, in
the same run: a loop in a cell, and matplotlib drawn anew into an Output widget. Slider to training: from a key pressed
in the browser to the trainer's k. Age: from a frame drawn in the kernel to its being shown. Close other programs first.
"""

import argparse
import asyncio
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from browser import FLAGS, STACKS, Notebook, Panel, Server, chromium, lesson, missing, until
from playwright.sync_api import Locator, TimeoutError, sync_playwright

MOVES, SECONDS = 36, 6
# in the page: the age of each frame, and the time of each key
WATCH = """box => { window.ages = []; window.keys = []; window.watcher?.disconnect(); let last
    const look = () => { const drawn = [...box.querySelectorAll('[data-drawn]')].at(-1)?.dataset.drawn
        if (drawn && drawn != last) ages.push(Date.now() / 1000 - (last = drawn)) }
    window.watcher = new MutationObserver(look)
    watcher.observe(box, { childList: true, subtree: true })
    window.heard ??= document.addEventListener('keydown', () => keys.push(Date.now() / 1000), true) ?? true }"""
# in the kernel: when k is set, and how long a frame takes beside the training, and each player's turn
STAMPS = """
import time
moves, drawing, turns = [], [], {"discriminator_step": [], "generator_step": []}
before, shown = type(panel.trainer).__setattr__, panel._show
def note(self, name, value, before=before):  # bound now: for the next panel the name stands for this very function
    before(self, name, value)
    if name == "k":
        moves.append(time.time())
def timed(shown=shown, drawing=drawing):
    began = time.thread_time()
    shown()
    drawing.append(time.thread_time() - began)
type(panel.trainer).__setattr__, panel._show, drawn = note, timed, panel._view.draw
panel._view.draw = lambda *now, drawn=drawn: drawn(*now) + f"<i data-drawn='{time.time()}'></i>"
def clocked(turn, seconds):
    def played(**options):
        began = time.perf_counter()
        turn(**options)
        seconds.append(time.perf_counter() - began)
    return played
for name, seconds in turns.items():
    vars(panel.trainer)[name] = clocked(getattr(panel.trainer, name), seconds)
import builtins
builtins.stamps = moves, drawing, *turns.values()
"""
FACES = """
import torch
from gan_lessons import devices, views
torch.set_num_threads(devices.idle_cores())
live.Panel(recipes.faces_quick, views.Images())
"""
LOOP = """
import time
import ipywidgets as widgets
from IPython.display import display
from gan_lessons import views
slider, view, drawer = widgets.IntSlider(1, min=0, max=20), widgets.HTML(), views.Figure1()
display(widgets.VBox([slider.add_class("gl-k"), view.add_class("gl-view")]).add_class("gl-panel"))
gan, moves, end = recipes.gaussian(decay=None), [], time.time() + 20
while time.time() < end:
    gan.step()
    if gan.k != slider.value:
        gan.k = slider.value
        moves.append(time.time())
    if gan.steps_done % 15 == 0:
        track = [{"step": gan.steps_done, **drawer.measure(gan)}]
        view.value = drawer.draw(gan, track) + f"<i data-drawn='{time.time()}'></i>"
"""
OUTPUT = """
import asyncio, time
import ipywidgets as widgets
import matplotlib.pyplot as plt
from IPython.display import HTML, clear_output, display
from gan_lessons import hill, seen
slider, view = widgets.IntSlider(1, min=0, max=20), widgets.Output()
display(widgets.VBox([slider.add_class("gl-k"), view.add_class("gl-view")]).add_class("gl-panel"))
gan, moves = recipes.gaussian(decay=None), []
async def play(end=time.time() + 22):
    while time.time() < end:
        burst = time.time() + 0.025
        while time.time() < burst:
            gan.step()
            if gan.k != slider.value:
                gan.k = slider.value
                moves.append(time.time())
        with view:
            clear_output(wait=True)
            figure, ax = plt.subplots(figsize=(7.7, 3.45))
            hill.draw(seen.curves(gan, torch.linspace(470, 530, 601)), ax=ax)
            display(figure, HTML(f"<i data-drawn='{time.time()}'></i>"))
            plt.close(figure)
        await asyncio.sleep(0.005)
task = asyncio.get_running_loop().create_task(play())
"""


GAN_LAB = 31.7  # rounds a second, as it plays points of the plane in a browser on this kind of machine
KINDS = ("gaussian", "bumps", "ring", "grid", "moons", "spiral", "word", "digits", "faces")


class Network:
    """A way to a server; slow: 120 ms to and fro, 250 kB/s each way. Chromium's own brake spares websockets."""

    def __init__(self, port: int):
        self.slow, self._to = False, port
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        listening = asyncio.start_server(self._pass, "127.0.0.1", 0)
        server = asyncio.run_coroutine_threadsafe(listening, self._loop).result()
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection("127.0.0.1", self._to)
        await asyncio.gather(self._carry(reader, there[1]), self._carry(there[0], writer))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        free = there = 0.0  # when the wire is free, and the last data there
        with suppress(ConnectionError):  # a page was closed
            while data := await reader.read(4096):
                if writer.is_closing():
                    break
                free = max(time.monotonic(), free) + (len(data) / 250e3 if self.slow else 0)
                there = max(there + 1e-6, free + (0.06 if self.slow else 0))  # nothing overtakes
                self._loop.call_at(there, writer.write, data)
        self._loop.call_later(0.5, writer.close)


def measure(name: str, box: Locator, notebook: Notebook, moves: Callable[[], list[float]]) -> None:
    """Watch for some seconds, then move k to and fro; print a row."""
    page = notebook.page
    box.evaluate(WATCH)
    time.sleep(SECONDS)
    ages = page.evaluate("ages")
    handle = page.locator(".gl-k [role=slider], .gl-k .ui-slider-handle").last  # of the panel shown last
    try:
        handle.focus(timeout=3000)
    except TimeoutError:
        print(f"{name:32} its slider did not come up", flush=True)
        return
    for move in range(MOVES):
        page.keyboard.press("ArrowRight" if move % 2 == 0 else "ArrowLeft")
        time.sleep(0.25 + 0.1 * (move % 3))
    keys, at = page.evaluate("keys"), moves()
    # a move that the trainer saw only after the next one was lost
    waits = [next((t - key for t in at if key <= t), 99) for key in keys]
    waits = [
        wait for wait, (key, after) in zip(waits, pairwise([*keys, keys[-1] + 2]), strict=True) if wait < after - key
    ]
    print(f"{name:32} {len(waits):3} of {len(keys)} {two(waits)} {len(ages) / SECONDS:7.1f} {two(ages)}", flush=True)


def two(seconds: list[float]) -> str:
    """Median and 95th percentile, in ms."""
    if not seconds:
        return "    -     -"
    return f"{1e3 * statistics.median(seconds):5.0f} {1e3 * sorted(seconds)[int(0.95 * len(seconds))]:5.0f}"


def bench(stack: str, notebook: Notebook, network: Network) -> None:
    notebook.run(0, 1)
    for cell, recipe, kind in ((2, "gaussian", "panel"), (3, "faces_quick", "faces")):
        notebook.run(cell)
        panels(f"{stack}: {kind}", Panel(notebook, recipe, cell), network)
    for cell, name in ((4, "matplotlib into Output"), (5, "loop in a cell")):
        notebook.page.evaluate(f"i => {{ ({notebook.stack.run})(i) }}", cell)  # not awaited: it may block
        until(lambda cell=cell: notebook.page.locator("[data-drawn]").count() == cell - 1)
        measure(f"{stack}: {name}", notebook.page.locator("body"), notebook, lambda: notebook.value("moves"))


def panels(name: str, panel: Panel, network: Network) -> None:
    notebook = panel.notebook
    panel.do(STAMPS)
    panel.play()
    measure(name, panel.box, notebook, lambda: notebook.value("stamps[0]"))
    parts = zip(  # a console prints no more than 1,000 numbers of a list
        ("a frame beside the training", "a turn of D", "a turn of G"),
        notebook.value("[part[-900:] for part in stamps[1:]]"),
        strict=True,
    )
    said = [f"{part} {1e3 * statistics.median(seconds):.1f} ms" for part, seconds in parts]
    network.slow = True
    measure(f"{name}, slow network", panel.box, notebook, lambda: notebook.value("stamps[0]"))
    network.slow = False
    brake = notebook.context.new_cdp_session(notebook.page)
    brake.send("Emulation.setCPUThrottlingRate", {"rate": 8})
    measure(f"{name}, browser 8x slower", panel.box, notebook, lambda: notebook.value("stamps[0]"))
    brake.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    panel.do("panel._clock.pause()")
    threads, size = notebook.value("torch.get_num_threads()", "import torch"), panel.value("len(panel._picture.value)")
    print(f"{name}: in the kernel, {threads} threads: {', '.join(said)}; a picture of {size / 1e3:.0f} kB", flush=True)


def playground(stack: str, notebook: Notebook) -> None:
    notebook.run(0, 1, 2)
    panel = Panel(notebook, "playground", 2)
    panel.play()
    for kind in KINDS:
        panel.do(f"panel.begin({kind!r}); panel._speed.value = 10**9")
        until(lambda kind=kind: panel.value("panel.kind") == kind and panel.steps_done > 5, seconds=60)
        done, began = panel.steps_done, time.monotonic()
        frames = panel.frames(SECONDS)
        rounds = (panel.steps_done - done) / (time.monotonic() - began)
        beside = f"{rounds / GAN_LAB:5.1f} x GAN Lab's" if panel.value("panel.settings().get('width')") else ""
        print(f"{stack}: {kind:10} {rounds:6.0f} rounds/s, {frames:5.1f} frames/s {beside}", flush=True)
    panel.pause()
    print(f"{stack}: console errors: {notebook.noise}", flush=True)


def soak(stack: str, notebook: Notebook, minutes: float) -> None:
    notebook.run(0, 1, 2)
    panel, browser = Panel(notebook, "gaussian", 2), notebook.context.new_cdp_session(notebook.page)
    panel.play()
    for minute in range(round(minutes) + 1):
        frames = panel.frames(10)
        browser.send("HeapProfiler.collectGarbage")
        heap = browser.send("Runtime.getHeapUsage")["usedSize"] / 1e6
        resident = notebook.value("int(next(line for line in open('/proc/self/status') if 'VmRSS' in line).split()[1])")
        memory = f"page {heap:.1f} MB, kernel {resident / 1e3:.0f} MB"
        print(f"{stack}: minute {minute:2}: step {panel.step:7}, {frames:.1f} frames/s, {memory}", flush=True)
        time.sleep(50 if minute < round(minutes) else 0)
    print(f"{stack}: console errors: {notebook.noise}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--soak", type=float, metavar="MINUTES")
    parser.add_argument("--playground", action="store_true")
    asked = parser.parse_args()
    minutes = asked.soak
    if minutes is None and not asked.playground:
        print(f"{'':32}    moves slider to training frames/s age of a frame")
        print(f"{'':32}  arrived median p95, ms    seen   median p95, ms", flush=True)
    with sync_playwright() as playwright:
        for name, stack in STACKS.items():
            if missing(stack):
                print(f"{name}: {missing(stack)}")
                continue
            with tempfile.TemporaryDirectory() as folder:
                server = Server(stack, Path(folder))
                network = Network(int(server.url.rstrip("/").rpartition(":")[2]))
                server.url = network.url
                browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
                context = browser.new_context(viewport={"width": 1200, "height": 2400})
                cells = lesson("00") if asked.playground else [*lesson("02"), FACES, OUTPUT, LOOP]
                notebook = Notebook(server, context, cells)
                try:
                    if asked.playground:
                        playground(name, notebook)
                    else:
                        bench(name, notebook, network) if minutes is None else soak(name, notebook, minutes)
                finally:
                    notebook.close()
                    browser.close()
                    server.close()
