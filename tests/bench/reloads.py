"""Do button and kernel agree after every reload? `python tests/bench/reloads.py 50` counts, on both stacks.

A page is left while it plays, and comes back after 0 to 3 s: the kernel notices after 2 s that it is gone.
"""

import sys
import tempfile
import time
from pathlib import Path

from browser import FLAGS, STACKS, Notebook, Panel, Server, chromium, lesson, missing, until
from playwright.sync_api import sync_playwright


def agrees(panel: Panel) -> bool:
    """After all messages have come: what is shown is what the kernel has, and one click plays."""
    panel.find(".gl-view [role=img]").wait_for()
    time.sleep(1)
    playing = panel.value("panel._clock.playing")
    if panel.playing != playing:
        return False
    if not playing:
        panel.find(".gl-play .fa-play").click()
    done = panel.steps_done
    until(lambda: panel.steps_done > done + 2 and panel.playing, seconds=8)
    return True


if __name__ == "__main__":
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    with sync_playwright() as playwright:
        for name, stack in STACKS.items():
            if missing(stack):
                print(f"{name}: {missing(stack)}")
                continue
            with tempfile.TemporaryDirectory() as folder:
                server = Server(stack, Path(folder))
                browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
                context = browser.new_context(viewport={"width": 1200, "height": 2000})
                notebook = Notebook(server, context, lesson("02"))
                try:
                    notebook.run(0, 1, 2)
                    panel = Panel(notebook, "gaussian", 2)
                    panel.play()
                    agreed = 0
                    for i in range(times):
                        delay = 3 * i / max(1, times - 1)
                        notebook.reload(before=lambda delay=delay: time.sleep(delay))
                        try:
                            agreed += agrees(panel)
                        except AssertionError:
                            print(f"{name}: after {delay:.2f} s a click does not play")
                    print(f"{name}: {agreed} of {times}", flush=True)
                finally:
                    notebook.close()
                    browser.close()
                    server.close()
