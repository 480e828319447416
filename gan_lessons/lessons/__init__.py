"""One module a lesson, named like its notebook: its pictures, and the checks of its exercises."""

from gan_lessons import style

style.use()  # so that every figure of a lesson looks alike
