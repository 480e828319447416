"""What a panel needs on its page besides its widgets: how it looks, and what ipywidgets leave out."""

from collections.abc import Iterator

import ipywidgets as widgets

STYLE_SHEET = """<style>
.gl-panel button:focus-visible, .gl-buttons button:focus-visible,
.gl-panel .noUi-handle:focus-visible, .gl-panel .ui-slider-handle:focus {
  outline: 3px solid #1a73e8; outline-offset: 2px }
.gl-play button:has(.fa-stop) { display: none }
.gl-play { width: auto }
.gl-panel .widget-readout { min-width: 52px; text-align: left; padding-left: 8px }
.gl-speed .widget-readout { min-width: 200px }
.gl-view svg { max-width: 100%; height: auto; vertical-align: top }
.gl-status, .gl-code { max-width: 770px }
.gl-status { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-variant-numeric: tabular-nums }
.gl-code code { user-select: all; white-space: pre-wrap; color: inherit; background: none }
.gl-err:not(:has(pre)) { display: none }
.gl-err pre { background: #fdecea; color: #7a0012; white-space: pre-wrap; padding: 4px 8px; margin: 0 }
.gl-buttons .gl-dark { color: #000 }
.gl-buttons .gl-light { color: #fff }
</style>"""

# ipywidgets gives no names to a slider's handle and to the icons of Play. A page runs no <script> that comes in an HTML
# widget, but an image that fails: it names them after the labels beside them, now and soon after a change, not
# at each frame, which a slow browser would feel.
# Notebook 7 has shortcuts for the arrow keys, and takes a key before a slider is told of it, unless somebody says first
# that it is done with; the slider does not ask.
NAMES = """<img alt="" src="data:," onerror="
const name = box => {
  for (const slider of box.querySelectorAll('.widget-slider')) {
    const handle = slider.querySelector('.noUi-handle, .ui-slider-handle')
    const readout = slider.querySelector('.widget-readout')
    const label = slider.querySelector('label').textContent
    if (!handle || !readout) continue
    if (!handle.classList.contains('noUi-handle')) {
      handle.setAttribute('role', 'slider')
      handle.setAttribute('aria-valuenow', parseFloat(readout.textContent) || 0)
    }
    handle.setAttribute('aria-label', label)
    handle.setAttribute('aria-valuetext', readout.textContent)
    readout.setAttribute('aria-label', label)
  }
  for (const icon of box.querySelectorAll('.gl-play i')) {
    const names = { 'fa-play': 'play', 'fa-pause': 'pause', 'fa-stop': 'stop: begin anew' }
    const key = Object.keys(names).find(one => icon.classList.contains(one))
    if (!key) continue
    icon.parentNode.title = names[key]
    icon.parentNode.setAttribute('aria-label', names[key])
  }
}
window.glKeys ??= window.addEventListener('keydown', event => {
  const moves = /^(Arrow|Page|Home$|End$)/.test(event.key)
  if (moves && event.target.closest?.('.gl-panel .noUi-handle')) event.preventDefault()
}, true) ?? true
const wait = setInterval(() => {
  const box = this.closest('.gl-panel')
  if (!box) return
  clearInterval(wait)
  name(box)
  let soon = 0
  const later = () => { soon ||= setTimeout(() => { soon = 0; name(box) }, 400) }
  new MutationObserver(later).observe(box, { childList: true, subtree: true })
}, 100)">"""


def style_sheet() -> widgets.HTML:
    """What a panel needs on its page: how it looks, and names for those who cannot see it."""
    return widgets.HTML(STYLE_SHEET + NAMES, layout=widgets.Layout(display="none"))


def inside(box: widgets.Box) -> Iterator[widgets.Widget]:
    """All widgets that a box holds, at whatever depth."""
    for child in box.children:
        if isinstance(child, widgets.Box):
            yield from inside(child)
        yield child
