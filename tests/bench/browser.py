"""The lessons in a real browser: JupyterLab, and the classic notebook with Colab's pins, behind one interface.

`Server` serves a folder, `Notebook` is a page with a notebook and its kernel, `Panel` what a learner sees of one panel.
`panel.value("panel.trainer.k")` is what the kernel has: the oracle.
"""

import ast
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
from jupyter_client import BlockingKernelClient
from matplotlib.colors import to_rgb
from playwright.sync_api import BrowserContext, Locator

ROOT = Path(__file__).parents[2]
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
).split()


class Stack(NamedTuple):
    """A front end: how it is served, and the JavaScript that drives it.

    `save` and `run` (of cell i) resolve when it is done.
    """

    python: Path
    made_by: str
    serve: str
    address: str
    ready: str
    run: str
    save: str
    kernel: str


LAB = Stack(
    python=Path(sys.executable),
    made_by="pip install -r requirements.txt",
    serve="jupyterlab --LabApp.expose_app_in_browser=True --LabApp.news_url=None",
    address="lab/tree/{}?reset",
    ready="""() => { const session = window.jupyterapp?.shell.currentWidget?.sessionContext?.session
        return session?.kernel?.connectionStatus === 'connected' && session.kernel.status === 'idle' }""",
    run="""i => { const { content } = jupyterapp.shell.currentWidget
        content.activeCellIndex = i
        content.deselectAll()
        return jupyterapp.commands.execute('notebook:run-cell') }""",
    save="() => jupyterapp.commands.execute('docmanager:save')",
    kernel="jupyterapp.shell.currentWidget.sessionContext.session.kernel",
)
COLAB = Stack(
    python=ROOT / ".venv-colab/bin/python",
    made_by="python3 -m venv .venv-colab && .venv-colab/bin/pip install -r tests/colab.txt",
    serve="notebook",
    address="notebooks/{}",
    ready="""() => { const kernel = window.Jupyter?.notebook?.kernel
        return kernel?.widget_manager && kernel.is_connected() && kernel.info_reply?.status === 'ok' }""",
    run="""i => new Promise(done => { const { notebook } = Jupyter, cell = notebook.get_cell(i)
        notebook.events.on('finished_execute.CodeCell', (_, it) => it.cell === cell && done())
        notebook.execute_cells([i]) })""",
    save="() => Jupyter.notebook.save_notebook()",
    kernel="Jupyter.notebook.kernel",
)
STACKS = {"lab": LAB, "colab": COLAB}


def missing(stack: Stack) -> str:
    """What has to be installed first; "" if nothing."""
    if not chromium():
        return "no chromium: sudo apt-get install chromium"
    find = f"from importlib.util import find_spec; assert find_spec({stack.serve.split()[0]!r}) and find_spec('torch')"
    if not stack.python.exists() or subprocess.run([stack.python, "-c", find], capture_output=True).returncode:
        return f"no {stack.python.parent.parent.name}: {stack.made_by}"
    return ""


def chromium() -> str | None:
    return shutil.which("chromium")


def lesson(number: str, *needed: str) -> list[str]:
    """A lesson's own cells, no more than its last panel needs: set-up, imports, those with a needed text, the panel."""
    (path,) = (ROOT / "notebooks").glob(f"{number}_*.ipynb")
    setup, imports, *cells = (cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code")
    *_, panel = (cell for cell in cells if "live" in cell.metadata.get("tags", []))
    between = [cell for cell in cells if any(text in cell.source for text in needed)]
    return [cell.source for cell in (setup, imports, *between, panel)]


class Server:
    """A Jupyter server in a folder of its own, which knows nothing of the user's settings."""

    def __init__(self, stack: Stack, folder: Path):
        self.stack, self.folder, self.runtime = stack, folder, folder / ".runtime"
        quiet = folder / ".settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
        quiet.parent.mkdir(parents=True)
        quiet.write_text('{"fetchNews": "false", "checkForUpdates": false}')  # a pop-up would cover a corner
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        own = {"CONFIG": ".config", "DATA": ".data", "RUNTIME": ".runtime"}
        env = {f"JUPYTER_{name}_DIR": str(folder / path) for name, path in own.items()}
        env |= {"JUPYTERLAB_SETTINGS_DIR": str(folder / ".settings"), "JUPYTERLAB_WORKSPACES_DIR": str(folder / ".ws")}
        env |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        app = "ServerApp" if stack is LAB else "NotebookApp"
        options = f"--no-browser --allow-root --ip=127.0.0.1 --port={port} --{app}.token= --{app}.port_retries=0"
        self._log = open(folder / "server.log", "w")
        self._process = subprocess.Popen(
            [stack.python, "-m", *stack.serve.split(), *options.split()],
            cwd=folder,
            env=os.environ | env,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self.pid, self.url = self._process.pid, f"http://127.0.0.1:{port}/"
        end = time.monotonic() + 60
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                self.close()
                raise RuntimeError((folder / "server.log").read_text()[-2000:])
            time.sleep(0.2)

    def _answers(self) -> bool:
        try:
            return urllib.request.urlopen(f"{self.url}api/status", timeout=2).status == 200
        except OSError:
            return False

    def sessions(self) -> dict[str, str]:
        """The ids of the running kernels, by notebook."""
        with urllib.request.urlopen(f"{self.url}api/sessions", timeout=10) as answer:
            return {session["notebook"]["path"]: session["kernel"]["id"] for session in json.load(answer)}

    def close(self) -> None:
        self._process.terminate()  # it ends its kernels
        self._process.wait(30)
        self._log.close()


class Notebook:
    """A notebook in a page, and its kernel. Cells are run by the front end, so that their outputs are on the page."""

    def __init__(self, server: Server, context: BrowserContext, cells: Sequence[str]):
        self.server, self.stack, self.context = server, server.stack, context
        self._path = f"{len(list(server.folder.glob('*.ipynb')))}.ipynb"
        code = [nbformat.v4.new_code_cell(source) for source in cells]
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}  # else JupyterLab asks for one
        nbformat.write(nbformat.v4.new_notebook(cells=code, metadata=kernel), server.folder / self._path)
        self.noise: list[str] = []  # console errors
        self.open()
        connection = server.runtime / f"kernel-{server.sessions()[self._path]}.json"
        self._client = BlockingKernelClient(connection_file=str(connection))
        self._client.load_connection_file()
        self._client.start_channels(iopub=False, stdin=False, hb=False, control=False)

    def open(self) -> None:
        """A new page; the kernel may be there already."""
        self.page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self.page.on("console", lambda message: message.type == "error" and self.noise.append(message.text))
        self.page.on("pageerror", lambda error: self.noise.append(str(error)))
        self.page.goto(self.server.url + self.stack.address.format(self._path))
        self.page.wait_for_function(self.stack.ready)

    def reload(self, before: Callable[[], None]) -> None:
        """Leave the page, wait for what comes before, and open it again."""
        self.page.evaluate(self.stack.save)
        address = self.page.url
        self.page.goto("about:blank")
        before()
        self.page.goto(address)
        self.page.wait_for_function(self.stack.ready)

    def run(self, *cells: int) -> None:
        for cell in cells:
            self.page.evaluate(self.stack.run, cell)

    def output(self, cell: int) -> Locator:
        return self.page.locator(".jp-Notebook .jp-Cell, #notebook .cell").nth(cell).locator(".jp-OutputArea, .output")

    def editor(self, cell: int) -> Locator:
        return self.page.locator(".jp-Notebook .cm-content, #notebook .CodeMirror textarea").nth(cell)

    def interrupt(self) -> None:
        self.page.evaluate(f"() => {self.stack.kernel}.interrupt()")

    def restart(self) -> None:
        self.page.evaluate(f"() => {self.stack.kernel}.restart()")
        self.page.wait_for_function(self.stack.ready)

    def value(self, expression: str, code: str = "", timeout: float = 60) -> object:
        """What an expression is in the kernel, after code; asked beside the front end, which does not notice."""
        asked = self._client.execute(code, silent=True, user_expressions={"value": expression})
        while (answer := self._client.shell_channel.get_msg(timeout=timeout))["parent_header"].get("msg_id") != asked:
            pass
        if answer["content"]["status"] != "ok":
            raise RuntimeError("\n".join(answer["content"]["traceback"]))
        value = answer["content"]["user_expressions"]["value"]
        if value["status"] != "ok":
            raise RuntimeError(f"{expression}: {value['ename']}: {value['evalue']}")
        return ast.literal_eval(value["data"]["text/plain"])

    def close(self) -> None:
        self._client.stop_channels()
        self.context.close()


class Panel:
    """A panel on the page of a notebook, and in its kernel, where `name` finds it."""

    def __init__(self, notebook: Notebook, name: str, cell: int):
        self.notebook, self.name, self.page = notebook, name, notebook.page
        self.box = notebook.output(cell).locator(".gl-panel")

    def find(self, css: str) -> Locator:
        return self.box.locator(css)

    def value(self, expression: str) -> object:
        return self.notebook.value(f"(lambda panel: {expression})({self.code})")

    def do(self, code: str) -> None:
        self.notebook.value("None", f"panel = {self.code}\n{code}\ndel panel")

    @property
    def code(self) -> str:
        return f"next(one for one in live.panel._panels if one._name == {self.name!r})"

    @property
    def step(self) -> int:
        """As shown."""
        return int(re.match(r"Round (\d+)", self.find(".gl-status").inner_text())[1])

    @property
    def steps_done(self) -> int:
        return self.value("panel.trainer.steps_done")

    @property
    def playing(self) -> bool:
        """As shown: ipywidgets 8 has one button for both, 7 has two."""
        return self.find(".gl-play button:enabled .fa-pause").count() == 1

    def play(self) -> None:
        self.find(".gl-play .fa-play").click()
        until(lambda: self.playing)

    def pause(self) -> None:
        self.find(".gl-play .fa-pause").click()
        until(lambda: not self.playing)

    def handle(self, css: str) -> Locator:
        return self.find(f"{css} [role=slider], {css} .ui-slider-handle")

    def press(self, css: str, key: str, times: int = 1) -> None:
        """Press a key on a slider's handle."""
        self.handle(css).focus()
        for _ in range(times):
            self.page.keyboard.press(key)

    def drag(self, css: str, to: float, done: Callable[[], bool] = lambda: True) -> None:
        """Drag a slider's handle to a fraction of its way, and about there until it is done: no hand is still."""
        self.handle(css).scroll_into_view_if_needed()
        handle, way = self.handle(css).bounding_box(), self.find(f"{css} .noUi-base, {css} .ui-slider").bounding_box()
        x, y = way["x"] + to * (way["width"] - 1), handle["y"] + handle["height"] / 2
        self.page.mouse.move(handle["x"] + handle["width"] / 2, y)
        self.page.mouse.down()
        self.page.mouse.move(x, y, steps=10)
        until(lambda: (self.page.mouse.move(x + 9, y), self.page.mouse.move(x, y), done())[-1])
        self.page.mouse.up()

    def frames(self, seconds: float) -> float:
        """Pictures a second that the browser shows."""
        count = """(view, seconds) => new Promise(done => {
            let frames = 0
            new MutationObserver(() => frames++).observe(view, { childList: true, subtree: true })
            setTimeout(() => done(frames / seconds), 1000 * seconds) })"""
        return self.find(".gl-view").evaluate(count, seconds)


def until(condition: Callable[[], Any], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"still not so after {seconds} s"
        time.sleep(0.05)


def contrast(a: str, b: str) -> float:
    """WCAG 2, between two colours; 1 to 21."""

    def brightness(color: str) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
        return sum(share * c for share, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    dark, light = sorted(map(brightness, (a, b)))
    return (light + 0.05) / (dark + 0.05)
